"""`scatter_reduce`: many values to one place, as their sum, product, mean, largest or smallest."""

from __future__ import annotations

from typing import Any

from tinytorch import kernels
from tinytorch.ops.inplace import Writer


class ScatterReduce(Writer):
    """y[index[i, j], j] = the sum (prod, mean, amax, amin) of all s[i, j] that go there, and of x's own element

    dx = dy · dy/dx,  ds = (dy · dy/ds) at those places: 1 for a sum, 1/n for a mean, the product of the others for a
    product; for the largest and smallest dy is shared among ties.
    """

    def write(ctx, x, index, source, dim, reduce, include_self):
        ctx.dim, ctx.reduce, ctx.include_self = dim, reduce, include_self
        ctx.inside = tuple([slice(0, n) for n in index.shape]) or (...,)
        ctx.source_like = source.shape, source.dtype
        ctx.save(index, source, x.copy() if reduce in ("prod", "amax", "amin") else None)
        kernels.of(x).scatter_reduce_into(x, dim, index, source[ctx.inside], reduce, include_self)

    def backward(ctx, dy):
        k = kernels.of(dy)
        index, source, before = ctx.saved
        if ctx.reduce in ("sum", "mean"):
            if ctx.reduce == "mean":
                dy = dy / k.counts_along(dy.shape, ctx.dim, index, ctx.include_self, ctx.source_like[1])
            dx = dy if ctx.include_self else k.scatter(dy, ctx.dim, index, 0)
            return dx, None, ctx._padded(k, k.gather(dy, ctx.dim, index))
        if ctx._on_tensors:
            raise RuntimeError(f"scatter_reduce with {ctx.reduce!r}: a second derivative is not implemented")
        part = source[ctx.inside]
        return (ctx._of_product if ctx.reduce == "prod" else ctx._of_extreme)(k, dy, index, part, before)

    def _padded(ctx, k: Any, ds: Any) -> Any:
        return k.put_slice(ctx.source_like, ctx.inside, ds)

    def _of_product(ctx, k: Any, dy: Any, index: Any, part: Any, before: Any) -> Any:
        """Without dividing by zero: the product of all that is not 0, and how many zeros there are."""
        own = before if ctx.include_self else k.scatter(before, ctx.dim, index, 1)
        product = k.where(own == 0, 1, own)
        k.scatter_reduce_into(product, ctx.dim, index, k.where(part == 0, 1, part), "prod", True)
        zeros = k.scatter_add(1 * (own == 0), ctx.dim, index, 1 * (part == 0))

        def others(value: Any, product: Any, zeros: Any) -> Any:
            kept = k.where(value == 0, 1, value)
            return k.where(zeros - (value == 0) > 0, 0, product / kept)

        dx = dy * others(own, product, zeros)
        if not ctx.include_self:
            dx = k.scatter(dx, ctx.dim, index, 0)
        at = [k.gather(v, ctx.dim, index) for v in (dy, product, zeros)]
        return dx, None, ctx._padded(k, at[0] * others(part, at[1], at[2]))

    def _of_extreme(ctx, k: Any, dy: Any, index: Any, part: Any, before: Any) -> Any:
        result = before.copy()
        k.scatter_reduce_into(result, ctx.dim, index, part, ctx.reduce, ctx.include_self)
        own = (before == result).astype(dy.dtype)
        if not ctx.include_self:
            own = k.scatter(own, ctx.dim, index, 0)
        won = (part == k.gather(result, ctx.dim, index)).astype(dy.dtype)
        ties = k.scatter_add(own, ctx.dim, index, won)
        share = dy / k.where(ties == 0, 1, ties)
        return share * own, None, ctx._padded(k, k.gather(share, ctx.dim, index) * won)
