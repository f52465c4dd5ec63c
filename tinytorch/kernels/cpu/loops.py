"""Loops in Numba, for the places where NumPy needs several passes over memory and one would do.

At a million elements a pass over memory costs more than the arithmetic in it. NumPy computes `dy * y * (1 - y)` in
three passes with two arrays in between; a compiled loop does it in one. Each loop here is what one would write on
paper, over flat arrays; what makes it fast is said where it is not obvious. This module is imported when an array is
first large enough to be worth it (see `fast.py`): loading Numba takes longer than most small computations.

`reassociate` lets the compiler keep several partial sums side by side (SIMD); a single running sum in float32 would be
both slower and less exact. NaN and infinities behave as usual. Division by zero gives infinity, not an exception, which
is also what lets the compiler use vector instructions.

`prange` marks loops whose turns do not depend on each other: they are shared out over threads where there are several
and the arrays are large.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numba
import numpy as np
from numba import prange

from tinytorch.kernels.cpu import threads


class Loop:
    """A loop compiled twice, when first called: for one thread, and for several."""

    def __init__(self, function: FunctionType, flags: set[str]) -> None:
        options: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": flags}
        self.serial = numba.njit(**options)(function)
        twin = FunctionType(function.__code__, function.__globals__, f"{function.__name__}_parallel")
        twin.__qualname__ = twin.__name__  # Numba's cache on disk knows functions by this name
        twin.__module__ = function.__module__
        self.parallel = numba.njit(parallel=True, **options)(twin)

    def __call__(self, *args: Any) -> Any:
        count = threads.get_num_threads()
        if count == 1 or args[0].size < threads.WORTHWHILE:
            return self.serial(*args)
        numba.set_num_threads(min(count, numba.config.NUMBA_NUM_THREADS))
        return self.parallel(*args)


def loop(function: Callable) -> Loop:
    return Loop(function, {"contract"})


def reassociate(function: Callable) -> Loop:
    return Loop(function, {"contract", "reassoc", "nsz"})


one_thread = numba.njit(cache=True, nogil=True, error_model="numpy")  # turns that may write to the same place
inlined = numba.njit(inline="always", error_model="numpy", fastmath={"contract"})

f32, i32 = np.float32, np.int32
LOG2_E = f32(1 / math.log(2))
LN2_HIGH = f32(0.693359375)  # ln 2 in two parts, the first short enough that n * LN2_HIGH is exact
LN2_LOW = f32(math.log(2) - 0.693359375)
LARGEST, SMALLEST = f32(88.72284), f32(-87.33654)  # eˣ overflows above, and is below the normal numbers underneath
ZERO, HALF, ONE, TWO = f32(0), f32(0.5), f32(1), f32(2)


@inlined
def exp_inside(x):
    """eˣ in float32 for -87.3 <= x <= 88: x = n ln 2 + r, |r| <= ln 2 / 2, so eˣ = 2ⁿ eʳ; a Taylor polynomial for eʳ.

    Arithmetic and no branches, hence sixteen at a time. Relative error below 2e-7.
    """
    n = np.floor(x * LOG2_E + HALF)
    r = x - n * LN2_HIGH - n * LN2_LOW
    p = f32(1 / 5040)
    p = p * r + f32(1 / 720)
    p = p * r + f32(1 / 120)
    p = p * r + f32(1 / 24)
    p = p * r + f32(1 / 6)
    p = p * r + HALF
    p = p * r * r + r + ONE
    return p * i32((i32(n) + i32(127)) << i32(23)).view(f32)  # the bits of 2ⁿ: the exponent field of a float32


@inlined
def clamped(x):
    return min(max(x, SMALLEST), f32(88))


@inlined
def exp32(x):
    """eˣ in float32 for every x: 0 below the normal numbers, infinity above the largest, NaN for NaN."""
    result = exp_inside(min(max(x, SMALLEST), LARGEST) * HALF)  # squared below: 2¹²⁸ itself has no bits in float32
    result = result * result if x >= SMALLEST else ZERO
    result = result if x <= LARGEST else f32(np.inf)
    return result if x == x else x


# ---- pointwise --------------------------------------------------------------------------------------------------


@loop
def exp(x, y):
    for i in prange(x.size):
        y[i] = exp32(x[i])


@loop
def sigmoid(x, y):
    for i in prange(x.size):
        s = ONE / (ONE + exp_inside(clamped(-x[i])))
        y[i] = s if x[i] == x[i] else x[i]


@loop
def sigmoid_backward(dy, y, dx):
    for i in prange(y.size):
        dx[i] = dy[i] * y[i] * (ONE - y[i])


@loop
def tanh_backward(dy, y, dx):
    for i in prange(y.size):
        dx[i] = dy[i] * (ONE - y[i] * y[i])


@loop
def relu(x, y):
    for i in prange(x.size):
        y[i] = x[i] if not x[i] < ZERO else ZERO  # "not less": NaN stays NaN


@loop
def relu_backward(dy, y, dx):
    for i in prange(y.size):
        dx[i] = dy[i] if y[i] > ZERO else ZERO


@inlined
def tanh32(x):
    """(e²ˣ - 1) / (e²ˣ + 1), with the sign apart; for small x the odd polynomial, where that would cancel."""
    a = abs(x)
    e = exp_inside(TWO * min(a, f32(10)))
    large = ONE - TWO / (e + ONE)
    s = x * x
    p = f32(-0.00886323) * s + f32(0.02186949)
    p = p * s + f32(-0.05396825)
    p = p * s + f32(0.13333334)
    p = p * s + f32(-0.33333334)
    small = a * (p * s) + a
    t = large if a > f32(0.3) else small
    t = t if x >= ZERO else -t
    return t if x == x else x


@inlined
def erf32(x):
    """The error function as a quotient of two polynomials in x², fitted for |x| < 4; beyond, it is 1 in float32.

    Coefficients as in Eigen's and XLA's float32 erf. Absolute error below 2e-7.
    """
    z = min(max(x, f32(-4)), f32(4))
    s = z * z
    p = f32(-2.72614225801306e-10) * s + f32(2.77068142495902e-08)
    p = p * s + f32(-2.10102402082508e-06)
    p = p * s + f32(-5.69250639462346e-05)
    p = p * s + f32(-7.34990630326855e-04)
    p = p * s + f32(-2.95459980854025e-03)
    p = (p * s + f32(-1.60960333262415e-02)) * z
    q = f32(-1.45660718464996e-05) * s + f32(-2.13374055278905e-04)
    q = q * s + f32(-1.68282697438203e-03)
    q = q * s + f32(-7.37332916720468e-03)
    q = q * s + f32(-1.42647390514189e-02)
    r = p / q
    return r if x == x else x


@loop
def erf(x, y):
    for i in prange(x.size):
        y[i] = math.erf(x[i])


@loop
def erfc(x, y):
    for i in prange(x.size):
        y[i] = math.erfc(x[i])


@loop
def gelu(x, y):
    for i in prange(x.size):
        y[i] = HALF * x[i] * (ONE + erf32(x[i] * f32(0.70710678)))


@loop
def gelu_backward(dy, x, dx):
    for i in prange(x.size):
        cdf = HALF * (ONE + erf32(x[i] * f32(0.70710678)))
        pdf = f32(0.39894228) * exp_inside(max(-HALF * x[i] * x[i], SMALLEST))
        dx[i] = dy[i] * (cdf + x[i] * pdf)


@loop
def gelu_tanh(x, y):
    for i in prange(x.size):
        inner = f32(0.79788456) * (x[i] + f32(0.044715) * x[i] * x[i] * x[i])
        y[i] = HALF * x[i] * (ONE + tanh32(inner))


@loop
def gelu_tanh_backward(dy, x, dx):
    for i in prange(x.size):
        t = tanh32(f32(0.79788456) * (x[i] + f32(0.044715) * x[i] * x[i] * x[i]))
        slope = f32(0.79788456) * (ONE + f32(0.134145) * x[i] * x[i])
        dx[i] = dy[i] * (HALF * (ONE + t) + HALF * x[i] * (ONE - t * t) * slope)


@loop
def silu(x, y):
    for i in prange(x.size):
        y[i] = x[i] / (ONE + exp_inside(clamped(-x[i])))


@loop
def silu_backward(dy, x, dx):
    for i in prange(x.size):
        s = ONE / (ONE + exp_inside(clamped(-x[i])))
        dx[i] = dy[i] * s * (ONE + x[i] * (ONE - s))


# ---- rows: arrays of shape (rows, columns) -----------------------------------------------------------------------


@reassociate
def sum_all(x):
    total = 0.0  # rows are summed in float32, their sums in float64
    for r in prange(x.shape[0]):
        s = ZERO
        for c in range(x.shape[1]):
            s += x[r, c]
        total += s
    return f32(total)


@reassociate
def sum_rows(x, y):
    for r in prange(x.shape[0]):
        s = ZERO
        for c in range(x.shape[1]):
            s += x[r, c]
        y[r] = s


# The largest element of each row comes from NumPy: its maximum runs in vectors, and lets NaN through.


@reassociate
def softmax(x, largest, y):
    for r in prange(x.shape[0]):
        m = largest[r]
        s = ZERO
        for c in range(x.shape[1]):
            e = exp_inside(max(x[r, c] - m, SMALLEST))
            y[r, c] = e
            s += e
        k = ONE / s if math.isfinite(m) else f32(np.nan)
        for c in range(x.shape[1]):
            y[r, c] = y[r, c] * k if x[r, c] - m > SMALLEST or not math.isfinite(m) else ZERO


@reassociate
def softmax_backward(dy, y, dx):
    for r in prange(y.shape[0]):
        s = ZERO
        for c in range(y.shape[1]):
            s += dy[r, c] * y[r, c]
        for c in range(y.shape[1]):
            dx[r, c] = y[r, c] * (dy[r, c] - s)


@reassociate
def log_softmax(x, largest, y):
    for r in prange(x.shape[0]):
        m = largest[r]
        s = ZERO
        for c in range(x.shape[1]):
            s += exp_inside(max(x[r, c] - m, SMALLEST))
        log_sum = m + f32(math.log(s)) if math.isfinite(m) else f32(np.nan)
        for c in range(x.shape[1]):
            y[r, c] = x[r, c] - log_sum


@reassociate
def log_softmax_backward(dy, y, dx):
    for r in prange(y.shape[0]):
        s = ZERO
        for c in range(y.shape[1]):
            s += dy[r, c]
        for c in range(y.shape[1]):
            dx[r, c] = dy[r, c] - exp_inside(max(y[r, c], SMALLEST)) * s


@loop
def cross_entropy_backward(y, scale, target, dx):
    """dx = scale · (eʸ - onehot) for each row; y holds log-probabilities, all NaN or none."""
    for r in prange(y.shape[0]):
        k = scale[r] if y[r, 0] == y[r, 0] else y[r, 0]
        for c in range(y.shape[1]):
            e = exp_inside(max(y[r, c], SMALLEST)) * k
            dx[r, c] = e if y[r, c] > SMALLEST else ZERO * k
        dx[r, target[r]] -= scale[r]


@reassociate
def layer_norm(x, weight, bias, eps, y, mean, rstd):
    """Each row to mean 0 and variance 1, then times weight plus bias; keeps the means and 1 / deviations."""
    n = f32(x.shape[1])
    for r in prange(x.shape[0]):
        s = ZERO
        for c in range(x.shape[1]):
            s += x[r, c]
        m = s / n
        v = ZERO
        for c in range(x.shape[1]):
            v += (x[r, c] - m) * (x[r, c] - m)
        k = ONE / f32(math.sqrt(v / n + eps))
        for c in range(x.shape[1]):
            y[r, c] = (x[r, c] - m) * k * weight[c] + bias[c]
        mean[r], rstd[r] = m, k


@reassociate
def layer_norm_backward(dy, x, weight, mean, rstd, dx, dweight, dbias):
    n = f32(x.shape[1])
    dweight[:], dbias[:] = ZERO, ZERO
    for r in range(x.shape[0]):
        m, k = mean[r], rstd[r]
        s, t = ZERO, ZERO  # Σ g and Σ g · x̂, where g = dy · weight and x̂ is the normalised row
        for c in range(x.shape[1]):
            g = dy[r, c] * weight[c]
            s += g
            t += g * (x[r, c] - m) * k
        s, t = s / n, t / n
        for c in range(x.shape[1]):
            h = (x[r, c] - m) * k
            dx[r, c] = k * (dy[r, c] * weight[c] - s - h * t)
            dweight[c] += dy[r, c] * h
            dbias[c] += dy[r, c]


# ---- columns, and moving elements -------------------------------------------------------------------------------


@one_thread
def sum_columns(x, y):
    """Row after row is added to the sums: memory is read in order, sixteen columns at a time."""
    y[:] = ZERO
    for r in range(x.shape[0]):
        for c in range(x.shape[1]):
            y[c] += x[r, c]


@one_thread
def max_columns(x, y, at):
    """The largest element of each column and the row of the first one; NaN counts as largest."""
    y[:], at[:] = x[0], 0
    for r in range(1, x.shape[0]):
        for c in range(x.shape[1]):
            better = x[r, c] > y[c] or (x[r, c] != x[r, c] and y[c] == y[c])
            y[c] = x[r, c] if better else y[c]
            at[c] = r if better else at[c]


@loop
def gather_rows(x, index, y):
    for r in prange(index.shape[0]):
        for c in range(index.shape[1]):
            y[r, c] = x[r, index[r, c]]


@loop
def scatter_add_rows(dy, index, dx):
    for r in prange(index.shape[0]):
        for c in range(index.shape[1]):
            dx[r, index[r, c]] += dy[r, c]


@one_thread
def add_slices(dy, index, dx):
    """dx[index[i]] += dy[i]: a row that is named twice gets both."""
    for i in range(index.size):
        for c in range(dy.shape[1]):
            dx[index[i], c] += dy[i, c]


@one_thread
def add_places(values, places, flat):
    for i in range(places.size):
        flat[places[i]] += values[i]


# ---- optimisers --------------------------------------------------------------------------------------------------


@loop
def sgd(p, g, b, lr, momentum, rest, decay, nesterov):
    """One step of SGD with momentum, all in one pass; b is the running sum of gradients, `rest` is 1 - dampening."""
    for i in prange(p.size):
        d = g[i] + decay * p[i]
        b[i] = momentum * b[i] + rest * d
        p[i] -= lr * (d + momentum * b[i] if nesterov else b[i])


@loop
def adam(p, g, m, v, step_size, beta1, beta2, rest1, rest2, eps, decay, root_correction):
    """One step of Adam, all in one pass: read four arrays, write three. `rest` is 1 - beta, rounded only once."""
    for i in prange(p.size):
        d = g[i] + decay * p[i]
        m[i] = beta1 * m[i] + rest1 * d
        v[i] = beta2 * v[i] + rest2 * d * d
        p[i] -= step_size * m[i] / (f32(math.sqrt(v[i])) / root_correction + eps)
