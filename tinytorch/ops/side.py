"""The verbs of `kernels.of` for tensors: what lets a backward formula be recorded itself.

Each name has the signature of the kernel of that name; where a backward formula uses a verb that is missing here, its
second derivative is missing too.
"""

from __future__ import annotations

from tinytorch import kernels
from tinytorch.ops import (
    activation,
    cast,
    compare,
    creation,
    decompositions,
    division,
    einsum,
    elementary,
    extrema,
    linalg,
    loss,
    masks,
    matrices,
    normalization,
    reduce,
    rounding,
    scan,
)
from tinytorch.ops.conv import ConvVerbs
from tinytorch.ops.pad import PadVerbs
from tinytorch.ops.pool import PoolVerbs
from tinytorch.ops.windows import WindowVerbs


class TensorSide(WindowVerbs, ConvVerbs, PoolVerbs, PadVerbs):
    """Namespace; never instantiated."""

    exp, exp2, log, sqrt, rsqrt = map(
        staticmethod, (elementary.exp, elementary.exp2, elementary.log, elementary.sqrt, elementary.rsqrt)
    )
    sin, cos, sinh, cosh, tanh = map(
        staticmethod, (elementary.sin, elementary.cos, elementary.sinh, elementary.cosh, elementary.tanh)
    )
    sigmoid, relu, sinc_slope = map(staticmethod, (elementary.sigmoid, elementary.relu, elementary.sinc_slope))
    sigmoid_backward = staticmethod(lambda dy, y: dy * y * (1 - y))
    tanh_backward = staticmethod(lambda dy, y: dy * (1 - y * y))
    relu_backward = staticmethod(lambda dy, y: dy * (y > 0))
    gelu_backward, gelu_tanh_backward = map(staticmethod, (activation.gelu_backward, activation.gelu_tanh_backward))
    silu_backward, softplus = staticmethod(activation.silu_backward), staticmethod(activation.softplus)
    wide, normalize_backward = staticmethod(activation.wide), staticmethod(normalization.normalize_backward)
    sign, isfinite = staticmethod(rounding.sign), staticmethod(compare.isfinite)
    floor_divide, trunc_divide = staticmethod(division.div_floor), staticmethod(division.div_trunc)
    ones_like, where = staticmethod(creation.ones_like), staticmethod(masks.where)
    sum, mean = staticmethod(reduce.sum), staticmethod(reduce.mean)
    ties, put_along = staticmethod(extrema.ties), staticmethod(extrema.put_along)
    cumsum, cumprod_backward = staticmethod(scan.running_sum), staticmethod(scan.cumprod_backward)
    product_of_others, lane_max = staticmethod(scan.product_of_others), staticmethod(scan.lane_max)
    all_nonzero = staticmethod(lambda x: kernels.of(x._array).all_nonzero(x._array))
    mm, matmul = staticmethod(linalg.mm.without_out), staticmethod(linalg.matmul.without_out)
    tril, triu = staticmethod(matrices.tril.without_out), staticmethod(matrices.triu.without_out)
    cross, einsum = staticmethod(matrices.cross_along), staticmethod(einsum.contract)
    inv, solve = staticmethod(decompositions.inv.without_out), staticmethod(decompositions.solve.without_out)
    abs = staticmethod(rounding.abs)
    softmax_backward = staticmethod(lambda dy, y, dim: y * (dy - (dy * y).sum(dim, True)))
    log_softmax_backward = staticmethod(lambda dy, y, dim: dy - y.exp() * dy.sum(dim, True))
    softmax, log_softmax = staticmethod(loss.softmax), staticmethod(loss.log_softmax)
    put_at_class, take_at_class = staticmethod(loss.put_at_class), staticmethod(loss.take_at_class)
    cross_entropy_backward, constant = staticmethod(loss.cross_entropy_backward), staticmethod(loss.constant)
    zeros_like = staticmethod(creation.zeros_like)
    clone = staticmethod(cast.clone)
    cast = staticmethod(cast.to_dtype)
