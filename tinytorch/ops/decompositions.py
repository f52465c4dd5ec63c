"""Inverses, determinants, solutions of linear systems, and the factors of matrices. Stacks of matrices everywhere."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import kernels, return_types
from tinytorch.autograd.op import Op
from tinytorch.ops.matrices import floating, square
from tinytorch.ops.out import with_out
from tinytorch.ops.promotion import need_tensors
from tinytorch.tensor import Tensor


class LinAlgError(RuntimeError):
    """A matrix is singular, or not positive-definite: `torch.linalg.LinAlgError`."""


LinAlgError.__name__ = LinAlgError.__qualname__ = "_LinAlgError"


def _t(x: Any) -> Any:
    """The matrices transposed."""
    return kernels.of(x).transpose(x, -1, -2)


class LinalgInvEx(Op):
    """Y = A⁻¹,  dA = -Yᵀ dY Yᵀ"""

    def forward(ctx, a):
        return ctx.save(kernels.of(a).inv(a))

    def backward(ctx, dy):
        (y,) = ctx.saved
        return -(_t(y) @ dy @ _t(y))


class LinalgSolveEx(Op):
    """X = A⁻¹ B,  dB = A⁻ᵀ dX,  dA = -dB Xᵀ"""

    def forward(ctx, a, b):
        ctx._fit = ((a.shape, a.dtype), (b.shape, b.dtype))
        x = kernels.of(a).solve(a, b)
        return ctx.save(a, x)[1]

    def backward(ctx, dx):
        a, x = ctx.saved
        db = kernels.of(dx).solve(_t(a), dx)
        return -(db @ _t(x)), db


class LinalgDet(Op):
    """y = det A,  dA = dy · the cofactors of A: det A · A⁻ᵀ, where A has an inverse"""

    def forward(ctx, a):
        return ctx.save(a, np.asarray(kernels.of(a).det(a)))[1]

    def backward(ctx, dy):
        a, y = ctx.saved
        if isinstance(dy, Tensor):
            return (dy * y).reshape((*y.shape, 1, 1)) * _t(kernels.of(dy).inv(a))
        return dy.reshape((*y.shape, 1, 1)) * kernels.of(dy).cofactors(a)


class LinalgSlogdet(Op):
    """(s, y) = (sign of det A, log |det A|),  dA = dy · A⁻ᵀ"""

    def forward(ctx, a):
        ctx.save(a)
        return tuple([np.asarray(part) for part in kernels.of(a).slogdet(a)])

    def backward(ctx, _, dy):
        (a,) = ctx.saved
        return None if dy is None else dy.reshape((*dy.shape, 1, 1)) * _t(kernels.of(dy).inv(a))


class LinalgCholeskyEx(Op):
    """A = L Lᵀ,  dA = the symmetric part of L⁻ᵀ Φ(Lᵀ dL) L⁻¹, where Φ takes the lower triangle and half the diagonal"""

    def forward(ctx, a):
        return ctx.save(kernels.of(a).cholesky(a))

    def backward(ctx, dl):
        (low,) = ctx.saved
        k = kernels.of(dl)
        p = _t(low) @ dl
        p = (k.tril(p, 0) + k.tril(p, -1)) * 0.5
        back = k.inv(low)
        s = _t(back) @ p @ back
        return (s + _t(s)) * 0.5


class LinalgQr(Op):
    """A = Q R,  dA = (dQ + Q M) R⁻ᵀ, where M is R dRᵀ - dQᵀ Q with its lower triangle mirrored upwards"""

    def forward(ctx, a, mode):
        q, r = kernels.of(a).qr(a, mode)
        ctx.refused = None
        if mode == "complete" and a.shape[-2] > a.shape[-1]:
            ctx.refused = "The QR decomposition is not differentiable when mode='complete' and nrows > ncols"
        elif a.shape[-2] < a.shape[-1]:
            ctx.refused = (
                "linalg.qr: the derivative for matrices with more columns than rows is not implemented here"
            )
        return ctx.save(q, r)

    def backward(ctx, dq, dr):
        if ctx.refused:
            raise RuntimeError(ctx.refused)
        q, r = ctx.saved
        k = kernels.of(q if dq is None else dq)
        m = 0
        if dr is not None:
            m = r @ _t(dr)
        if dq is not None:
            m = m - _t(dq) @ q
        m = k.tril(m, 0) + _t(k.tril(m, -1))
        d = q @ m if dq is None else dq + q @ m
        return d @ _t(k.inv(r))


class LinalgEigh(Op):
    """A = V diag(w) Vᵀ,  dA = the symmetric part of V (diag(dw) + (Vᵀ dV) / (w_j - w_i)) Vᵀ"""

    def forward(ctx, a):
        return ctx.save(*kernels.of(a).eigh(a))

    def backward(ctx, dw, dv):
        w, v = ctx.saved
        eye = _eye_like(w, v)
        inside = 0
        if dv is not None:
            gaps = _row(w) - _column(w)
            inside = (_t(v) @ dv) * (1 - eye) / (gaps + eye)
            inside = (inside + _t(inside)) * 0.5
        if dw is not None:
            inside = inside + _row(dw) * eye
        return v @ inside @ _t(v)


class LinalgSvd(Op):
    """A = U S Vᵀ,  dA = U (skew(Uᵀ dU) / E · S + S · skew(Vᵀ dV) / E + dS) Vᵀ, and what leaves the spans of U and V;
    E_ij = s_j² - s_i², skew(X) = X - Xᵀ"""

    def forward(ctx, a, full_matrices):
        ctx.full = full_matrices and a.shape[-1] != a.shape[-2]
        return ctx.save(*kernels.of(a).svd(a, full_matrices))

    def backward(ctx, du, ds, dvh):
        u, s, vh = ctx.saved
        n = s.shape[-1]
        if ctx.full:
            if du is not None or dvh is not None:
                raise RuntimeError(
                    "linalg.svd: the gradient of the singular vectors needs full_matrices=False"
                )
            u, vh = u[..., :, :n], vh[..., :n, :]
        eye = _eye_like(s, u)
        gaps = _row(s) * _row(s) - _column(s) * _column(s) + eye
        inside = 0 if ds is None else _row(ds) * eye
        if du is not None:
            x = _t(u) @ du
            inside = inside + (x - _t(x)) / gaps * (1 - eye) * _row(s)
        if dvh is not None:
            x = vh @ _t(dvh)
            inside = inside + _column(s) * ((x - _t(x)) / gaps * (1 - eye))
        da = u @ inside @ vh
        if du is not None and u.shape[-2] > n:
            da = da + ((du - u @ (_t(u) @ du)) / _row(s)) @ vh
        if dvh is not None and vh.shape[-1] > n:
            da = da + (u / _row(s)) @ (dvh - (dvh @ _t(vh)) @ vh)
        return da


def _eye_like(w: Any, v: Any) -> Any:
    return kernels.of(v).constant(
        np.eye(w.shape[-1], dtype=v._array.dtype if isinstance(v, Tensor) else v.dtype)
    )


def _row(w: Any) -> Any:
    """(..., n) -> (..., 1, n)"""
    return w.reshape((*w.shape[:-1], 1, w.shape[-1]))


def _column(w: Any) -> Any:
    """(..., n) -> (..., n, 1)"""
    return w.reshape((*w.shape, 1))


def _checked(name: str, a: Tensor) -> None:
    square(name, a)
    floating(name, a)


def _batch_element(a: np.ndarray, fails: Any) -> tuple[str, np.ndarray]:
    """("(Batch element i): ", that matrix) for the first matrix of a stack that fails; no words for a single one."""
    if a.ndim == 2:
        return "", a
    flat = a.reshape(-1, *a.shape[-2:])
    i = next((i for i, m in enumerate(flat) if fails(m)), 0)
    return f"(Batch element {i}): ", flat[i]


def _is_singular(m: np.ndarray) -> bool:
    return _first_zero_pivot(m) > 0


def _first_zero_pivot(m: np.ndarray) -> int:
    """Which diagonal element of U is zero in P m = L U, counted from 1; 0 if none is."""
    u = m.astype(np.float64)
    for i in range(len(u)):
        best = i + int(np.argmax(np.abs(u[i:, i])))
        if u[best, i] == 0:
            return i + 1
        u[[i, best]] = u[[best, i]]
        u[i + 1 :] -= np.outer(u[i + 1 :, i] / u[i, i], u[i])
    return 0


@with_out
def inv(A: Tensor) -> Tensor:
    """The inverse of a square matrix; LinAlgError where it is singular."""
    _checked("linalg.inv", A)
    try:
        return LinalgInvEx.apply(A)
    except np.linalg.LinAlgError:
        which, m = _batch_element(A._array, _is_singular)
        raise LinAlgError(
            f"linalg.inv: {which}The diagonal element {_first_zero_pivot(m)} is zero, the inversion could "
            "not be completed "
            "because the input matrix is singular."
        ) from None


@with_out
def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """X of A X = B (of X A = B with `left=False`): B holds vectors (..., n) or matrices (..., n, k).

    >>> import tinytorch
    >>> solve(tinytorch.tensor([[2., 0.], [0., 4.]]), tinytorch.tensor([2., 4.]))
    tensor([1., 1.])
    """
    _checked("linalg.solve", A)
    need_tensors("linalg.solve", A=A, B=B)
    if A._array.dtype != B._array.dtype:
        raise RuntimeError(
            f"linalg.solve: Expected A and B to have the same dtype, but found A of type "
            f"{A.dtype.legacy.removesuffix('Tensor')} "
            f"and B of type {B.dtype.legacy.removesuffix('Tensor')} instead"
        )
    a, b = A._array, B._array
    vector = b.ndim == 1 or (a.ndim - 1 == b.ndim and b.shape == a.shape[:-1])
    columns = B.reshape((*b.shape, 1)) if vector else B
    if not left:
        if vector:
            raise RuntimeError("linalg.solve: vector right-hand sides need left=True")
        if a.shape[-1] != b.shape[-1]:
            _refuse_shapes("XA", a, b.shape)
        return solve.without_out(A.transpose(-1, -2), B.transpose(-1, -2)).transpose(-1, -2)
    if a.shape[-1] != columns._array.shape[-2]:
        _refuse_shapes("AX", a, columns._array.shape)
    try:
        x = LinalgSolveEx.apply(A, columns)
    except np.linalg.LinAlgError:
        which, _ = _batch_element(a, _is_singular)
        raise LinAlgError(
            f"torch.linalg.solve: {which}The solver failed because the input matrix is singular."
        ) from None
    return x.reshape(x.shape[:-1]) if vector else x


def _refuse_shapes(equation: str, a: np.ndarray, b: tuple) -> None:
    raise RuntimeError(
        f"linalg.solve: Incompatible shapes of A and B for the equation {equation} = B ("
        f"{a.shape[-2]}x{a.shape[-1]} and "
        f"{b[-2]}x{b[-1]})"
    )


@with_out
def det(A: Tensor) -> Tensor:
    """The determinant of a square matrix."""
    _checked("linalg.det", A)
    return LinalgDet.apply(A)


def slogdet(A: Tensor) -> Any:
    """(sign, logabsdet): the sign of the determinant, and the logarithm of its absolute value."""
    _checked("linalg.slogdet", A)
    return return_types.linalg_slogdet(LinalgSlogdet.apply(A))


def logdet(input: Tensor) -> Tensor:
    """The logarithm of the determinant: NaN where that is negative."""
    sign, log = slogdet(input)
    return log + (sign - 1).log() * 0 if (sign._array < 0).any() else log


@with_out
def cholesky(A: Tensor, *, upper: bool = False) -> Tensor:
    """The lower triangular L with A = L Lᵀ (`upper`: its transpose); only the lower triangle of A is read."""
    _checked("linalg.cholesky", A)
    try:
        low = LinalgCholeskyEx.apply(A)
    except np.linalg.LinAlgError:
        which, m = _batch_element(A._array, lambda m: _first_bad_minor(m) > 0)
        raise LinAlgError(
            f"linalg.cholesky: {which}The factorization could not be completed because the input is not "
            f"positive-definite (the leading minor of order {_first_bad_minor(m)} is not positive-definite)."
        ) from None
    return low.transpose(-1, -2) if upper else low


def _first_bad_minor(m: np.ndarray) -> int:
    """The order of the first leading minor that is not positive-definite; 0 if all are."""
    for n in range(1, len(m) + 1):
        try:
            np.linalg.cholesky(m[:n, :n])
        except np.linalg.LinAlgError:
            return n
    return 0


@with_out
def qr(A: Tensor, mode: str = "reduced") -> Any:
    """(Q, R): A = Q R with orthonormal columns in Q and an upper triangular R. Modes: reduced, complete."""
    floating("linalg.qr", A)
    if mode not in ("reduced", "complete"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"
        )
    return return_types.linalg_qr(LinalgQr.apply(A, mode=mode))


@with_out
def eigh(A: Tensor, UPLO: str = "L") -> Any:
    """(eigenvalues, eigenvectors) of a symmetric matrix, in ascending order; one triangle of it is read."""
    _checked("linalg.eigh", A)
    return return_types.linalg_eigh(LinalgEigh.apply(A if UPLO == "L" else A.transpose(-1, -2)))


@with_out
def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """The eigenvalues of a symmetric matrix, in ascending order."""
    return eigh.without_out(A, UPLO)[0]


@with_out
def svd(A: Tensor, full_matrices: bool = True) -> Any:
    """(U, S, Vh): A = U diag(S) Vh with the singular values S in descending order."""
    floating("linalg.svd", A)
    return return_types.linalg_svd(LinalgSvd.apply(A, full_matrices=full_matrices))


@with_out
def svdvals(A: Tensor) -> Tensor:
    """The singular values, in descending order."""
    return svd.without_out(A, False)[1]
