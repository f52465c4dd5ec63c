"""beta · input + alpha · a product: the addmm family, which BLAS computes in one go."""

from __future__ import annotations

import warnings
from typing import Any

from tinytorch import kernels
from tinytorch.autograd.op import Op
from tinytorch.ops.linalg import check_batches, check_mv
from tinytorch.ops.out import with_out
from tinytorch.ops.promotion import kind_name
from tinytorch.ops.shape import expand
from tinytorch.tensor import Tensor


class ScaledAdd(Op):
    """y = beta · x + alpha · p(a, b),  dx = beta · dy,  and alpha · dy on to p. Subclasses give the product p."""

    def forward(ctx, x, a, b, beta, alpha):
        ctx.beta, ctx.alpha = beta, alpha
        k = kernels.of(a)
        y = k.scaled_add(x, beta, ctx.product(k, a, b), alpha)
        ctx._fit = ((x.shape, x.dtype), (a.shape, a.dtype), (b.shape, b.dtype))
        ctx.save(a, b)
        return y

    def backward(ctx, dy):
        needs_x, needs_a, needs_b = ctx.needs_input_grad
        dx = (dy if ctx.beta == 1 else dy * ctx.beta) if needs_x else None
        if not (needs_a or needs_b):
            return dx, None, None
        return dx, *ctx.through(kernels.of(dy), dy if ctx.alpha == 1 else dy * ctx.alpha, *ctx.saved)


class Addmm(ScaledAdd):
    """y = beta · x + alpha · A B,  dA = alpha · dy Bᵀ,  dB = alpha · Aᵀ dy"""

    def product(ctx, k, a, b):
        return k.mm(a, b)

    def through(ctx, k, dy, a, b):
        return k.mm(dy, b.T), k.mm(a.T, dy)


class Addmv(ScaledAdd):
    """y = beta · x + alpha · A v,  dA = alpha · dy vᵀ,  dv = alpha · Aᵀ dy"""

    def product(ctx, k, a, v):
        return k.matmul(a, v)

    def through(ctx, k, dy, a, v):
        return dy.reshape((dy.shape[0], 1)) * v, k.matmul(a.T, dy)


class Addr(ScaledAdd):
    """y = beta · x + alpha · u vᵀ,  du = alpha · dy v,  dv = alpha · dyᵀ u"""

    def product(ctx, k, u, v):
        return u.reshape((u.shape[0], 1)) * v

    def through(ctx, k, dy, u, v):
        return k.matmul(dy, v), k.matmul(dy.T, u)


class Baddbmm(ScaledAdd):
    """y = beta · x + alpha · A B for each pair of a batch"""

    def product(ctx, k, a, b):
        return k.matmul(a, b)

    def through(ctx, k, dy, a, b):
        return k.matmul(dy, k.transpose(b, -1, -2)), k.matmul(k.transpose(a, -1, -2), dy)


class Addbmm(ScaledAdd):
    """y = beta · x + alpha · Σ A B over the batch"""

    def product(ctx, k, a, b):
        return k.mm(*_side_by_side(k, a, b))

    def through(ctx, k, dy, a, b):
        return k.matmul(dy, k.transpose(b, -1, -2)), k.matmul(k.transpose(a, -1, -2), dy)


def _side_by_side(k: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """(B, N, K) and (B, K, M) as (N, B·K) and (B·K, M): their one product is the sum over the batch."""
    n, m = a.shape[1], b.shape[2]
    together = a.shape[0] * a.shape[2]
    return k.transpose(a, 0, 1).reshape((n, together)), b.reshape((together, m))


def _arguments(name: str, kinds: tuple[str, str], given: tuple, beta: Any, alpha: Any) -> tuple:
    """(input, a, b, beta, alpha), also from the old order: beta, input, alpha, a, b."""
    numbers = [v for v in given if not isinstance(v, Tensor)]
    tensors = [v for v in given if isinstance(v, Tensor)]
    if len(tensors) != 3 or len(numbers) > 2 or not all(isinstance(v, int | float) for v in numbers):
        got = ", ".join(type(v).__name__ for v in given)
        raise TypeError(
            f"{name}() received an invalid combination of arguments - got ({got}), but expected (Tensor input, Tensor "
            f"{kinds[0]}, Tensor {kinds[1]}, *, Number beta = 1, Number alpha = 1, Tensor out = None)"
        )
    if numbers:
        warnings.warn(
            f"This overload of {name} is deprecated:\n\t{name}(Number beta, Tensor input, Number alpha, "
            f"Tensor {kinds[0]}, "
            f"Tensor {kinds[1]}, *, Tensor out = None)\nConsider using one of the following signatures instead:\n\t"
            f"{name}(Tensor input, Tensor {kinds[0]}, Tensor {kinds[1]}, *, Number beta = 1, Number alpha = 1, "
            "Tensor out = None)",
            UserWarning,
            stacklevel=4,
        )
        beta, alpha = (*numbers, alpha)[:2]
    x, a, b = tensors
    return x, a, b, beta, alpha


def _run(op: type[Op], x: Tensor, a: Tensor, b: Tensor, beta: Any, alpha: Any, shape: tuple) -> Tensor:
    if x._array.shape != shape:
        expand(x.detach(), shape)  # refuses what does not broadcast
    return op.apply(x, a, b, beta=beta, alpha=alpha)


@with_out
def addmm(input: Tensor, mat1: Tensor, mat2: Any, *rest: Any, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta · input + alpha · mat1 @ mat2, with an input that broadcasts to (N, M). The old order of the arguments,
    `addmm(beta, input, alpha, mat1, mat2)`, works with a warning. With beta = 0 the input is not looked at.

    >>> import tinytorch
    >>> addmm(tinytorch.ones(2), tinytorch.ones(2, 3), tinytorch.ones(3, 2), beta=2)
    tensor([[5., 5.],
            [5., 5.]])
    """
    x, a, b, beta, alpha = _arguments("addmm", ("mat1", "mat2"), (input, mat1, mat2, *rest), beta, alpha)
    for name, m in (("mat1", a), ("mat2", b)):
        if m.ndim != 2:
            raise RuntimeError(f"{name} must be a matrix, got {m.ndim}-D tensor")
    (n, k), (k2, m) = a._array.shape, b._array.shape
    if k != k2:
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({n}x{k} and {k2}x{m})")
    for name, t in (("mat1", a), ("self", x)):
        if t._array.dtype != b._array.dtype:
            raise RuntimeError(
                f"{name} and mat2 must have the same dtype, but got {kind_name(t)} and {kind_name(b)}"
            )
    return _run(Addmm, x, a, b, beta, alpha, (n, m))


@with_out
def addmv(input: Tensor, mat: Tensor, vec: Any, *rest: Any, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta · input + alpha · mat @ vec: (N,), (N, K), (K,) -> (N,)"""
    x, a, v, beta, alpha = _arguments("addmv", ("mat", "vec"), (input, mat, vec, *rest), beta, alpha)
    check_mv(x._array.shape, a, v)
    return _run(Addmv, x, a, v, beta, alpha, a._array.shape[:1])


@with_out
def addr(input: Tensor, vec1: Tensor, vec2: Any, *rest: Any, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta · input + alpha · outer(vec1, vec2): (N, M), (N,), (M,) -> (N, M)"""
    x, u, v, beta, alpha = _arguments("addr", ("vec1", "vec2"), (input, vec1, vec2, *rest), beta, alpha)
    for name, t in (("vec1", u), ("vec2", v)):
        if t.ndim != 1:
            raise RuntimeError(f"addr: Expected 1-D argument {name}, but got {t.ndim}-D")
    return _run(Addr, x, u, v, beta, alpha, (u._array.shape[0], v._array.shape[0]))


@with_out
def baddbmm(input: Tensor, batch1: Tensor, batch2: Any, *rest: Any, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta · input + alpha · bmm(batch1, batch2): (B, N, M), (B, N, K), (B, K, M) -> (B, N, M)"""
    x, a, b, beta, alpha = _arguments(
        "baddbmm", ("batch1", "batch2"), (input, batch1, batch2, *rest), beta, alpha
    )
    check_batches(a, b)
    return _run(Baddbmm, x, a, b, beta, alpha, (*a._array.shape[:2], b._array.shape[2]))


@with_out
def addbmm(input: Tensor, batch1: Tensor, batch2: Any, *rest: Any, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """beta · input + alpha · the sum of bmm(batch1, batch2) over the batch: (N, M), (B, N, K), (B, K, M) -> (N, M)"""
    x, a, b, beta, alpha = _arguments(
        "addbmm", ("batch1", "batch2"), (input, batch1, batch2, *rest), beta, alpha
    )
    for name, t in (("batch1", a), ("batch2", b)):
        if t.ndim != 3:
            raise RuntimeError(f"{name} must be a 3D tensor")
    (n, rows, inner), (n2, inner2, columns) = a._array.shape, b._array.shape
    if n != n2:
        raise RuntimeError(f"batch1 and batch2 must have same number of batches, got {n} and {n2}")
    if inner != inner2:
        raise RuntimeError(f"Incompatible matrix sizes for bmm ({rows}x{inner} and {inner2}x{columns})")
    return _run(Addbmm, x, a, b, beta, alpha, (rows, columns))
