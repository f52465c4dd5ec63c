"""What a machine lacks a learner skips and CI fails for; a changed global switch is noticed."""

import os
import subprocess

import pytest

from tests import machine
from tests.conftest import _global_state


@pytest.mark.parametrize(
    ("ci", "outcome"),
    [
        ("true", pytest.fail.Exception),
        ("1", pytest.fail.Exception),
        ("false", pytest.skip.Exception),
        ("", pytest.skip.Exception),
    ],
)
def test_missing(monkeypatch: pytest.MonkeyPatch, ci: str, outcome: type[BaseException]):
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="A thing is missing on this machine. To mend it: get one"):
        machine.missing("A thing", "get one")


@pytest.mark.parametrize("find", [machine.find_chromium, machine.find_bwrap])
def test_nothing_is_found_on_an_empty_path(monkeypatch: pytest.MonkeyPatch, tmp_path, find):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("TINYTORCH_CHROMIUM", raising=False)
    assert find() is None


def test_chromium_is_there(chromium_path: str):
    assert os.access(chromium_path, os.X_OK)


def test_bubblewrap_hides_what_it_is_told_to(bwrap_path: str, tmp_path):
    (tmp_path / "secret").write_text("seen", encoding="utf-8")
    look = [bwrap_path, "--ro-bind", "/", "/", "--tmpfs", str(tmp_path), "ls", str(tmp_path)]
    done = subprocess.run(look, capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_changed_switch_is_noticed():
    from tinytorch import autograd, float64, get_default_dtype, set_default_dtype

    before, dtype = _global_state(), get_default_dtype()
    assert set(before) == {"grad mode", "inference mode", "default dtype"}
    try:
        set_default_dtype(float64)
        with autograd.grad_mode.no_grad():
            after = _global_state()
    finally:
        set_default_dtype(dtype)
    assert {name for name in before if before[name] != after[name]} == {"grad mode", "default dtype"}
