"""Reference bodies for tinytorch/autograd/gradcheck.py."""

import numpy as np

from tinytorch.exercise import exercise


@exercise("autograd.numerical_gradient", points=2)
def numerical_gradient(f, x, eps=1e-6):
    x = x.copy()
    gradient = np.zeros_like(x)
    for at in np.ndindex(x.shape):
        here = x[at]
        x[at] = here + eps
        above = f(x)
        x[at] = here - eps
        below = f(x)
        x[at] = here
        gradient[at] = (above - below) / (2 * eps)
    return gradient
