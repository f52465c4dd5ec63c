"""The answer that the README shows is the one that the command gives.

    uv run python -m tests.course.test_readme --write      # after a change of wording
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from tests.course.checkout import UNBROADCAST, Checkout
from tests.machine import ROOT

README = ROOT / "README.md"
BEGIN, END = "   <!-- feedback: begin -->\n", "   <!-- feedback: end -->"


def answer(root: Path) -> str:
    """What `tinytorch check autograd.unbroadcast` says when the body gives the gradient back as it came."""
    learner = Checkout(root)
    learner.fill(UNBROADCAST, "return grad")
    said = learner.run("check", UNBROADCAST, COLUMNS="114").stdout.decode()
    said = re.sub(r"\(\d+\.\d\d s\)", "(0.00 s)", said).strip()
    indented = "\n".join(f"   {line}".rstrip() for line in said.splitlines())
    return f"   ```\n{indented}\n   ```\n"


def test_the_answer_in_the_readme(tmp_path: Path) -> None:
    assert BEGIN + answer(tmp_path) + END in README.read_text("utf-8")


if __name__ == "__main__" and "--write" in sys.argv:
    with tempfile.TemporaryDirectory() as folder:
        said = answer(Path(folder))
    head, rest = README.read_text("utf-8").split(BEGIN)
    README.write_text(head + BEGIN + said + END + rest.split(END)[1], "utf-8")
