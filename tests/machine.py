"""What a test may need of the machine it runs on, and what happens where that is missing."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() in ("1", "true")


def missing(what: str, remedy: str) -> NoReturn:
    """Skip on a learner's machine, fail in CI: there a test that is left out is a hole."""
    sentence = f"{what} is missing on this machine. To mend it: {remedy}"
    if in_ci():
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence, allow_module_level=True)


def find_chromium() -> str | None:
    """Path of a system Chromium or Chrome; `TINYTORCH_CHROMIUM` names another one."""
    wanted = os.environ.get("TINYTORCH_CHROMIUM")
    names = (wanted,) if wanted else CHROMIUM_NAMES
    return next(filter(None, map(shutil.which, names)), None)


def find_bwrap() -> str | None:
    """Path of a bubblewrap that is allowed to make a sandbox (some systems forbid user namespaces)."""
    path = shutil.which("bwrap")
    if path is None:
        return None
    trial = [path, "--ro-bind", "/", "/", "--unshare-net", "true"]
    return path if subprocess.run(trial, capture_output=True, timeout=20).returncode == 0 else None


def has_gpu() -> bool:
    return shutil.which("nvidia-smi") is not None
