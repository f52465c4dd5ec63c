"""The table: what a tensor can do, and the names of `import tinytorch as torch`.

`Tensor` (floor 4) does not know the operations (floor 6); here, above both, they are bound to it. A row is a name and
the function that answers it.
"""

from __future__ import annotations

from typing import Any

from tinytorch import autograd, dtypes, ops
from tinytorch.autograd import hooks, views
from tinytorch.device import device
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
from tinytorch.ops.inplace import copy_, fill_, in_place_method, zero_
from tinytorch.printing import set_printoptions
from tinytorch.size import Size
from tinytorch.tensor import Tensor

# ---- functions: tinytorch.name, one line a family ---------------------------------------------------------------

FUNCTIONS: dict[str, Any] = {}


def _rows(module: Any, names: str) -> dict[str, Any]:
    found = {name: getattr(module, name) for name in names.split()}
    FUNCTIONS.update(found)
    return found


_CREATION = _rows(ops.creation, "tensor as_tensor from_numpy zeros ones empty full zeros_like ones_like arange linspace")
_RANDOM = _rows(ops.random, "Generator manual_seed rand randn randint randperm")
_POINTWISE = _rows(ops.pointwise, "add sub mul div pow neg exp log sqrt sigmoid tanh relu eq ne lt le gt ge")
_REDUCE = _rows(ops.reduce, "sum mean argmax")
_SHAPE = _rows(ops.shape, "reshape transpose t")
_LINALG = _rows(ops.linalg, "mm")
_LOSS = _rows(ops.loss, "softmax log_softmax")
_CAST = _rows(ops.cast, "clone detach")
_INDEXING = _rows(ops.indexing, "unbind")

# ---- methods: x.name --------------------------------------------------------------------------------------------

METHODS: dict[str, Any] = {
    **_POINTWISE,
    **_REDUCE,
    **_SHAPE,
    **_LINALG,
    **_LOSS,
    **_CAST,
    **_INDEXING,
    "view": ops.shape.view,
    "expand": ops.shape.expand,
    "to": ops.cast.to,
    "type": ops.cast.type_,
    "type_as": ops.cast.type_as,
    "contiguous": ops.cast.contiguous,
    "detach_": ops.cast.detach_,
    "register_hook": hooks.register_hook,
    "register_post_accumulate_grad_hook": hooks.register_post_accumulate_grad_hook,
    "retain_grad": hooks.retain_grad,
    "copy_": copy_,
    "fill_": fill_,
    "zero_": zero_,
    "uniform_": ops.random.uniform_,
    "normal_": ops.random.normal_,
}

# ---- x.name_: the same, written into x's own memory --------------------------------------------------------------

IN_PLACE = "add sub mul div pow neg exp log sqrt sigmoid tanh relu"

# ---- operators ----------------------------------------------------------------------------------------------------


def _reflected(function: Any) -> Any:
    def operator(self: Tensor, other: Any) -> Tensor:
        return function(other, self)

    return operator


def _matmul(self: Tensor, other: Tensor) -> Tensor:
    return ops.linalg.mm(self, other)


OPERATORS: dict[str, Any] = {
    "__add__": ops.pointwise.add, "__radd__": _reflected(ops.pointwise.add),
    "__sub__": ops.pointwise.sub, "__rsub__": _reflected(ops.pointwise.sub),
    "__mul__": ops.pointwise.mul, "__rmul__": _reflected(ops.pointwise.mul),
    "__truediv__": ops.pointwise.div, "__rtruediv__": _reflected(ops.pointwise.div),
    "__pow__": ops.pointwise.pow, "__neg__": ops.pointwise.neg, "__matmul__": _matmul,
    "__eq__": ops.pointwise.eq, "__ne__": ops.pointwise.ne, "__lt__": ops.pointwise.lt,
    "__le__": ops.pointwise.le, "__gt__": ops.pointwise.gt, "__ge__": ops.pointwise.ge,
    "__getitem__": ops.indexing.getitem, "__setitem__": ops.indexing.setitem, "__iter__": ops.indexing.iterate,
}  # fmt: skip


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
    for name, function in {**METHODS, **OPERATORS}.items():
        setattr(Tensor, name, function)
    for name in IN_PLACE.split():
        setattr(Tensor, f"{name}_", in_place_method(METHODS[name]))
    for symbol in ("add", "sub", "mul", "truediv", "pow"):
        name = {"truediv": "div"}.get(symbol, symbol)
        setattr(Tensor, f"__i{symbol}__", getattr(Tensor, f"{name}_"))
    for name, to in CASTS.items():
        setattr(Tensor, name, _cast_method(to))
    Tensor._construct = classmethod(ops.creation.construct)
    Tensor.grad_fn = property(views.current_grad_fn, doc="The node that made this tensor, None for a leaf.")
    Tensor.backward = backward
    Tensor.T = property(lambda self: ops.shape.t(self) if self.ndim <= 2 else self)
    Tensor.mT = property(lambda self: ops.shape.transpose(self, -2, -1))


def backward(
    self: Tensor, gradient: Tensor | None = None, retain_graph: Any = None, create_graph: Any = False, inputs: Any = None
) -> None:
    """Add the gradient of this tensor to `.grad` of the leaves it was computed from."""
    autograd.backward(self, gradient, retain_graph, create_graph, inputs)


_bind()

no_grad, enable_grad = autograd.no_grad, autograd.enable_grad
set_grad_enabled, inference_mode = autograd.set_grad_enabled, autograd.inference_mode
is_grad_enabled = autograd.is_grad_enabled
is_anomaly_enabled = autograd.is_anomaly_enabled


def is_tensor(obj: Any) -> Any:
    return isinstance(obj, Tensor)


__all__ = [
    "Size", "Tensor", "bfloat16", "bool", "can_cast", "device", "double", "dtype", "enable_grad", "finfo", "float",
    "float16", "float32", "float64", "get_default_dtype", "half", "iinfo", "inference_mode", "int", "int16", "int32",
    "int64", "int8", "is_anomaly_enabled", "is_grad_enabled", "is_tensor", "long", "no_grad", "promote_types", "set_default_dtype",
    "set_grad_enabled", "set_printoptions", "short", "uint8", *FUNCTIONS,
]  # fmt: skip
globals().update(FUNCTIONS)
