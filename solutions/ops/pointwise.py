"""Reference bodies for tinytorch/ops/pointwise.py."""

from tinytorch.exercise import exercise


class Mul:
    @exercise("autograd.mul_backward", points=2)
    def backward(ctx, dz):
        x, y = ctx.saved
        return dz * y, dz * x


class PowScalar:
    @exercise("autograd.pow_backward", points=2)
    def backward(ctx, dy):
        (x,) = ctx.saved
        n = ctx.exponent
        return dy * (n * x ** (n - 1)) if n != 0 else dy * 0
