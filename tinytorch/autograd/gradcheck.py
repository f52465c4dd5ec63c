"""Are the gradients right? Compare them with finite differences, at every index of every input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinytorch.autograd.backward import grad as autograd_grad
from tinytorch.exercise import exercise
from tinytorch.tensor import Tensor, wrap


class GradcheckError(RuntimeError):
    """Raised by `gradcheck` where an analytical gradient differs from the numerical one."""


@exercise("autograd.numerical_gradient", points=2)
def numerical_gradient(f: Callable[[np.ndarray], float], x: np.ndarray, eps: float = 1e-6) -> np.ndarray:
    """The gradient of `f` at `x` by central differences: (f(x + eps) - f(x - eps)) / (2 eps), one element at a time.

    Args:
        f: takes a float64 array of the shape of `x` and gives a number.
        x: float64 array of any shape, 0-d and empty ones included; unchanged on return.
        eps: the step.

    Returns:
        A float64 array of the shape of `x`: how fast `f` changes when only that element changes.

    Example: for f(x) = (x**2).sum() and x = [1., 2.], the result is close to [2., 4.].

    Source: Press et al., "Numerical Recipes", numerical derivatives.
    """
    raise NotImplementedError


def gradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
) -> bool:
    """Compare the gradient of every output element with respect to every input element with finite differences.

    Args:
        func: takes the inputs, gives a tensor or a tuple of tensors.
        inputs: tensors; those that require a gradient should be float64.

    Returns:
        True. Where they differ: `GradcheckError` with the place and both numbers, or False without `raise_exception`.

    >>> import tinytorch
    >>> x = tinytorch.tensor([0.5, -1.5], dtype=tinytorch.float64, requires_grad=True)
    >>> gradcheck(lambda t: t * t * t, (x,))
    True
    """
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    checked = [i for i, t in enumerate(inputs) if isinstance(t, Tensor) and t.requires_grad]
    if not checked:
        raise ValueError("gradcheck expects at least one input tensor to require gradient")
    outputs = _outputs(func, inputs)
    moved = {i: _Moved(func, inputs, i) for i in checked}
    for o, output in enumerate(outputs):
        if not output.requires_grad:
            continue
        for at in np.ndindex(output._array.shape):
            seed = np.zeros_like(output._array)
            seed[at] = 1
            grads = autograd_grad(
                output, [inputs[i] for i in checked], wrap(seed), retain_graph=True, allow_unused=True
            )
            for i, analytical in zip(checked, grads, strict=True):
                element = moved[i].element(o, at)
                numerical = numerical_gradient(element, np.array(inputs[i]._array, dtype=np.float64), eps)
                found = np.zeros_like(numerical) if analytical is None else np.asarray(analytical._array, np.float64)
                if not np.allclose(found, numerical, rtol=rtol, atol=atol, equal_nan=True):
                    if not raise_exception:
                        return False
                    raise GradcheckError(
                        f"Jacobian mismatch for output {o} with respect to input {i}, output element {at}:\n"
                        f"numerical: {numerical}\nanalytical: {found}"
                    )
    return True


class _Moved:
    """The outputs of a function for moved values of one input. Each output element asks for the same moves: kept."""

    def __init__(self, func: Callable[..., Any], inputs: tuple, number: int) -> None:
        self.func, self.inputs, self.number = func, inputs, number
        self.known: dict[bytes, list[np.ndarray]] = {}

    def element(self, output: int, at: tuple[int, ...]) -> Callable[[np.ndarray], float]:
        """One element of one output, as a function of the input's values."""
        return lambda x: float(self._outputs(x)[output][at])

    def _outputs(self, x: np.ndarray) -> list[np.ndarray]:
        key = x.tobytes()
        if key not in self.known:
            t = wrap(x.astype(self.inputs[self.number]._array.dtype))
            t._requires_grad = True
            given = self.inputs[: self.number] + (t,) + self.inputs[self.number + 1 :]
            self.known[key] = [out._array for out in _outputs(self.func, given)]
        return self.known[key]


def gradgradcheck(
    func: Callable[..., Any], inputs: Tensor | Sequence[Any], grad_outputs: Any = None, **tolerances: Any
) -> bool:
    """`gradcheck` for the gradients themselves: are second derivatives right?

    >>> import tinytorch
    >>> x = tinytorch.tensor([0.5, -1.5], dtype=tinytorch.float64, requires_grad=True)
    >>> gradgradcheck(lambda t: t * t * t, (x,))
    True
    """
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    outputs = [o for o in _outputs(func, inputs) if o.requires_grad]
    rng = np.random.default_rng(0)
    if grad_outputs is None:
        grad_outputs = []
        for output in outputs:
            seed = wrap(np.asarray(rng.standard_normal(output._array.shape), output._array.dtype))
            seed._requires_grad = True
            grad_outputs.append(seed)
    grad_outputs = (grad_outputs,) if isinstance(grad_outputs, Tensor) else tuple(grad_outputs)

    def first_derivative(*args: Any) -> tuple:
        given, seeds = args[: len(inputs)], args[len(inputs) :]
        outs = [o for o in _outputs(func, given) if o.requires_grad]
        wanted = [t for t in given if isinstance(t, Tensor) and t.requires_grad]
        grads = autograd_grad(outs, wanted, list(seeds), create_graph=True, allow_unused=True)
        return tuple(g for g in grads if g is not None)

    return gradcheck(first_derivative, inputs + grad_outputs, **tolerances)


def _outputs(func: Callable[..., Any], inputs: tuple) -> tuple:
    made = func(*inputs)
    return tuple(made) if isinstance(made, tuple | list) else (made,)
