"""`tinytorch doctor`: does this machine have what the course needs, and where not, the line that mends it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tinytorch.course import catalog

DISTRIBUTION = "tinytorch-course"
OLDEST = (3, 11)
_REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)\s*(?:\[[^]]*\])?\s*(?:>=\s*([0-9.]+))?")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    state: str  # ok | missing | optional (missing, and only wanted for what `detail` says)
    detail: str
    mend: str = ""  # the line that mends it


def examine() -> list[Finding]:
    """Look at everything. Nothing is changed, and nothing that the learner wrote is run."""
    return [
        python(),
        *packages(),
        widgets(),
        gpu(),
        sandbox(),
        writing(),
        questions(),
        references(),
        oracle(),
    ]


def python() -> Finding:
    version = sys.version.split()[0]
    if sys.version_info[:2] < OLDEST:
        words = f"{version}; {'.'.join(map(str, OLDEST))} or newer is needed"
        return Finding("Python", "missing", words, "uv python install 3.12 && uv sync")
    return Finding("Python", "ok", f"{version}, {sys.executable}")


def packages() -> Iterator[Finding]:
    """Every library that the course says it needs, and its version."""
    wanted = requirements()
    if not wanted:
        yield Finding("packages", "missing", f"{DISTRIBUTION} is not installed in this Python", "uv sync")
        return
    good = []
    for name, least in wanted:
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield Finding(
                name, "missing", "not installed", f"uv sync  (or: pip install '{name}>={least or 0}')"
            )
            continue
        if least and _numbers(found) < _numbers(least):
            yield Finding(
                name, "missing", f"{found}; {least} or newer is needed", f"pip install '{name}>={least}'"
            )
        else:
            good.append(f"{name} {found}")
    if good:
        yield Finding("packages", "ok", ", ".join(good))


def requirements() -> list[tuple[str, str | None]]:
    """The course's libraries and the oldest versions that do: from pyproject.toml, or as it was installed."""
    import tomllib

    try:
        text = (catalog.root() / "pyproject.toml").read_text(encoding="utf-8")
        lines = tomllib.loads(text)["project"]["dependencies"]
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        try:
            lines = metadata.requires(DISTRIBUTION) or []
        except metadata.PackageNotFoundError:
            return []
    found = [_REQUIREMENT.match(line) for line in lines if "extra ==" not in line]
    return [(match[1], match[2]) for match in found if match]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.split("+")[0])[:3])


def widgets() -> Finding:
    """ipywidgets draw only where JupyterLab has its half of them."""
    place = Path(sys.prefix, "share/jupyter/labextensions/@jupyter-widgets/jupyterlab-manager/package.json")
    mend = "uv sync --reinstall-package jupyterlab-widgets  (or: pip install --force-reinstall jupyterlab_widgets)"
    try:
        version = metadata.version("jupyterlab_widgets")
    except metadata.PackageNotFoundError:
        return Finding("widgets", "missing", "jupyterlab_widgets is not installed", mend)
    if not place.exists():
        return Finding("widgets", "missing", f"JupyterLab's half is not at {place.parent}", mend)
    return Finding("widgets", "ok", f"jupyterlab_widgets {version}")


def gpu() -> Finding:
    """A GPU is asked for by name; the course does without one."""
    optional = "only wanted to run lesson 14 on a real GPU"
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return Finding("GPU", "optional", f"no NVIDIA driver found; {optional}")
    status, words = _try([tool, "--query-gpu=name,memory.total", "--format=csv,noheader"], 10)
    if status != 0 or not words:
        return Finding("GPU", "optional", f"nvidia-smi finds none ({words[:80] or status}); {optional}")
    return Finding("GPU", "ok", "; ".join(words.splitlines()))


def sandbox() -> Finding:
    """Bubblewrap is really run: some systems have it and forbid it."""
    optional = "only wanted to grade what other people wrote"
    tool = shutil.which("bwrap")
    if tool is None:
        words = f"bubblewrap is not installed; {optional}"
        return Finding("sandbox", "optional", words, "sudo apt-get install bubblewrap")
    status, words = _try([tool, "--ro-bind", "/", "/", "--unshare-all", "--die-with-parent", "true"], 10)
    if status != 0:
        mend = "sudo sysctl kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0"
        return Finding(
            "sandbox", "optional", f"{tool} cannot make one ({words[:120] or status}); {optional}", mend
        )
    return Finding("sandbox", "ok", f"{tool} made one, without network")


def writing() -> Finding:
    """Progress and backups are kept in the course's folder, and exercises are written there."""
    root = catalog.root()
    for folder in (root, root / "tinytorch"):
        try:
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            mend = f"chmod -R u+w '{root}'" if isinstance(error, PermissionError) else ""
            return Finding("writing", "missing", f"{folder} cannot be written ({error.strerror})", mend)
    return Finding("writing", "ok", str(root))


def questions() -> Finding:
    found = catalog.chapters()
    if not found or not (catalog.root() / "exercises" / "stubs.json").exists():
        return Finding("exercises", "missing", "exercises/ is not complete here", "git checkout -- exercises")
    return Finding("exercises", "ok", ", ".join(chapter.name for chapter in found))


def references() -> Finding:
    if (catalog.root() / "solutions").is_dir():
        return Finding("solutions", "ok", "untouched exercises run on the reference")
    words = "no solutions/ here: a lesson runs only as far as your own code goes, and `check` cannot compare"
    return Finding("solutions", "missing", words, "git checkout -- solutions")


def oracle() -> Finding:
    try:
        return Finding("PyTorch", "ok", f"torch {metadata.version('torch')}, the oracle of the parity tests")
    except metadata.PackageNotFoundError:
        words = "not installed; only wanted by contributors, as the oracle of the parity tests"
        return Finding(
            "PyTorch", "optional", words, "uv run python -m ensurepip && uv run python -m pip install torch"
        )


def _try(command: list[str], seconds: float) -> tuple[int | str, str]:
    """Run a command; its exit status (or why there is none) and what it said."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            env=dict(os.environ, LC_ALL="C"),
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {seconds:g} s", ""
    except OSError as error:
        return str(error), ""
    return done.returncode, (done.stdout.strip() or done.stderr.strip())
