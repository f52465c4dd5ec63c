"""`tinytorch lab` and `tinytorch doctor`: what concerns the machine."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from tinytorch.course.commands import write, write_json


@click.command(short_help="Open the lessons in JupyterLab.")
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
@click.option("--port", type=click.IntRange(1, 65535), help="The port to use (8888); where it is taken, another.")
@click.option("--print-url", is_flag=True, help="Print the address with its token on standard output, and only that.")
def lab(no_browser: bool, port: int | None, print_url: bool) -> int:
    """Open JupyterLab at the first lesson. Ctrl-C ends it, and its kernels."""
    from tinytorch.course import lab as server

    def tell(words: str) -> None:
        write(f"tinytorch lab: {words}", err=True)

    def show_url(url: str) -> None:
        if print_url:
            write(url)
            sys.stdout.flush()
        else:
            tell(url)

    return server.run(port, not no_browser, tell, show_url)


@click.command(short_help="Say what is missing on this machine, and the line that mends it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
def doctor(as_json: bool) -> int:
    """Look at Python, packages, widgets, GPU, sandbox, permissions and the course's folder."""
    from tinytorch.course import doctor as physician

    found = physician.examine()
    missing = [finding for finding in found if finding.state == "missing"]
    if as_json:
        write_json({"findings": [asdict(finding) for finding in found], "ok": not missing})
        return int(bool(missing))
    colours = {"ok": "green", "missing": "red", "optional": None}
    for finding in found:  # without rich: it may be what is missing
        state = click.style(f"{finding.state:<8}", fg=colours[finding.state])
        write(f"{state}  {finding.name:<10}  {finding.detail}")
        if finding.mend:
            write(f"{'':22}to mend it: {finding.mend}")
    names = ", ".join(finding.name for finding in missing)
    write(f"Missing: {names}." if missing else "Everything that the course needs is here.")
    return int(bool(missing))
