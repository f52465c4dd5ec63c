"""`import tinytorch` costs about what `import numpy` costs, and loads nothing heavy."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from statistics import median

import pytest

LIMIT = 1.6
ROUNDS = 9
LATE = ["numba", "matplotlib", "IPython", "ipywidgets", "sklearn", "scipy", "torch", "click", "rich"]

# Other workers load the machine meanwhile, so the two imports alternate and each takes its median.
TIMED = "import time; begin = time.perf_counter(); import {module}; print(time.perf_counter() - begin)"


@pytest.fixture(scope="module")
def fresh_python(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Runs code in a new process and gives what it printed.

    The byte code of both packages lies in one new folder. Else, where none may be written beside the source,
    only NumPy would have it, from its installation.
    """
    environment = dict(os.environ, PYTHONPYCACHEPREFIX=str(tmp_path_factory.mktemp("byte code")))
    environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def run(code: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=environment
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_import_costs_about_what_numpy_costs(fresh_python: Callable[[str], str]):
    # Once unmeasured, to write the byte code; `.tensor` proves that it has loaded whole.
    fresh_python("import numpy, tinytorch; tinytorch.tensor")
    ours, numpys = [], []
    for _ in range(ROUNDS):
        numpys.append(float(fresh_python(TIMED.format(module="numpy"))))
        ours.append(float(fresh_python(TIMED.format(module="tinytorch"))))
    ratio = median(ours) / median(numpys)
    sentence = (
        f"import tinytorch {median(ours):.3f} s, import numpy {median(numpys):.3f} s, ratio {ratio:.2f}"
    )
    print(sentence)
    assert ratio <= LIMIT, (
        f"{sentence}, allowed {LIMIT}. `python -X importtime -c 'import tinytorch'` tells why."
    )


@pytest.fixture(scope="module")
def loaded(fresh_python: Callable[[str], str]) -> set[str]:
    return set(
        json.loads(fresh_python("import tinytorch, sys, json; print(json.dumps(sorted(sys.modules)))"))
    )


@pytest.mark.parametrize("name", LATE)
def test_loads_late(loaded: set[str], name: str):
    assert name not in loaded, f"import tinytorch loads {name}: import it where it is first used"
