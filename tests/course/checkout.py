"""A copy of the whole checkout, untouched, in which a test plays the learner through files and commands alone."""

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

from tests.machine import ROOT
from tinytorch.course import splice, stubs

FOLDERS = ("tinytorch", "exercises", "solutions", "notebooks")
RIGHT = """
new = grad.ndim - len(shape)
axes = tuple(range(new)) + tuple(i + new for i, n in enumerate(shape) if n == 1)
return grad.sum(axis=axes, keepdims=True).reshape(shape) if axes else grad
"""
UNBROADCAST = "autograd.unbroadcast"
ENGINE = "tinytorch/autograd/engine.py"


class Checkout:
    """The copy at `root`. All exercises are untouched, whatever is written in the checkout that the tests run in."""

    def __init__(self, root: Path):
        self.root = root
        for folder in FOLDERS:
            shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
        for path in {stub.path for stub in stubs.load().values()}:
            of_file = {id: stub.source for id, stub in stubs.load().items() if stub.path == path}
            text = (ROOT / path).read_text(encoding="utf-8")
            if any(region.state != "untouched" for region in splice.regions(text)):
                (root / path).write_text(splice.replace(text, of_file), encoding="utf-8")

    def read(self, path: str = ENGINE) -> str:
        return (self.root / path).read_text(encoding="utf-8")

    def write(self, text: str, path: str = ENGINE) -> None:
        (self.root / path).write_text(text, encoding="utf-8")

    def fill(self, id: str, body: str) -> str:
        """Type a body in the place of the last line of an exercise, as a learner does. Returns the file's path."""
        path = stubs.load()[id].path
        text = self.read(path)
        region = next(region for region in splice.regions(text) if region.id == id)
        indent = region.indent + "    "
        lines = text.splitlines(keepends=True)
        stub = max(i for i in range(region.first, region.last) if "raise NotImplementedError" in lines[i])
        lines[stub : region.last] = [textwrap.indent(textwrap.dedent(body).strip("\n") + "\n", indent)]
        self.write("".join(lines), path)
        return path

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TINYTORCH", "PYTHON"))}
        for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "UV"):
            kept.pop(name, None)
        return kept | more

    def run(self, *args: str, stdin: str | None = None, **env: str) -> subprocess.CompletedProcess[bytes]:
        """`python -m tinytorch ...` in the copy; bytes, since the encoding is the matter of some tests."""
        return self.python("-m", "tinytorch", *args, stdin=stdin, **env)

    def python(self, *args: str, stdin: str | None = None, **env: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, *args],
            cwd=self.root,
            env=self.environment(**env),
            input=(stdin or "").encode(),
            capture_output=True,
            timeout=120,
        )
