"""Products of matrices: BLAS, through NumPy. Halves are multiplied in float32 and rounded once."""

from __future__ import annotations

import numpy as np

from tinytorch.kernels.cpu.reduce import wide


def mm(a, b):
    """(N, K) @ (K, M) -> (N, M)"""
    if a.dtype.kind == "V" or a.dtype == np.float16:
        return (a.astype(np.float32) @ b.astype(np.float32)).astype(a.dtype)
    return a @ b


def matmul(a, b):
    """(..., N, K) @ (..., K, M) -> (..., N, M), leading dimensions broadcast; vectors as NumPy has them."""
    if a.dtype.kind == "V" or a.dtype == np.float16:
        return (a.astype(np.float32) @ b.astype(np.float32)).astype(a.dtype)
    return a @ b


def linear(x, weight, bias):
    """(..., in) with weight (out, in) and bias (out,) or None -> (..., out)"""
    y = mm(x.reshape(-1, x.shape[-1]), weight.T)
    if bias is not None:
        y += bias
    return y.reshape(*x.shape[:-1], weight.shape[0])


def scaled_add(x, beta, product, alpha):
    """beta · x + alpha · product. With beta = 0 x is not looked at: its NaNs do not matter."""
    if alpha != 1:
        product = product * product.dtype.type(alpha)
    if beta == 1:
        product = np.add(x, product, out=product if product.flags.owndata else None)
    elif beta != 0:
        product = product + x * product.dtype.type(beta)
    return product


# ---- diagonals and triangles -------------------------------------------------------------------------------------


def tril(x, offset):
    return np.tril(x, offset)


def triu(x, offset):
    return np.triu(x, offset)


def trace(x):
    total = np.trace(wide(x), dtype=np.int64 if x.dtype.kind in "biu" else None)
    return np.asarray(total, np.int64 if x.dtype.kind in "biu" else x.dtype)


def cross(a, b, dim):
    """a × b along a dimension of length 3: (a₂b₃ - a₃b₂, a₃b₁ - a₁b₃, a₁b₂ - a₂b₁)"""
    return np.roll(a, -1, dim) * np.roll(b, -2, dim) - np.roll(a, -2, dim) * np.roll(b, -1, dim)


# ---- einsum --------------------------------------------------------------------------------------------------------


def einsum(operands, labels, output):
    """Σ over all labels that are not in `output` of the product of the operands.

    `labels` names each operand's dimensions by numbers, none twice; a dimension of length 1 broadcasts. Two operands
    at a time are contracted by one (batched) matrix product, in the order that NumPy's path optimiser chooses.
    """
    dtype = operands[0].dtype
    work = [(wide(a), tuple(names)) for a, names in zip(operands, labels, strict=True)]
    for step in _path(work, output):
        chosen = [work[i] for i in step]
        work = [w for i, w in enumerate(work) if i not in step]
        needed = set(output).union(*[names for _, names in work])
        made = chosen[0]
        for at, other in enumerate(chosen[1:], start=2):
            made = _contract(made, other, needed.union(*[names for _, names in chosen[at:]]))
        work.append(made)
    x, names = _sum_out(*work[0], set(output))
    return x.transpose([names.index(n) for n in output]).astype(dtype, copy=False)


def _path(work, output):
    if len(work) < 3:
        return [tuple(range(len(work)))]
    arguments = [part for x, names in work for part in (np.broadcast_to(np.float32(0), x.shape), names)]
    return np.einsum_path(*arguments, tuple(output), optimize="optimal" if len(work) < 6 else "greedy")[0][1:]


def _sum_out(x, names, needed):
    """Sum along the dimensions that nobody needs any more."""
    gone = tuple([i for i, n in enumerate(names) if n not in needed])
    return (np.add.reduce(x, axis=gone), tuple([n for n in names if n in needed])) if gone else (x, names)


def _contract(first, second, needed):
    """One product of two operands, summed over the labels that only they have."""
    (a, a_names), (b, b_names) = first, second
    for n in set(a_names) & set(b_names) - needed:  # a length of 1 on one side only: sum on the other
        if a.shape[a_names.index(n)] != b.shape[b_names.index(n)]:
            a, a_names = _sum_out(a, a_names, set(a_names) - {n})
            b, b_names = _sum_out(b, b_names, set(b_names) - {n})
    a, a_names = _sum_out(a, a_names, needed | set(b_names))
    b, b_names = _sum_out(b, b_names, needed | set(a_names))
    shared = [n for n in a_names if n in b_names]
    batch, summed = [n for n in shared if n in needed], [n for n in shared if n not in needed]
    left, right = [n for n in a_names if n not in b_names], [n for n in b_names if n not in a_names]

    def arranged(x, names, *groups):
        """x with its dimensions in the order of the groups: batch dimensions apart, each other group as one."""
        x = x.transpose([names.index(n) for group in groups for n in group])
        at, shape = len(batch), list(x.shape[: len(batch)])
        for group in groups[1:]:
            shape.append(int(np.prod(x.shape[at : at + len(group)], dtype=np.int64)))
            at += len(group)
        return x.reshape(shape)

    sizes = {
        **dict(zip(a_names, a.shape, strict=True)),
        **dict(zip(right, [b.shape[b_names.index(n)] for n in right], strict=True)),
    }
    if not summed:
        y = arranged(a, a_names, batch, left)[..., :, None] * arranged(b, b_names, batch, right)[..., None, :]
    elif not left and not right:
        y = np.vecdot(arranged(a, a_names, batch, summed), arranged(b, b_names, batch, summed))
    else:
        y = arranged(a, a_names, batch, left, summed) @ arranged(b, b_names, batch, summed, right)
    return np.asarray(y).reshape([*y.shape[: len(batch)], *[sizes[n] for n in left + right]]), tuple(
        batch + left + right
    )


# ---- decompositions: LAPACK, through NumPy ---------------------------------------------------------------------------


def inv(a):
    return np.linalg.inv(a)


def solve(a, b):
    """X of a X = b, (..., n, n) and (..., n, m) -> (..., n, m)"""
    return np.linalg.solve(a, b)


def det(a):
    return np.linalg.det(a)


def slogdet(a):
    return tuple(np.linalg.slogdet(a))


def cholesky(a):
    return np.linalg.cholesky(a)


def qr(a, mode):
    return tuple(np.linalg.qr(a, mode))


def eigh(a):
    return tuple(np.linalg.eigh(a))


def svd(a, full_matrices):
    return tuple(np.linalg.svd(a, full_matrices=full_matrices))


def cofactors(a):
    """The gradient of the determinant, for singular matrices too: det(U) det(Vᵀ) U (products of the other s) Vᵀ."""
    u, s, vh = np.linalg.svd(a)
    n = s.shape[-1]
    others = np.prod(np.where(np.eye(n, dtype=bool), a.dtype.type(1), s[..., None, :]), axis=-1)
    sign = (np.linalg.det(u) * np.linalg.det(vh))[..., None, None]
    return sign * (u * others[..., None, :]) @ vh


__all__ = [
    "cholesky", "cofactors", "cross", "det", "eigh", "einsum", "inv", "linear", "matmul", "mm", "qr", "scaled_add",
    "slogdet", "solve", "svd", "trace", "tril", "triu",
]  # fmt: skip
