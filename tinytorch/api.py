"""The table: what a tensor can do, and the names of `import tinytorch as torch`.

`Tensor` (floor 4) does not know the operations (floor 6); here, above both, they are bound to it. A row is a name and
the function that answers it.
"""

from __future__ import annotations

import functools
import math
from typing import Any

from tinytorch import autograd, dtypes, ops
from tinytorch.autograd import hooks, views
from tinytorch.device import device, layout, strided
from tinytorch.dtypes import (
    bfloat16,
    bool,
    can_cast,
    double,
    dtype,
    finfo,
    float,
    float16,
    float32,
    float64,
    get_default_dtype,
    half,
    iinfo,
    int,
    int8,
    int16,
    int32,
    int64,
    long,
    promote_types,
    set_default_dtype,
    short,
    uint8,
)
from tinytorch.ops.inplace import copy_, fill_, in_place_method, view_method, zero_
from tinytorch.printing import set_printoptions
from tinytorch.size import Size
from tinytorch.tensor import Tensor

# ---- functions: tinytorch.name, one line a family ---------------------------------------------------------------

FUNCTIONS: dict[str, Any] = {}


def _members(module: Any, names: str) -> dict[str, Any]:
    return {name: getattr(module, name) for name in names.split()}


def _rows(module: Any, names: str) -> dict[str, Any]:
    found = _members(module, names)
    FUNCTIONS.update(found)
    return found


_rows(
    ops.creation,
    "tensor as_tensor asarray from_numpy from_dlpack scalar_tensor zeros ones empty full zeros_like ones_like "
    "empty_like full_like empty_strided eye arange range linspace logspace",
)
_rows(ops.grids, "meshgrid cartesian_prod combinations")
_rows(
    ops.random,
    "Generator default_generator manual_seed seed initial_seed get_rng_state set_rng_state rand rand_like randn "
    "randn_like randint randint_like randperm normal poisson",
)
_DRAWN = _rows(ops.random, "bernoulli multinomial")
_rows(ops.legacy, "set_default_tensor_type")
FUNCTIONS.update(ops.legacy.TYPES, random=ops.random)
_POINTWISE = _rows(
    ops.pointwise, "add sub subtract mul multiply pow float_power neg negative square lerp addcmul addcdiv"
)
_rows(ops.pointwise, "rsub")  # functions only
_DIVISION = _rows(ops.division, "div divide true_divide floor_divide remainder fmod")
_ELEMENTARY = _rows(
    ops.elementary,
    "exp exp2 expm1 log log2 log10 log1p sqrt rsqrt reciprocal sin cos tan asin acos atan sinh cosh asinh acosh atanh "
    "arcsin arccos arctan arcsinh arccosh arctanh sinc deg2rad rad2deg erf erfc erfinv logit sigmoid tanh relu",
)
_ROUNDING = _rows(
    ops.rounding,
    "abs absolute sign sgn ceil floor round trunc fix frac clamp clip clamp_min clamp_max nan_to_num",
)
_NO_IN_PLACE = _rows(ops.rounding, "positive maximum minimum fmax fmin")
_PAIRS = _rows(ops.pairs, "atan2 arctan2 hypot xlogy copysign heaviside")
_NO_IN_PLACE |= _rows(ops.pairs, "logaddexp logaddexp2")
_COMPARE = _rows(
    ops.compare,
    "eq ne not_equal lt less le less_equal gt greater ge greater_equal logical_and logical_or logical_xor logical_not "
    "bitwise_and bitwise_or bitwise_xor bitwise_not bitwise_left_shift bitwise_right_shift gcd lcm",
)
_NO_IN_PLACE |= _rows(
    ops.compare, "equal isclose allclose isnan isinf isfinite isposinf isneginf isreal signbit"
)
_ELEMENTWISE = {**_POINTWISE, **_DIVISION, **_ELEMENTARY, **_ROUNDING, **_PAIRS, **_COMPARE}
_REDUCE = _rows(ops.reduce, "sum mean prod nansum nanmean var std logsumexp all any count_nonzero")
_EXTREMA = _rows(ops.extrema, "max min amax amin aminmax argmax argmin")
_SCAN = _rows(ops.scan, "cumsum cumprod logcumsumexp cummax cummin diff")
_ORDER = _rows(
    ops.order,
    "sort argsort msort topk kthvalue median nanmedian mode unique unique_consecutive bincount histc",
)
_rows(ops.reduce, "var_mean std_mean")  # functions only
_rows(ops.order, "searchsorted bucketize")
_SHAPE = _rows(
    ops.shape,
    "reshape transpose t permute movedim squeeze unsqueeze flatten ravel unflatten broadcast_to",
)
_SHAPE |= {"swapaxes": ops.shape.transpose, "swapdims": ops.shape.transpose, "moveaxis": ops.shape.movedim}
FUNCTIONS.update(_SHAPE)
_rows(ops.shape, "broadcast_tensors broadcast_shapes")  # functions only
_WINDOWS = _rows(
    ops.views,
    "narrow select split split_with_sizes chunk tensor_split hsplit vsplit dsplit unbind diagonal as_strided",
)
_rows(ops.joining, "cat concat concatenate stack hstack vstack dstack column_stack")  # functions only
_REPEATING = _rows(ops.joining, "tile repeat_interleave roll flip fliplr flipud rot90")
_LINALG = _rows(ops.linalg, "mm bmm matmul mv dot vdot outer")
_ADDMM = _rows(ops.addmm, "addmm addmv addbmm baddbmm addr")
_LINALG |= _ADDMM | _rows(ops.einsum, "inner kron")
_TRIANGLES = _rows(ops.matrices, "tril triu")
_LINALG |= _TRIANGLES | _rows(ops.matrices, "trace diag diagflat diag_embed cross matrix_power")
_LINALG |= _rows(ops.decompositions, "det slogdet logdet") | _rows(ops.norms, "norm")
_LINALG |= {"inverse": ops.decompositions.inv, "ger": ops.linalg.outer}
FUNCTIONS.update(inverse=ops.decompositions.inv, ger=ops.linalg.outer)
_rows(ops.einsum, "einsum tensordot")  # functions only
_rows(ops.matrices, "tril_indices triu_indices")
_LOSS = _rows(ops.loss, "softmax log_softmax")
_rows(ops.promotion, "result_type")
_rows(ops.cast, "is_floating_point is_signed is_complex is_nonzero detach_ numel is_inference")
_CAST = _rows(ops.cast, "clone detach")
_INDEXING = _rows(
    ops.select,
    "gather scatter scatter_add scatter_reduce take_along_dim",
)
_INDEXING |= _rows(ops.slices, "index_select index_add index_copy index_fill take put")
_INDEXING |= _rows(ops.masks, "masked_fill masked_select masked_scatter nonzero argwhere where")
_INDEXING |= _rows(ops.indexing, "index_put")

# ---- methods: x.name --------------------------------------------------------------------------------------------

METHODS: dict[str, Any] = {
    **_ELEMENTWISE,
    **_NO_IN_PLACE,
    **_DRAWN,
    **_REDUCE,
    **_EXTREMA,
    **_SCAN,
    **_ORDER,
    **_SHAPE,
    **_LINALG,
    **_LOSS,
    **_CAST,
    **_WINDOWS,
    **_REPEATING,
    **_INDEXING,
    "view": ops.shape.view,
    "view_as": ops.shape.view_as,
    "reshape_as": ops.shape.reshape_as,
    "expand": ops.shape.expand,
    "expand_as": ops.shape.expand_as,
    "unfold": ops.views.unfold,
    "repeat": ops.joining.repeat,
    "where": ops.masks.where_method,
    "to": ops.cast.to,
    "type": ops.cast.type_,
    "type_as": ops.cast.type_as,
    "contiguous": ops.cast.contiguous,
    "detach_": ops.cast.detach_,
    "register_hook": hooks.register_hook,
    "register_post_accumulate_grad_hook": hooks.register_post_accumulate_grad_hook,
    "retain_grad": hooks.retain_grad,
    **{f"{name}_": getattr(ops.select, f"{name}_") for name in ("scatter", "scatter_add", "scatter_reduce")},
    **{f"{name}_": getattr(ops.slices, f"{name}_") for name in ("index_add", "index_copy", "index_fill", "put")},
    **{f"{name}_": getattr(ops.masks, f"{name}_") for name in ("masked_fill", "masked_scatter")},
    "index_put_": ops.indexing.index_put_,
    "copy_": copy_,
    "fill_": fill_,
    "zero_": zero_,
    "is_nonzero": ops.cast.is_nonzero,
    "cpu": ops.cast.cpu,
    "cuda": ops.cast.cuda,
    "new": ops.legacy.new,
    **_members(ops.creation, "new_tensor new_zeros new_ones new_empty new_full new_empty_strided"),
    **_members(
        ops.random,
        "uniform_ normal_ bernoulli_ random_ exponential_ log_normal_ cauchy_ geometric_",
    ),
}

# ---- x.name_: the same, written into x's own memory --------------------------------------------------------------

IN_PLACE = " ".join(_ELEMENTWISE) + " cumsum cumprod " + " ".join([*_ADDMM, *_TRIANGLES])

# ---- x.name_ of a view: x itself looks at its memory in the new way ----------------------------------------------

VIEW_IN_PLACE = "t transpose swapaxes swapdims squeeze unsqueeze as_strided"

# ---- operators ----------------------------------------------------------------------------------------------------


def _reflected(function: Any) -> Any:
    def operator(self: Tensor, other: Any) -> Tensor:
        return function(other, self)

    return operator


def _matmul(self: Tensor, other: Any) -> Any:
    return ops.linalg.matmul.without_out(self, other) if isinstance(other, Tensor) else NotImplemented


OPERATORS: dict[str, Any] = {
    "__add__": ops.pointwise.plus, "__radd__": ops.pointwise.plus,
    "__sub__": ops.pointwise.minus, "__rsub__": ops.pointwise.subtracted_from,
    "__mul__": ops.pointwise.times, "__rmul__": ops.pointwise.times,
    "__truediv__": ops.division.over, "__rtruediv__": ops.division.reflected_div,
    "__floordiv__": ops.division.floor_over, "__rfloordiv__": _reflected(ops.division.floor_over),
    "__mod__": ops.division.modulo, "__rmod__": _reflected(ops.division.modulo),
    "__pow__": ops.pointwise.to_the, "__rpow__": _reflected(ops.pointwise.to_the),
    "__neg__": ops.pointwise.neg, "__pos__": ops.rounding.positive, "__abs__": ops.rounding.abs,
    "__invert__": ops.compare.invert, "__matmul__": _matmul,
    "__eq__": ops.compare.equals, "__ne__": ops.compare.differs, "__lt__": ops.compare.is_less,
    "__le__": ops.compare.is_at_most, "__gt__": ops.compare.is_greater, "__ge__": ops.compare.is_at_least,
    "__and__": ops.compare.bits_and, "__rand__": ops.compare.bits_and, "__or__": ops.compare.bits_or,
    "__ror__": ops.compare.bits_or, "__xor__": ops.compare.bits_xor, "__rxor__": ops.compare.bits_xor,
    "__lshift__": ops.compare.shift_left, "__rlshift__": _reflected(ops.compare.shift_left),
    "__rshift__": ops.compare.shift_right, "__rrshift__": _reflected(ops.compare.shift_right),
    "__getitem__": ops.indexing.getitem, "__setitem__": ops.indexing.setitem, "__iter__": ops.views.iterate,
}  # fmt: skip


IN_PLACE_OPERATORS = {
    "add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "floordiv": "floor_divide", "mod": "remainder",
    "pow": "pow", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor", "lshift": "bitwise_left_shift",
    "rshift": "bitwise_right_shift",
}  # fmt: skip

BITS = "bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift"


def _cast_method(to: dtype) -> Any:
    def method(self: Tensor) -> Tensor:
        return ops.cast.to_dtype(self, to)

    method.__doc__ = f"The tensor as {to}; itself if that is its dtype."
    return method


CASTS = {
    "float": float32, "double": float64, "half": float16, "bfloat16": bfloat16, "long": int64, "int": int32,
    "short": int16, "char": int8, "byte": uint8, "bool": dtypes.bool,
}  # fmt: skip


def _bind() -> None:
    for name, function in {**METHODS, **OPERATORS}.items():  # methods have no `out`
        setattr(Tensor, name, getattr(function, "without_out", function))
    for name in VIEW_IN_PLACE.split():
        setattr(Tensor, f"{name}_", view_method(METHODS[name]))
    for name in IN_PLACE.split():
        setattr(Tensor, f"{name}_", in_place_method(getattr(METHODS[name], "without_out", METHODS[name])))
    for name in BITS.split():
        setattr(Tensor, f"{name}_", ops.compare.bits_in_place(getattr(Tensor, f"{name}_")))
    Tensor.float_power_ = ops.pointwise.in_double(Tensor.float_power_)
    for symbol, name in IN_PLACE_OPERATORS.items():
        setattr(Tensor, f"__i{symbol}__", getattr(Tensor, f"{name}_"))
    for name, to in CASTS.items():
        setattr(Tensor, name, _cast_method(to))
    Tensor._construct = classmethod(ops.legacy.construct)
    Tensor.grad_fn = property(views.current_grad_fn, doc="The node that made this tensor, None for a leaf.")
    Tensor.backward = backward
    Tensor.T = property(ops.shape.property_t)
    Tensor.mT = property(ops.shape.property_mt)


# ---- tinytorch.name_(x): the in-place methods that are functions too ------------------------------------------------

WRITTEN = (
    "abs acos acosh addmv arccos arccosh arcsin arcsinh arctan arctanh as_strided asin asinh atan atanh ceil clamp "
    "clamp_max clamp_min clip cos cosh deg2rad erf erfc exp exp2 expm1 fill fix floor frac gcd index_put lcm log log10 "
    "log1p log2 logit nan_to_num neg negative rad2deg reciprocal relu round rsqrt sigmoid sin sinc sinh sqrt square "
    "tan tanh trunc xlogy zero"
)


def _written(name: str) -> Any:
    method = getattr(Tensor, name)

    @functools.wraps(method)
    def function(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if not isinstance(input, Tensor):
            raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
        return method(input, *args, **kwargs)

    return function


def backward(
    self: Tensor,
    gradient: Tensor | None = None,
    retain_graph: Any = None,
    create_graph: Any = False,
    inputs: Any = None,
) -> None:
    """Add the gradient of this tensor to `.grad` of the leaves it was computed from."""
    autograd.backward(self, gradient, retain_graph, create_graph, inputs)


_bind()
FUNCTIONS.update({f"{name}_": _written(f"{name}_") for name in WRITTEN.split()})
FUNCTIONS.update(pi=math.pi, e=math.e, inf=math.inf, nan=math.nan, newaxis=None)

no_grad, enable_grad = autograd.no_grad, autograd.enable_grad
set_grad_enabled, inference_mode = autograd.set_grad_enabled, autograd.inference_mode
is_grad_enabled = autograd.is_grad_enabled
is_inference_mode_enabled = autograd.grad_mode.is_inference_mode_enabled
is_anomaly_enabled = autograd.is_anomaly_enabled
is_anomaly_check_nan_enabled = autograd.is_anomaly_check_nan_enabled


def is_tensor(obj: Any) -> Any:
    return isinstance(obj, Tensor)


__all__ = [
    "Size", "Tensor", "bfloat16", "bool", "can_cast", "device", "double", "dtype", "enable_grad", "finfo", "float",
    "float16", "float32", "float64", "get_default_dtype", "half", "iinfo", "inference_mode", "int", "int16", "int32",
    "int64", "int8", "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled", "is_grad_enabled", "is_inference_mode_enabled", "is_tensor", "layout",
    "long", "no_grad", "promote_types", "set_default_dtype", "set_grad_enabled", "set_printoptions", "short",
    "strided", "uint8", *FUNCTIONS,
]  # fmt: skip
globals().update(FUNCTIONS)
