"""The long forms of tests that CI runs shortened: `uv run pytest -m slow`."""

from __future__ import annotations

import pytest

from tests.autograd.test_views import same_on_both
from tests.test_printing import test_random_tensors as printed_tensors

pytestmark = pytest.mark.slow


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("part", range(8))
def test_20_000_random_tensors_print_as_torchs(part: int) -> None:
    for seed in range(1_000 + 25 * part, 1_025 + 25 * part):  # 100 tensors a seed
        printed_tensors(seed)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("part", range(8))
def test_4_000_random_programs_of_views_and_writes(part: int) -> None:
    """On a base that takes part in autograd from the start.

    Where a base gets its first gradient by a write, PyTorch refuses a write to an older view or allows it depending on
    whether that view's `grad_fn` was looked at in between; in about one such program of 200 the two libraries differ.
    """
    for seed in range(1_000 + 500 * part, 1_500 + 500 * part):
        same_on_both(seed, always_tracked=True)
