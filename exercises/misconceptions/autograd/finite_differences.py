"""Known misconceptions about finite differences: wrong bodies that people write, and what a tutor says to them.

A body runs in the stub's own module: it uses that module's names and no names of this file.
"""
# ruff: noqa: F821

from __future__ import annotations

from tinytorch.course.question import Bank

mistake = Bank()


@mistake(
    "autograd.numerical_gradient",
    "one-sided",
    "You compare f(x + eps) with f(x). That works, but its error shrinks only like eps. Going the same step to "
    "both sides makes the errors of even order cancel, and the rest shrinks like eps²: central differences.",
)
def numerical_forward(f, x, eps=1e-6):
    gradient, moved = np.zeros(x.shape), x.copy()
    for at in np.ndindex(x.shape):
        moved[at] = x[at] + eps
        gradient[at] = (f(moved) - f(x)) / eps
        moved[at] = x[at]
    return gradient


@mistake(
    "autograd.numerical_gradient",
    "divided-by-one-step",
    "Your result is twice the gradient. From x - eps to x + eps the distance is 2 * eps: divide by that.",
)
def numerical_one_step(f, x, eps=1e-6):
    gradient, moved = np.zeros(x.shape), x.copy()
    for at in np.ndindex(x.shape):
        moved[at] = x[at] + eps
        above = f(moved)
        moved[at] = x[at] - eps
        gradient[at] = (above - f(moved)) / eps
        moved[at] = x[at]
    return gradient


@mistake(
    "autograd.numerical_gradient",
    "all-moved-at-once",
    "You moved all elements at the same time. The difference is then the sum of all partial derivatives. Move one "
    "element, and leave the others where they are.",
)
def numerical_all(f, x, eps=1e-6):
    return np.full(x.shape, (f(x + eps) - f(x - eps)) / (2 * eps))


@mistake(
    "autograd.numerical_gradient",
    "input-left-moved",
    "The gradient is right, but x is not what it was: you moved its elements and did not put them back. Work on a "
    "copy, or write the old value back after each step.",
)
def numerical_not_restored(f, x, eps=1e-6):
    gradient = np.zeros(x.shape)
    for at in np.ndindex(x.shape):
        x[at] += eps
        above = f(x)
        x[at] -= 2 * eps
        gradient[at] = (above - f(x)) / (2 * eps)
    return gradient
