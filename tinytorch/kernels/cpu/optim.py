"""One step of an optimiser for one parameter: arrays that are changed in place, and numbers.

Each function reads as its formula. `out=` keeps the number of passes over memory, and of arrays made, small.
"""

from __future__ import annotations

import math

import numpy as np

from tinytorch.kernels.cpu import fast


def sgd(p, g, buffer, lr, momentum, dampening, weight_decay, nesterov, maximize):
    """p -= lr · g with momentum: b = momentum · b + (1 - dampening) · g, and g becomes b, or g + momentum · b.

    `buffer` is b, changed in place; None without momentum or in the first step. Returns the buffer.
    """
    if buffer is not None and not maximize and fast.is_fast(p, g, buffer):
        numbers = map(np.float32, (lr, momentum, 1 - dampening, weight_decay))
        fast.loops().sgd(p.reshape(-1), g.reshape(-1), buffer.reshape(-1), *numbers, nesterov)
        return buffer
    if maximize:
        g = -g
    if weight_decay:
        g = g + weight_decay * p
    if momentum:
        if buffer is None:
            buffer = np.array(g)
        else:
            buffer *= momentum
            buffer += g if dampening == 0 else (1 - dampening) * g
        g = g + momentum * buffer if nesterov else buffer
    p -= lr * g
    return buffer


def adam(p, g, m, v, largest, step, lr, beta1, beta2, eps, weight_decay, decoupled, maximize):
    """m and v follow g and g² as running averages; p -= lr · m̂ / (√v̂ + eps), where ^ undoes their start at zero.

    m, v and `largest` (the greatest v so far, or None without amsgrad) are changed in place.
    """
    if largest is None and not maximize and not decoupled and fast.is_fast(p, g, m, v):
        root_correction = math.sqrt(1 - beta2**step)
        numbers = (lr / (1 - beta1**step), beta1, beta2, 1 - beta1, 1 - beta2, eps, weight_decay, root_correction)
        fast.loops().adam(*[a.reshape(-1) for a in (p, g, m, v)], *map(np.float32, numbers))
        return
    if maximize:
        g = -g
    if weight_decay and decoupled:
        p *= 1 - lr * weight_decay
    elif weight_decay:
        g = g + weight_decay * p
    work = np.subtract(g, m, out=np.empty_like(m))
    work *= 1 - beta1
    m += work
    np.multiply(g, g, out=work)
    work *= 1 - beta2
    v *= beta2
    v += work
    if largest is not None:
        np.maximum(largest, v, out=largest)
        v = largest
    np.sqrt(v, out=work)
    work /= math.sqrt(1 - beta2**step)
    work += eps
    np.divide(m, work, out=work)
    work *= lr / (1 - beta1**step)
    p -= work
