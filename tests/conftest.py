"""Fixtures for all tests, and the rule that a test leaves no global state behind."""

import sys
from collections.abc import Iterator

import pytest

from tests.machine import find_bwrap, find_chromium, has_gpu, missing


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu") and not has_gpu():
        pytest.skip("no NVIDIA GPU on this machine")


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The system's Chromium, for Playwright's `launch(executable_path=...)`."""
    return find_chromium() or missing("Chromium", "apt-get install chromium")


@pytest.fixture(scope="session")
def bwrap_path() -> str:
    """A bubblewrap that can really make a sandbox."""
    return find_bwrap() or missing(
        "a working bubblewrap", "apt-get install bubblewrap, and allow user namespaces"
    )


def _global_state() -> dict[str, object]:
    """The framework's switches, read only where it is loaded: most tests of the course never load it."""
    state: dict[str, object] = {}
    if grad_mode := sys.modules.get("tinytorch.autograd.grad_mode"):
        state["grad mode"] = grad_mode.is_grad_enabled()
        state["inference mode"] = grad_mode.is_inference_mode_enabled()
    if dtypes := sys.modules.get("tinytorch.dtypes"):
        state["default dtype"] = dtypes.get_default_dtype()
    return state


@pytest.fixture(autouse=True)
def no_state_left_behind() -> Iterator[None]:
    before = _global_state()
    yield
    after = _global_state()
    changed = {name: (before[name], after[name]) for name in before if before[name] != after[name]}
    assert not changed, f"this test left global state changed (before, after): {changed}"
