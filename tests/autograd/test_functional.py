"""Jacobians, Hessians and their products with vectors, compared with PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tinytorch
from tests.oracle import torch
from tests.parity.harness import compare, flatten

COVERS = tuple(f"autograd.functional.{name}" for name in ("hessian", "jacobian", "jvp", "vjp"))


def both(act: Callable[[Any], Any]) -> None:
    mine, real = flatten(act(tinytorch)), flatten(act(torch))
    assert len(mine) == len(real)
    for a, b in zip(mine, real, strict=True):
        compare(a, b, "functional")


def points(T: Any) -> tuple[Any, Any]:
    return T.tensor([0.5, -1.0, 2.0]), T.tensor([1.5, 0.5, -0.25])


FUNCTIONS: list[Callable[[Any], Any]] = [
    lambda T: T.autograd.functional.jacobian(lambda x: x.exp() * x.sum(), points(T)[0]),
    lambda T: T.autograd.functional.jacobian(lambda x, y: (x * y, y * 2), points(T)),
    lambda T: T.autograd.functional.hessian(lambda x: (x**3).sum() * x[0], points(T)[0]),
    lambda T: T.autograd.functional.hessian(lambda x, y: (x * x * y).sum(), points(T)),
    lambda T: T.autograd.functional.vjp(lambda x: x.tanh() * x, *points(T)),
    lambda T: T.autograd.functional.jvp(lambda x: x.tanh() * x, *points(T)),
    lambda T: T.autograd.functional.jvp(lambda x: x.sum().exp(), *points(T)),
]


@pytest.mark.parametrize("act", FUNCTIONS)
def test_equals_torch(act: Callable[[Any], Any]) -> None:
    both(act)
