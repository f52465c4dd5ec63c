"""A copy of the course in which exercises are solved, for tests that want a learner who has done their work."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.course.tree import reference
from tests.machine import ROOT
from tinytorch.course import catalog, splice


def copy_course(to: Path) -> Path:
    """The package, its solutions and sheets, as they are in this checkout."""
    ignore = shutil.ignore_patterns("__pycache__")
    for folder in ("tinytorch", "solutions", "exercises", "notebooks"):
        shutil.copytree(ROOT / folder, to / folder, ignore=ignore)
    return to


def solve(root: Path, wanted: str = "") -> list[str]:
    """Write the reference into each stub below `root` whose id begins with `wanted`; gives their ids."""
    done = []
    for entry in catalog.exercises():
        if entry.id.startswith(wanted):
            path = root / entry.path
            mark = entry.source[: entry.source.index("def ")]
            answer = {entry.id: mark + reference(entry)}
            path.write_text(splice.replace(path.read_text(encoding="utf-8"), answer), encoding="utf-8")
            done.append(entry.id)
    return done


def environment(root: Path, **extra: str) -> dict[str, str]:
    """The environment in which the course at `root` is the one that runs, and kernels start from this Python."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TINYTORCH_", "PYTEST_"))}
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
    return {**kept, "PYTHONPATH": str(root), "PATH": path, "PYDEVD_DISABLE_FILE_VALIDATION": "1", **extra}


def nbval(notebook: Path, root: Path, seconds: int = 240, **extra: str) -> dict[str, str]:
    """Run a notebook under nbval on the course at `root`; gives for each cell, by its place, "passed" or what else.

    The configuration is empty, so that nothing of this checkout's own pytest settings can help.
    """
    ini = root / "nbval.ini"
    ini.write_text("[pytest]\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "--nbval", str(notebook), "-c", str(ini), "--noconftest"]
    command += ["-p", "no:xdist", "-p", "no:cacheprovider", "--rootdir", str(root), "-rA", "--tb=short"]
    done = subprocess.run(
        command, cwd=root, env=environment(root, **extra), capture_output=True, text=True, timeout=seconds
    )
    told = re.findall(r"(?m)^(PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS) \S+::(Cell \d+)", done.stdout)
    found = {cell: outcome.lower() for outcome, cell in told}
    assert found, f"nbval ran nothing:\n{done.stdout[-3000:]}\n{done.stderr[-2000:]}"
    (root / "nbval.log").write_text(done.stdout, encoding="utf-8")
    return found
