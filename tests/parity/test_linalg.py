"""Norms, inverses and decompositions against PyTorch."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinytorch
from tests.oracle import torch
from tests.parity.harness import Case, Error, bf16, f16, f32, f64, i64, ids, run_case, run_error, same


def definite(rng: np.random.Generator, shape: tuple) -> np.ndarray:
    """Symmetric and positive-definite."""
    a = rng.standard_normal(shape)
    return a @ np.swapaxes(a, -1, -2) + np.eye(shape[-1])


def regular(rng: np.random.Generator, shape: tuple) -> np.ndarray:
    return rng.standard_normal(shape) + 2 * np.eye(shape[-1])


KINKED = (1, -1, math.inf, -math.inf)  # their second gradient is zero, which torch holds in tensors without memory
NORMS = (2, 1, 0, 3, 0.5, 1.5, -1, math.inf, -math.inf)


CASES = [
    # ---- norms
    *[
        Case(
            "linalg.vector_norm",
            lambda T, x, p=p: (
                T.linalg.vector_norm(x, p),
                T.linalg.vector_norm(x, p, dim=0, keepdim=True),
                x.norm(p, dim=(0, 1)),
            ),
            f64(3, 4),
            second=p not in KINKED,
        )
        for p in NORMS
    ],
    *[
        Case("norm", lambda T, x, p=p: T.norm(x, p, 0), f64(2, 2, make=same([[0.0, 1.0], [0.0, -2.0]])), second=False)
        for p in (2, 1, 3, math.inf, -math.inf, 1.5)
    ],
    Case("norm", lambda T, x: (x.norm(), T.norm(x, dim=1), x.norm(p="fro", dim=(0, 1)), T.norm(x, "nuc")), f64(3, 4)),
    Case("norm", lambda T, x: x.norm(dtype=T.float64), f32(3, 4, layout="transposed")),
    *[Case("norm", lambda T, x: (x.norm(), x.norm(dim=0)), d(3, 4)) for d in (f16, bf16)],
    Case(
        "linalg.norm",
        lambda T, x: (T.linalg.norm(x), T.linalg.norm(x, "fro"), T.linalg.norm(x, 1, dim=0), T.linalg.norm(x, ord=1)),
        f64(3, 4),
    ),
    Case("linalg.norm", lambda T, x: (T.linalg.norm(x), T.linalg.norm(x, 3), T.linalg.norm(x, math.inf)), f64(5)),
    *[
        Case(
            "linalg.matrix_norm",
            lambda T, x, p=p: (T.linalg.matrix_norm(x, p), T.linalg.matrix_norm(x, p, dim=(0, 2), keepdim=True)),
            f64(2, 4, 3),
            second=p not in KINKED,
        )
        for p in ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf)
    ],
    Case("linalg.vector_norm", lambda T, x: T.linalg.vector_norm(x), f32(0, make=same([]))),
    # ---- decompositions
    *[
        Case("inverse", lambda T, a: (T.inverse(a), a.inverse()), f64(*s, make=regular))
        for s in ((3, 3), (2, 3, 3))
    ],
    *[
        Case("linalg.inv", lambda T, a: (T.linalg.inv(a), T.inverse(a), a.inverse()), f64(*s, make=regular))
        for s in [(3, 3), (2, 3, 3), (0, 0)]
    ],
    *[
        Case("linalg.solve", lambda T, a, b: T.linalg.solve(a, b), f64(*s, make=regular), f64(*t))
        for s, t in [
            ((3, 3), (3,)),
            ((3, 3), (3, 2)),
            ((2, 3, 3), (2, 3)),
            ((2, 3, 3), (2, 3, 4)),
            ((2, 3, 3), (3, 4)),
            ((3, 3), (2, 3, 4)),
        ]
    ],
    Case("linalg.solve", lambda T, a, b: T.linalg.solve(a, b, left=False), f64(3, 3, make=regular), f64(2, 3)),
    *[
        Case("det", lambda T, a: (T.det(a), a.det(), T.slogdet(a), a.slogdet()), f64(*s, make=regular))
        for s in [(3, 3), (2, 3, 3), (0, 0)]
    ],
    *[
        Case("linalg.det", lambda T, a: (T.linalg.det(a), T.det(a), a.det()), f64(*s, make=regular))
        for s in [(3, 3), (2, 3, 3), (1, 1)]
    ],
    *[
        Case("slogdet", lambda T, a: (T.slogdet(a), a.slogdet()), f64(*s, make=regular))
        for s in [(3, 3), (2, 3, 3)]
    ],
    *[
        Case("linalg.slogdet", lambda T, a: (T.linalg.slogdet(a), T.slogdet(a)), f64(*s, make=regular))
        for s in [(3, 3), (2, 3, 3)]
    ],
    Case("logdet", lambda T, a: (T.logdet(a), a.logdet()), f64(3, 3, make=definite)),
    *[Case("linalg.cholesky", lambda T, a: T.linalg.cholesky(a), f64(*s, make=definite)) for s in [(3, 3), (2, 3, 3)]],
    Case("linalg.cholesky", lambda T, a: T.linalg.cholesky(a, upper=True), f64(3, 3, make=definite)),
    Case("linalg.multi_dot", lambda T, a, b, c: T.linalg.multi_dot([a, b, c]), f64(2, 3), f64(3, 4), f64(4, 5)),
    Case("linalg.multi_dot", lambda T, a, b, c: T.linalg.multi_dot([a, b, c]), f64(3), f64(3, 4), f64(4)),
    *[Case("linalg.qr", lambda T, a: T.linalg.qr(a), f64(*s)) for s in [(4, 3), (3, 3), (2, 4, 3)]],
    Case("linalg.qr", lambda T, a: T.linalg.qr(a, "complete"), f64(4, 3, grad=False)),
    Case(
        "linalg.eigh",
        lambda T, a: (T.linalg.eigh(a)[0], T.linalg.eigvalsh(a), T.linalg.eigh(a)[1].abs()),
        f64(3, 3, make=definite),
    ),
    Case("linalg.svdvals", lambda T, a: (T.linalg.svdvals(a), T.linalg.svd(a, full_matrices=False)[1]), f64(2, 4, 3)),
    *[
        Case("linalg.svd", lambda T, a: [m.abs() for m in T.linalg.svd(a, full_matrices=False)], f64(*s))
        for s in [(3, 3), (4, 3), (2, 3, 4)]
    ],
    Case("linalg.svd", lambda T, a: [m.abs() for m in T.linalg.svd(a)], f64(4, 4)),
    *[
        Case(f"linalg.{n}", lambda T, a, n=n: getattr(T.linalg, n)(a), f32(3, 3, make=definite, grad=False))
        for n in ("inv", "det", "cholesky", "eigvalsh", "svdvals")
    ],
]

SQUARE = ("inv", "det", "slogdet", "cholesky", "eigh")
ERRORS = [
    *[
        Error(
            f"linalg.{n}",
            lambda T, a, n=n: getattr(T.linalg, n)(a),
            f32(2, 3),
            words=f"linalg.{n}: A must be batches of square matrices, but they are 2 by 3 matrices",
        )
        for n in SQUARE
    ],
    *[
        Error(
            f"linalg.{n}",
            lambda T, a, n=n: getattr(T.linalg, n)(a),
            f32(2),
            words="The input tensor A must have at least 2 dimensions.",
        )
        for n in SQUARE
    ],
    Error(
        "linalg.inv",
        lambda T, a: T.linalg.inv(a),
        i64(2, 2),
        words="Expected a floating point or complex tensor as input. Got Long",
    ),
    *[
        Error(
            "linalg.solve",
            lambda T, a, b: T.linalg.solve(a, b),
            f32(2, 2),
            f32(*s),
            words="for the equation AX = B (2x2 and 3x",
        )
        for s in [(3,), (3, 2)]
    ],
    Error(
        "linalg.solve",
        lambda T, a, b: T.linalg.solve(a, b, left=False),
        f32(2, 2),
        f32(2, 3),
        words="for the equation XA = B (2x2 and 2x3)",
    ),
    Error(
        "linalg.multi_dot", lambda T, a: T.linalg.multi_dot([a]), f32(2), words="expected at least 2 tensors but got 1"
    ),
    Error(
        "linalg.multi_dot",
        lambda T, a, b: T.linalg.multi_dot([a, b]),
        f32(2, 3),
        f32(4, 5),
        words="tensors 0 and 1 with shapes [2, 3] and [4, 5] cannot be multiplied",
    ),
    Error(
        "linalg.norm", lambda T, a: T.linalg.norm(a, "fro"), f32(2, 3, 4), words="the input must be 1D or 2D. Got 3D."
    ),
    Error(
        "linalg.norm",
        lambda T, a: T.linalg.norm(a, "foo"),
        f32(2, 3),
        words="linalg.matrix_norm: Order foo not supported.",
    ),
    Error(
        "linalg.norm",
        lambda T, a: T.linalg.norm(a, "fro"),
        f32(3),
        words="The input tensor A must have at least 2 dimensions.",
    ),
    Error(
        "linalg.matrix_norm",
        lambda T, a: T.linalg.matrix_norm(a, 3),
        f32(3, 3),
        words="linalg.matrix_norm: Order 3 not supported.",
    ),
    Error(
        "norm", lambda T, a: a.norm(), i64(3), words="Expected a floating point or complex tensor as input. Got Long"
    ),
    Error(
        "linalg.vector_norm",
        lambda T, a: T.linalg.vector_norm(a, math.inf),
        f32(0, make=same([])),
        words="cannot compute the inf norm on an empty tensor",
    ),
]
COVERS = ("linalg.LinAlgError",)


@pytest.mark.parametrize("case", CASES, ids=ids(CASES))
def test_equals_torch(case: Case) -> None:
    run_case(case)


@pytest.mark.parametrize("case", ERRORS, ids=ids(ERRORS))
def test_refused_like_torch(case: Error) -> None:
    run_error(case)


@pytest.mark.parametrize(
    "expression",
    [
        "T.linalg.inv(T.zeros(2, 2))",
        "T.linalg.inv(T.stack([T.eye(2), T.ones(2, 2)]))",
        "T.linalg.solve(T.zeros(2, 2), T.ones(2))",
        "T.linalg.cholesky(-T.eye(2))",
        "T.linalg.cholesky(T.stack([T.eye(3), T.tensor([[1., 0, 0], [0, 1, 2], [0, 2, 1]])]))",
    ],
)
def test_singular_and_indefinite_matrices(expression: str) -> None:
    messages = []
    for T in (tinytorch, torch):
        with pytest.raises(T.linalg.LinAlgError) as caught:
            eval(expression, {"T": T})
        assert isinstance(caught.value, RuntimeError)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


def test_determinant_of_a_singular_matrix_has_a_gradient() -> None:
    """The matrix of cofactors, which needs no inverse. (torch gives zeros here.)"""
    a = tinytorch.tensor([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]], dtype=tinytorch.float64, requires_grad=True)
    tinytorch.linalg.det(a).backward()
    np.testing.assert_allclose(a.grad.tolist(), [[-3, 6, -3], [6, -12, 6], [-3, 6, -3]], atol=1e-9)
    assert tinytorch.autograd.gradcheck(tinytorch.linalg.det, (a,))


@pytest.mark.parametrize("shape", [(3, 3), (4, 3), (3, 4), (2, 4, 3)])
def test_singular_value_decomposition_multiplies_back(shape: tuple) -> None:
    a = tinytorch.tensor(np.random.default_rng(0).standard_normal(shape))
    u, s, vh = tinytorch.linalg.svd(a, full_matrices=False)
    np.testing.assert_allclose((u * s.unsqueeze(-2) @ vh).numpy(), a.numpy(), atol=1e-12)
    assert tuple(tinytorch.linalg.svd(a).U.shape) == (*shape[:-1], shape[-2])


NAMES = [
    "x.norm()",
    "T.linalg.inv(a)",
    "T.linalg.solve(a, v.unsqueeze(1))",
    "T.linalg.det(a)",
    "T.linalg.slogdet(a)[1]",
    "T.linalg.cholesky(a)",
    "T.linalg.qr(a)[0]",
    "T.linalg.svdvals(a)",
    "T.linalg.eigvalsh(a)",
]


@pytest.mark.parametrize("expression", NAMES)
def test_nodes_are_named_as_in_torch(expression: str) -> None:
    named = []
    for T in (tinytorch, torch):
        made = {"x": T.ones(3, 4), "a": T.eye(4), "v": T.ones(4), "b": T.ones(2, 3, 4)}
        names = {"T": T, **{name: t.requires_grad_() for name, t in made.items()}}
        named.append(eval(expression, names).grad_fn.name())
    assert named[0] == named[1]


L = tinytorch.linalg
CHECKED = {
    "solve": lambda a, b: L.solve(a, b),
    "norms": lambda a, b: (L.vector_norm(a, 3) * b.norm(dim=0)).sum(),
    "det": lambda a, b: L.det(a) * L.slogdet(b)[1],
    "cholesky": lambda a, b: L.cholesky(a @ a.mT + b @ b.mT),
    "qr": lambda a, b: L.qr(a + b),
    "svd": lambda a, b: L.svd(a @ b, full_matrices=False)[0].abs(),
    "eigh": lambda a, b: L.eigvalsh(a @ a.mT),
}


@pytest.mark.parametrize("name", CHECKED)
def test_gradients_at_every_index(name: str) -> None:
    rng = np.random.default_rng(5)
    a, b = [tinytorch.tensor(regular(rng, (3, 3)), requires_grad=True) for _ in range(2)]
    inputs = (a, b)
    function = CHECKED[name]
    if name == "eigh":
        inputs = (a,)
        function = lambda t: CHECKED["eigh"](t, None)  # noqa: E731
    assert tinytorch.autograd.gradcheck(function, inputs)
    assert tinytorch.autograd.gradgradcheck(function, inputs)
