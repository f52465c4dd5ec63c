"""Element by element: arithmetic, powers, exponentials.

A unary op is its formula; a binary one also promotes dtypes and broadcasts, which `binary` does for all of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import dtypes, kernels
from tinytorch.autograd.op import Op, finish
from tinytorch.exercise import exercise
from tinytorch.ops.cast import to_dtype
from tinytorch.tensor import Tensor, _dtype_of, wrap

_ndarray = np.ndarray
_CATEGORY = {"b": 0, "u": 1, "i": 1, "f": 2, "V": 2}


def binary(op: type[Op], x: Any, y: Any, **params: Any) -> Tensor:
    """Run a two-operand op on tensors or numbers: promote their dtypes, broadcast their shapes, record."""
    if isinstance(x, Tensor):
        a = x._array
        if isinstance(y, Tensor):
            b = y._array
            if a.dtype is not b.dtype:
                x, y = promote(x, y)
                a, b = x._array, y._array
        else:
            b = y
            y = None
            if type(b) is bool or _CATEGORY[a.dtype.kind] < 2:
                x, b = _with_number(x, b)
                a = x._array
            elif type(b) is not float and type(b) is not int:
                b = _number(b)
            if a.dtype.kind == "V":
                b = np.asarray(b, a.dtype)
    elif isinstance(y, Tensor):
        a, b = x, y._array
        x = None
        if type(a) is bool or _CATEGORY[b.dtype.kind] < 2:
            y, a = _with_number(y, a)
            b = y._array
        elif type(a) is not float and type(a) is not int:
            a = _number(a)
        if b.dtype.kind == "V":
            a = np.asarray(a, b.dtype)
    else:
        raise TypeError(f"{op.__name__.lower()}(): argument 'input' must be Tensor, not {type(x).__name__}")
    ctx = op.__new__(op)
    try:
        made = ctx.forward(a, b, **params)
    except ValueError:
        raise broadcast_error(a, b) from None
    if type(made) is not _ndarray:
        made = np.asarray(made)
    if x is not None and y is not None and a.shape != b.shape:
        ctx._fit = ((a.shape, a.dtype), (b.shape, b.dtype))
    return finish(ctx, (x, y), wrap(made))


def promote(*tensors: Tensor) -> list[Tensor]:
    """The tensors in their common dtype; 0-d ones weigh less than others of the same category."""
    common = dtypes.result_type_of([(t.dtype, t._array.ndim) for t in tensors], [])
    return [to_dtype(t, common) for t in tensors]


def _with_number(x: Tensor, number: Any) -> tuple[Tensor, Any]:
    number = _number(number)
    common = dtypes.result_type_of([(_dtype_of[x._array.dtype], x._array.ndim)], [number])
    return to_dtype(x, common), common.numpy.type(number) if common.category < 2 else number


def _number(value: Any) -> Any:
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return value.item()
    raise TypeError(f"unsupported operand type(s): expected a Tensor or a number, got '{type(value).__name__}'")


def broadcast_error(a: Any, b: Any) -> RuntimeError:
    """PyTorch's words, and the two shapes one above the other."""
    first, second = np.shape(a), np.shape(b)
    width = max(len(first), len(second))
    padded = [(1,) * (width - len(s)) + tuple(s) for s in (first, second)]
    at = max((i for i in range(width) if padded[0][i] != padded[1][i] and 1 not in (padded[0][i], padded[1][i])), default=0)
    rows = ["  ".join(f"{n:>4}" if i >= width - len(s) else "    " for i, n in enumerate(p))
            for s, p in zip((first, second), padded, strict=True)]
    mark = "  ".join("   ^" if i == at else "    " for i in range(width))
    return RuntimeError(
        f"The size of tensor a ({padded[0][at]}) must match the size of tensor b ({padded[1][at]}) at "
        f"non-singleton dimension {at}\n  a: {rows[0]}\n  b: {rows[1]}\n     {mark.rstrip()}"
    )


class Add(Op):
    """z = x + y,  dx = dz,  dy = dz"""

    def forward(ctx, x, y):
        return x + y

    def backward(ctx, dz):
        return dz, dz


class Sub(Op):
    """z = x - y,  dx = dz,  dy = -dz"""

    def forward(ctx, x, y):
        return x - y

    def backward(ctx, dz):
        return dz, (-dz if ctx.next_functions[1][0] is not None else None)


class Mul(Op):
    """z = x · y,  dx = dz · y,  dy = dz · x"""

    def forward(ctx, x, y):
        ctx.save(x, y)
        return x * y

    @exercise("autograd.mul_backward", points=2)
    def backward(ctx, dz: Any) -> tuple[Any, Any]:
        """The local derivative of multiplication, times the gradient that arrives.

        Args:
            dz: gradient of the loss with respect to z = x * y, an array of z's shape (a tensor, where the backward
                pass itself is recorded). `ctx.saved` is the pair (x, y); one of them may be a Python number.

        Returns:
            The pair (dx, dy): gradients with respect to x and to y, both still of z's shape. The engine sums them down
            where an operand was broadcast.

        Example: with x = 3, y = 5 and dz = 2 the result is (10, 6).

        Source: the product rule.
        """
        raise NotImplementedError


class Div(Op):
    """z = x / y,  dx = dz / y,  dy = -dz · x / y²"""

    def forward(ctx, x, y):
        ctx.save(x, y)
        return x / y

    def backward(ctx, dz):
        x, y = ctx.saved
        return dz / y, (-dz * x / (y * y) if ctx.next_functions[1][0] is not None else None)


class PowScalar(Op):
    """y = xⁿ,  dx = dy · n · xⁿ⁻¹"""

    label = "Pow"

    def forward(ctx, x, exponent):
        ctx.exponent = exponent
        ctx.save(x)
        return np.square(x) if exponent == 2 else x**exponent

    @exercise("autograd.pow_backward", points=2)
    def backward(ctx, dy: Any) -> Any:
        """The local derivative of y = xⁿ, times the gradient that arrives.

        Args:
            dy: gradient of the loss with respect to y, an array (or a tensor) of y's shape. `ctx.saved` is the tuple
                (x,), `ctx.exponent` the Python number n.

        Returns:
            The gradient with respect to x, of the same shape. For n = 0 it is zero everywhere, also at x = 0.

        Example: with x = 4, n = 2 and dy = 1 the result is 8: that is dz/dx of z = (x + 2)² + 3 at x = 2.

        Source: the power rule.
        """
        raise NotImplementedError


class Neg(Op):
    """y = -x,  dx = -dy"""

    def forward(ctx, x):
        return -x

    def backward(ctx, dy):
        return -dy


class Exp(Op):
    """y = eˣ,  dx = dy · y"""

    def forward(ctx, x):
        return ctx.save(kernels.of(x).exp(x))

    def backward(ctx, dy):
        (y,) = ctx.saved
        return dy * y


class Log(Op):
    """y = ln x,  dx = dy / x"""

    def forward(ctx, x):
        ctx.save(x)
        return kernels.of(x).log(x)

    def backward(ctx, dy):
        (x,) = ctx.saved
        return dy / x


class Sqrt(Op):
    """y = √x,  dx = dy / 2y"""

    def forward(ctx, x):
        return ctx.save(kernels.of(x).sqrt(x))

    def backward(ctx, dy):
        (y,) = ctx.saved
        return dy / (2 * y)


class Sigmoid(Op):
    """y = 1 / (1 + e⁻ˣ),  dx = dy · y · (1 - y)"""

    def forward(ctx, x):
        return ctx.save(kernels.of(x).sigmoid(x))

    def backward(ctx, dy):
        (y,) = ctx.saved
        return dy * y * (1 - y)


class Tanh(Op):
    """y = tanh x,  dx = dy · (1 - y²)"""

    def forward(ctx, x):
        return ctx.save(kernels.of(x).tanh(x))

    def backward(ctx, dy):
        (y,) = ctx.saved
        return dy * (1 - y * y)


class Relu(Op):
    """y = max(x, 0),  dx = dy where y > 0"""

    def forward(ctx, x):
        return ctx.save(kernels.of(x).relu(x))

    def backward(ctx, dy):
        (y,) = ctx.saved
        return dy * (y > 0)


def add(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """input + alpha · other

    >>> import tinytorch
    >>> add(tinytorch.tensor([1., 2.]), 10)
    tensor([11., 12.])
    """
    return binary(Add, input, other if alpha == 1 else mul(other, alpha))


def sub(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """input - alpha · other"""
    return binary(Sub, input, other if alpha == 1 else mul(other, alpha))


def mul(input: Any, other: Any) -> Tensor:
    """input · other, element by element"""
    return binary(Mul, input, other)


def div(input: Any, other: Any) -> Tensor:
    """input / other; integers give floating-point results"""
    return binary(Div, as_floating(input), as_floating(other))


def pow(input: Any, exponent: Any) -> Tensor:
    """input to the power of a number"""
    return PowScalar.apply(input, exponent=exponent)


def neg(input: Tensor) -> Tensor:
    return Neg.apply(input)


def exp(input: Tensor) -> Tensor:
    return Exp.apply(as_floating(input))


def log(input: Tensor) -> Tensor:
    return Log.apply(as_floating(input))


def sqrt(input: Tensor) -> Tensor:
    return Sqrt.apply(as_floating(input))


def sigmoid(input: Tensor) -> Tensor:
    return Sigmoid.apply(as_floating(input))


def tanh(input: Tensor) -> Tensor:
    return Tanh.apply(as_floating(input))


def relu(input: Tensor) -> Tensor:
    return Relu.apply(input)


def as_floating(x: Any) -> Any:
    """Integers and bools in the default floating-point dtype; anything else as it is."""
    if isinstance(x, Tensor) and x._array.dtype.kind in "bui":
        return to_dtype(x, dtypes.get_default_dtype())
    return x


def compare(ufunc: Any, x: Any, y: Any) -> Tensor:
    """A comparison: no gradient, a bool for each pair of elements."""
    a = x._array if isinstance(x, Tensor) else x
    b = y._array if isinstance(y, Tensor) else y
    try:
        return wrap(np.asarray(ufunc(a, b)))
    except ValueError:
        raise broadcast_error(a, b) from None


def eq(input: Any, other: Any) -> Tensor:
    return compare(np.equal, input, other)


def ne(input: Any, other: Any) -> Tensor:
    return compare(np.not_equal, input, other)


def lt(input: Any, other: Any) -> Tensor:
    return compare(np.less, input, other)


def le(input: Any, other: Any) -> Tensor:
    return compare(np.less_equal, input, other)


def gt(input: Any, other: Any) -> Tensor:
    return compare(np.greater, input, other)


def ge(input: Any, other: Any) -> Tensor:
    return compare(np.greater_equal, input, other)
