"""Known misconceptions in local derivatives: wrong bodies that people write, and what a tutor says to them.

A body runs in the stub's own module: it uses that module's names and no names of this file.
"""

from __future__ import annotations

from tinytorch.course.question import Bank

mistake = Bank()


@mistake(
    "autograd.mul_backward",
    "own-operand",
    "You multiplied each gradient by its own operand. Hold y fixed: z = x * y is a straight line in x, and its "
    "slope is y, the other operand.",
)
def mul_own_operand(ctx, dz):
    x, y = ctx.saved
    return dz * x, dz * y


@mistake(
    "autograd.mul_backward",
    "gradient-not-passed-on",
    "You returned the local derivatives y and x, which are right, but not yet multiplied by dz. Somebody behind z "
    "asked how the loss changes: the chain rule multiplies the local derivative by the gradient that arrives.",
)
def mul_no_chain(ctx, dz):
    x, y = ctx.saved
    return y, x


@mistake(
    "autograd.mul_backward",
    "as-for-addition",
    "You passed dz on to both operands. That is the rule for x + y, where both slopes are 1. In a product the "
    "slope depends on the other operand.",
)
def mul_as_add(ctx, dz):
    return dz, dz


@mistake(
    "autograd.mul_backward",
    "both-operands",
    "You multiplied by both operands. The slope of x * y in x is y alone: x itself does not appear in it.",
)
def mul_both(ctx, dz):
    x, y = ctx.saved
    return dz * x * y, dz * x * y


@mistake(
    "autograd.pow_backward",
    "exponent-not-lowered",
    "The factor n is there, but the exponent is still n. Taking the derivative lowers it by one: x² has the slope "
    "2x, not 2x².",
)
def pow_not_lowered(ctx, dy):
    (x,) = ctx.saved
    return dy * 0 if ctx.exponent == 0 else dy * (ctx.exponent * x**ctx.exponent)


@mistake(
    "autograd.pow_backward",
    "factor-forgotten",
    "You lowered the exponent but lost the factor n that comes down in front: x² has the slope 2x, not x.",
)
def pow_no_factor(ctx, dy):
    (x,) = ctx.saved
    return dy * 0 if ctx.exponent == 0 else dy * x ** (ctx.exponent - 1)


@mistake(
    "autograd.pow_backward",
    "gradient-not-passed-on",
    "The local derivative is right, but it is not multiplied by dy, the gradient that arrives. Without it the "
    "chain breaks here.",
)
def pow_no_chain(ctx, dy):
    (x,) = ctx.saved
    return x * 0 if ctx.exponent == 0 else ctx.exponent * x ** (ctx.exponent - 1)


@mistake(
    "autograd.pow_backward",
    "zero-to-the-minus-one",
    "The formula is right nearly everywhere. For n = 0 and x = 0 it computes 0 * 0**-1, which is 0 * inf, not a "
    "number. x**0 is 1 everywhere, so its slope is 0 everywhere: treat n == 0 by itself.",
)
def pow_zero(ctx, dy):
    (x,) = ctx.saved
    return dy * (ctx.exponent * x ** (ctx.exponent - 1.0))


@mistake(
    "autograd.pow_backward",
    "only-squares",
    "You wrote the derivative of x². The exponent of this node is `ctx.exponent`, and it may be any number.",
)
def pow_square_only(ctx, dy):
    (x,) = ctx.saved
    return dy * (2 * x)


@mistake(
    "autograd.mm_backward",
    "wrong-side",
    "You multiplied from the wrong side. Products of matrices have an order: B stands on the right of A in C = A "
    "@ B, so B.T stands on the right of dC in dA; and A.T on the left of dC in dB. For square matrices the shapes "
    "do not warn you.",
)
def mm_other_side(ctx, dc):
    a, b = ctx.saved
    return b.T @ dc, dc @ a.T


@mistake(
    "autograd.mm_backward",
    "not-transposed",
    "The factors are on their sides, but not transposed. dA has the shape of A, (N, K); from dC (N, M) you get "
    "there with B.T (M, K).",
)
def mm_no_transpose(ctx, dc):
    a, b = ctx.saved
    return dc @ b, a @ dc


@mistake(
    "autograd.mm_backward",
    "results-exchanged",
    "Both gradients are right, but they are returned in the wrong order: the first belongs to A, the second to B.",
)
def mm_exchanged(ctx, dc):
    a, b = ctx.saved
    return a.T @ dc, dc @ b.T


@mistake(
    "autograd.mm_backward",
    "gradient-not-passed-on",
    "dC does not occur in your answer. The local derivative alone is not yet a gradient: the chain rule "
    "multiplies it with what arrives.",
)
def mm_no_chain(ctx, dc):
    a, b = ctx.saved
    return b.T, a.T
