"""What a tensor prints equals what PyTorch prints, character for character."""

from __future__ import annotations

import math

import ml_dtypes
import numpy as np
import pytest

import tinytorch
from tests.oracle import torch
from tinytorch import printing
from tinytorch.device import device
from tinytorch.tensor import wrap

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


COVERS = ("Tensor.__repr__", "Tensor.__format__", "set_printoptions")


@pytest.fixture(autouse=True)
def default_options():
    yield
    set_options(profile="default")
    torch.set_default_dtype(torch.float32)
    tinytorch.set_default_dtype(tinytorch.float32)


def set_options(**options):
    torch.set_printoptions(**options)
    printing.set_printoptions(**options)


class NamedNode:
    """The one thing that printing asks of a node of the graph."""

    def __init__(self, name):
        self.name = lambda: name


def array_of(theirs):
    """The NumPy array of a PyTorch tensor: same memory, same strides."""
    theirs = theirs.detach()
    if theirs.dtype == torch.bfloat16:
        return theirs.view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    return theirs.numpy()


def ours_of(theirs):
    """A tinytorch tensor on the memory of a PyTorch tensor, with the same place in the graph."""
    ours = wrap(array_of(theirs))
    if theirs.requires_grad:
        ours.requires_grad_()
    if theirs.grad_fn is not None:
        ours._grad_fn = NamedNode(theirs.grad_fn.name())
    return ours


class Elsewhere:
    """A tensor, as printing sees it, on a device that need not be here."""

    requires_grad = False
    grad_fn = None

    def __init__(self, theirs, where):
        self._numbers = None if theirs.is_meta else wrap(array_of(theirs))
        self.shape = tuple(theirs.shape)
        self.dtype = getattr(tinytorch, str(theirs.dtype).removeprefix("torch."))
        self.device = device(where)

    def detach(self):
        return self

    def cpu(self):
        return self._numbers


Elsewhere.__name__ = "Tensor"

T = torch.tensor
inf, nan = math.inf, math.nan
CASES = {
    "scalar": lambda: T(1.5),
    "scalar whole": lambda: T(3.0),
    "scalar negative zero": lambda: T(-0.0),
    "scalar nan": lambda: T(nan),
    "scalar tiny": lambda: T(1e-5),
    "scalar int": lambda: T(-7),
    "scalar bool": lambda: T(True),
    "scalar double": lambda: T(0.1, dtype=torch.float64),
    "whole floats": lambda: T([1.0, -20.0, 300.0]),
    "whole with nan and inf": lambda: T([1.0, nan, inf, -inf]),
    "only nan": lambda: T([nan, nan]),
    "line of inf": lambda: torch.full((40,), -inf),
    "zeros": lambda: torch.zeros(2, 3),
    "negative zero among fractions": lambda: T([-0.0, 0.5]),
    "fractions with inf": lambda: T([0.25, -inf, 100.5]),
    "ratio exactly 1000": lambda: T([0.5, 500.0]),
    "ratio over 1000": lambda: T([0.5, 500.5]),
    "largest exactly 1e8": lambda: T([1e8]),
    "largest over 1e8": lambda: T([100000008.0]),
    "smallest under 1e-4": lambda: T([9.9e-5]),
    "smallest 1e-4, double": lambda: T([1e-4], dtype=torch.float64),
    "whole and far apart": lambda: T([1.0, 2000.0]),
    "three-digit exponents": lambda: T([1e-300, 1.0, -1e300, 0.0], dtype=torch.float64),
    "ratio overflows": lambda: T([5e-324, 1.7e308], dtype=torch.float64),
    "denormal": lambda: T([1e-45, 2.5]),
    "half": lambda: T([65504.0, 0.5], dtype=torch.float16),
    "bfloat16": lambda: T([[1.1, 2.2], [3.3, 4.4]], dtype=torch.bfloat16),
    "bytes": lambda: T([0, 255], dtype=torch.uint8),
    "int32": lambda: T([[1, -2], [300, 4]], dtype=torch.int32),
    "int64 limits": lambda: T([2**63 - 1, -(2**63)]),
    "bools": lambda: T([[True, False], [False, False]]),
    "wrapped line": lambda: torch.arange(50),
    "wrapped rows": lambda: torch.linspace(0, 1, 60).reshape(2, 30),
    "rank 3": lambda: torch.arange(12.0).reshape(2, 2, 3),
    "rank 4": lambda: torch.arange(24).reshape(2, 3, 2, 2),
    "rank 5": lambda: torch.arange(32).reshape(2, 2, 2, 2, 2),
    "1000 are shown": lambda: torch.arange(1000),
    "1001 are not": lambda: torch.arange(1001),
    "short rows of a long matrix": lambda: torch.arange(2004).reshape(334, 6),
    "long rows": lambda: torch.arange(3003.0).reshape(3, 1001),
    "only the shown decide": lambda: torch.cat([torch.ones(5), torch.full((1000,), 1e-9), torch.ones(5)]),
    "big rank 3": lambda: torch.arange(8000).reshape(20, 20, 20) / 7,
    "empty": lambda: torch.empty(0),
    "empty matrix": lambda: torch.empty(0, 3),
    "empty int64": lambda: torch.empty(0, dtype=torch.int64),
    "empty bool matrix": lambda: torch.empty(2, 0, dtype=torch.bool),
    "empty double": lambda: torch.empty(0, 3, dtype=torch.float64),
    "empty with gradient": lambda: torch.empty(0, 3, requires_grad=True),
    "leaf": lambda: torch.ones(2, requires_grad=True),
    "leaf of another dtype": lambda: torch.ones(2, dtype=torch.float64, requires_grad=True),
    "result": lambda: torch.ones(2, requires_grad=True) + 1,
    "result of rank 0": lambda: torch.ones(2, requires_grad=True).sum(),
    "result of another dtype": lambda: torch.ones(2, dtype=torch.float16, requires_grad=True) * 2,
    "not contiguous": lambda: torch.arange(12).reshape(3, 4).T[::2],
    "expanded": lambda: torch.ones(1, 3).expand(500, 3),
}


@pytest.mark.parametrize("name", CASES)
def test_equals_pytorch(name):
    theirs = CASES[name]()
    assert repr(ours_of(theirs)) == repr(theirs)


@pytest.mark.parametrize(
    "options",
    [
        {"precision": 2},
        {"precision": 0},
        {"precision": 10},
        {"threshold": 5},
        {"threshold": 5, "edgeitems": 1},
        {"threshold": 0, "edgeitems": 0},
        {"threshold": math.inf},
        {"linewidth": 40},
        {"linewidth": 1},
        {"linewidth": 200},
        {"sci_mode": True},
        {"sci_mode": False},
        {"profile": "short"},
        {"profile": "full"},
        {"profile": "full", "precision": 1},
        {"profile": "no such profile"},
    ],
    ids=str,
)
def test_every_case_under_other_options(options):
    for name, case in CASES.items():
        set_options(profile="default")
        set_options(**options)
        theirs = case()
        assert repr(ours_of(theirs)) == repr(theirs), name


def test_options_stay_but_sci_mode_does_not():
    theirs = torch.linspace(0, 1, 7)
    steps = ({"precision": 2, "sci_mode": True}, {"linewidth": 30}, {"profile": "full"}, {"edgeitems": 1})
    for options in steps:
        set_options(**options)
        assert repr(ours_of(theirs)) == repr(theirs), options


@pytest.mark.parametrize("default", ["float64", "float16", "bfloat16"])
def test_suffix_follows_the_default_dtype(default):
    torch.set_default_dtype(getattr(torch, default))
    tinytorch.set_default_dtype(getattr(tinytorch, default))
    for dtype in (*FLOATS, *INTEGERS, torch.bool):
        for shape in ((2,), (0,)):
            theirs = torch.ones(shape, dtype=dtype)
            assert repr(ours_of(theirs)) == repr(theirs)


def test_notes_wrap_at_every_line_width():
    for theirs in (
        torch.ones(12, dtype=torch.float64, requires_grad=True),
        torch.ones(2, 12, dtype=torch.float64, requires_grad=True) * 2,
        torch.empty(0, 3, dtype=torch.float16, requires_grad=True),
        torch.empty(0, 1000, 1000, 1000, dtype=torch.float16, requires_grad=True),
        torch.tensor(0.25, dtype=torch.float16, requires_grad=True),
    ):
        for linewidth in range(1, 130):
            set_options(linewidth=linewidth)
            assert repr(ours_of(theirs)) == repr(theirs), linewidth


# ---- random tensors ----------------------------------------------------------------------------------------


def random_values(rng, shape):
    """Floats of one of many kinds, float64."""
    size = shape
    kind = rng.integers(8)
    if kind == 0:
        values = rng.standard_normal(size)
    elif kind == 1:
        values = rng.integers(-5, 2000, size).astype(np.float64)
    elif kind == 2:
        values = rng.standard_normal(size) * 10.0 ** rng.integers(-45, 31)
    elif kind == 3:
        values = 10.0 ** rng.uniform(-45, 30, size) * rng.choice([-1, 1], size)
    elif kind == 4:
        values = 10.0 ** rng.uniform(-1.6, 1.6, size)  # a ratio of about 1000
    elif kind == 5:
        values = rng.integers(0, 3, size) * 0.5e8
    elif kind == 6:
        values = rng.choice([0.0, -0.0, 1e-4, 9.9e-5, 0.1, 1.0, 999.99995, 2.5, 0.00005], size)
    else:
        values = np.full(size, rng.uniform(-10, 10))
    values = np.array(values, dtype=np.float64)
    if rng.random() < 0.3:
        strange = rng.random(size) < 0.3
        values = np.where(strange, rng.choice([nan, inf, -inf, 0.0], size), values)
    return values


def random_shape(rng):
    if rng.random() < 0.12:  # about as many elements as are still shown in full
        row, rows = int(rng.integers(995, 1006)), int(rng.integers(99, 103))
        return [(row,), (10, rows), (7, 11, 13), (2, 5, 10, 10)][rng.integers(4)]
    if rng.random() < 0.08:
        return [(5000,), (4, 700), (300, 2, 5), (11, 2, 9, 8)][rng.integers(4)]
    return tuple(int(n) for n in rng.integers(0 if rng.random() < 0.15 else 1, 8, rng.integers(0, 5)))


def random_tensor(rng):
    shape = random_shape(rng)
    choice = rng.random()
    if choice < 0.7:
        dtype = FLOATS[rng.integers(4)]
        theirs = torch.from_numpy(random_values(rng, shape)).to(dtype)
    elif choice < 0.93:
        dtype = INTEGERS[rng.integers(5)]
        limits = torch.iinfo(dtype)
        spread = 10 ** int(rng.integers(1, 19))
        low, high = max(limits.min, -spread), min(limits.max, spread)
        theirs = torch.from_numpy(np.array(rng.integers(low, high, shape, endpoint=True))).to(dtype)
    else:
        theirs = torch.from_numpy(np.array(rng.random(shape) < 0.5))
    if theirs.dim() > 1 and rng.random() < 0.3:
        theirs = theirs.transpose(0, -1)
    if theirs.dim() and rng.random() < 0.1:
        theirs = theirs[..., ::2]
    if theirs.is_floating_point() and rng.random() < 0.4:
        theirs = theirs.requires_grad_()
        if rng.random() < 0.5:
            op = [torch.clone, torch.relu, torch.neg][rng.integers(3)]
            theirs = op(theirs)
    return theirs


def random_options(rng):
    if rng.random() < 0.6:
        return {"profile": "default"}
    choices = {
        "profile": ["default", "short", "full"],
        "precision": [None, 0, 1, 3, 6, 12],
        "threshold": [None, 0, 10, 100],
        "edgeitems": [None, 0, 1, 2, 5],
        "linewidth": [None, 20, 60, 79, 81, 120],
        "sci_mode": [None, None, True, False],
    }
    return {name: values[rng.integers(len(values))] for name, values in choices.items()}


@pytest.mark.parametrize("seed", range(20))
def test_random_tensors(seed):
    rng = np.random.default_rng(seed)
    for number in range(100):
        theirs, options = random_tensor(rng), random_options(rng)
        set_options(profile="default")
        set_options(**options)
        ours = ours_of(theirs)
        assert repr(ours) == repr(theirs), f"seed {seed}, tensor {number}: {options}"


# ---- kinds of tensor, devices, the graph -------------------------------------------------------------------


def test_graph_made_by_our_own_ops():
    for module_form in (
        lambda m, x: x + 1,
        lambda m, x: x * x,
        lambda m, x: x.sum(),
        lambda m, x: m.exp(x) / 3,
        lambda m, x: x.reshape(3, 2),
        lambda m, x: x[0],
        lambda m, x: x.detach(),
    ):
        values = [[0.5, 1.0, 2.0], [3.0, 4.0, 5.5]]
        ours, theirs = (
            module_form(m, m.tensor(values, dtype=m.float64, requires_grad=True)) for m in (tinytorch, torch)
        )
        assert repr(ours) == repr(theirs)


def test_parameter_and_subclass():
    for requires_grad in (True, False):
        ours, theirs = (
            m.nn.Parameter(m.ones(2, 30, dtype=m.float64), requires_grad=requires_grad)
            for m in (tinytorch, torch)
        )
        assert repr(ours) == repr(theirs)

    reprs = []
    for m in (tinytorch, torch):
        Measured = type("Measured", (m.Tensor,), {})
        reprs.append(repr(Measured([0.5] * 30)))
    assert reprs[0] == reprs[1]


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.float16])
@pytest.mark.parametrize("shape", [(2, 3), (0,), (0, 3), (2000,), ()])
def test_meta_device(shape, dtype):
    theirs = torch.empty(shape, dtype=dtype, device="meta")
    assert printing.tensor_repr(Elsewhere(theirs, "meta")) == repr(theirs)
    with pytest.raises(TypeError, match=r"unsupported format string passed to Tensor\.__format__"):
        printing.format_tensor(Elsewhere(theirs, "meta"), ".2f")


@pytest.mark.parametrize("where", ["cuda:0", "cuda:1"])
def test_device_is_the_first_note(where):
    theirs = torch.ones(3, dtype=torch.float16)
    head, note = repr(theirs).split(", dtype=")
    assert printing.tensor_repr(Elsewhere(theirs, where)) == f"{head}, device='{where}', dtype={note}"
    assert printing.format_tensor(Elsewhere(torch.tensor(0.5), where), ".2f") == "0.50"


def test_only_the_shown_elements_are_read():
    # A view on one number; a copy would not fit into any memory.
    huge = np.broadcast_to(np.float32(1.5), (10**6, 10**6, 10**3))
    assert printing.tensor_repr(wrap(huge)) == repr(torch.tensor(1.5).expand(huge.shape))


# ---- format ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", ["", ".2f", ">12", "e", "+.1f", "d", "04d", "x", "%", "s", "no such spec"])
@pytest.mark.parametrize(
    "theirs",
    [
        T(0.1),
        T(3.3, dtype=torch.bfloat16),
        T(0.1, dtype=torch.float64),
        T(nan),
        T(7),
        T(200, dtype=torch.uint8),
        T(True),
        T([1.5]),
        T([]),
        torch.ones(2, 2),
        torch.tensor(2.0, requires_grad=True),
        torch.tensor(2.0, requires_grad=True) * 2,
    ],
    ids=repr,
)
def test_format(theirs, spec):
    ours = ours_of(theirs)
    try:
        expected = format(theirs, spec)
    except (TypeError, ValueError) as error:
        with pytest.raises(type(error)) as caught:
            format(ours, spec)
        assert str(caught.value) == str(error)
    else:
        assert format(ours, spec) == expected


def test_a_parameter_of_rank_0_formats_as_its_repr():
    ours, theirs = (m.nn.Parameter(m.tensor(1.5)) for m in (tinytorch, torch))
    assert f"{ours}" == f"{theirs}"
    with pytest.raises(TypeError, match=r"unsupported format string passed to Parameter\.__format__"):
        format(ours, ".2f")
