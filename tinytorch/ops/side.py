"""The verbs of `kernels.of` for tensors: what lets a backward formula be recorded itself.

Each name has the signature of the kernel of that name; where a backward formula uses a verb that is missing here, its
second derivative is missing too.
"""

from __future__ import annotations

from tinytorch import kernels
from tinytorch.ops import cast, compare, creation, division, elementary, extrema, linalg, loss, pointwise, reduce, rounding, scan
from tinytorch.ops.windows import WindowVerbs


class TensorSide(WindowVerbs):
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
    sign, isfinite = staticmethod(rounding.sign), staticmethod(compare.isfinite)
    floor_divide, trunc_divide = staticmethod(division.div_floor), staticmethod(division.div_trunc)
    sum, mean = staticmethod(reduce.sum), staticmethod(reduce.mean)
    ties, take_along, put_along = map(staticmethod, (extrema.ties, extrema.take_along, extrema.put_along))
    cumsum, cumprod_backward = staticmethod(scan.running_sum), staticmethod(scan.cumprod_backward)
    product_of_others, lane_max = staticmethod(scan.product_of_others), staticmethod(scan.lane_max)
    all_nonzero = staticmethod(lambda x: kernels.of(x._array).all_nonzero(x._array))
    mm = staticmethod(linalg.mm)
    softmax, log_softmax = staticmethod(loss.softmax), staticmethod(loss.log_softmax)
    put_at_class, take_at_class = staticmethod(loss.put_at_class), staticmethod(loss.take_at_class)
    cross_entropy_backward, constant = staticmethod(loss.cross_entropy_backward), staticmethod(loss.constant)
    zeros_like = staticmethod(creation.zeros_like)
    clone = staticmethod(cast.clone)
    cast = staticmethod(cast.to_dtype)
