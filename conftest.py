"""How many processes `pytest` uses, for the tests and for a sheet that is run by itself."""

import os

import pytest


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One worker a core that we may use, at most eight: a worker holds a framework and an oracle.

    A sheet (`--nbval`) has a kernel of its own: to start workers for it would take longer than to run it.
    """
    if config.getoption("nbval", False):
        return 0
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows do not tell
        cores = os.cpu_count() or 1
    return min(cores, 8)
