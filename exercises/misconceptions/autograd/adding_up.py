"""Known misconceptions where gradients are added up: wrong bodies that people write, and what a tutor says to them.

A body runs in the stub's own module: it uses that module's names and no names of this file.
"""

from __future__ import annotations

from tinytorch.course.question import Bank

mistake = Bank()


@mistake(
    "autograd.unbroadcast",
    "nothing-summed",
    "You returned the gradient as it came, in the broadcast shape. The operand had the shape `shape`, and its "
    "gradient must have it too: sum over all the copies that broadcasting made.",
)
def unbroadcast_nothing(grad, shape):
    return grad


@mistake(
    "autograd.unbroadcast",
    "lengths-of-one-forgotten",
    "You summed the axes that broadcasting put in front, but not those that it stretched: where `shape` has a 1 "
    "and the gradient has more, the one element was used many times too.",
)
def unbroadcast_front_only(grad, shape):
    new = grad.ndim - len(shape)
    return grad.sum(axis=tuple(range(new))) if new else grad


@mistake(
    "autograd.unbroadcast",
    "front-axes-forgotten",
    "You summed the axes of length 1, but not those that broadcasting put in front. Shapes are aligned at their "
    "ends, so the first grad.ndim - len(shape) axes are new.",
)
def unbroadcast_ones_only(grad, shape):
    new = grad.ndim - len(shape)
    axes = tuple(i + new for i, n in enumerate(shape) if n == 1)
    return grad.sum(axis=axes, keepdims=True) if axes else grad


@mistake(
    "autograd.unbroadcast",
    "mean-instead-of-sum",
    "You took the mean over the copies. Each copy adds its own part to the loss, and parts are added: a sum.",
)
def unbroadcast_mean(grad, shape):
    new = grad.ndim - len(shape)
    axes = tuple(range(new)) + tuple(i + new for i, n in enumerate(shape) if n == 1)
    total = grad.sum(axis=axes, keepdims=True).reshape(shape) if axes else grad
    copies = 1
    for axis in axes:
        copies *= grad.shape[axis]
    return total / copies if copies > 1 else total


@mistake(
    "autograd.unbroadcast",
    "axes-of-one-lost",
    "The sums are right, but axes of length 1 have vanished: (4, 1) became (4,). keepdims=True keeps them, and "
    ".reshape(shape) gives exactly the operand's shape.",
)
def unbroadcast_drops(grad, shape):
    new = grad.ndim - len(shape)
    axes = tuple(range(new)) + tuple(i + new for i, n in enumerate(shape) if n == 1 and grad.shape[i + new] != 1)
    return grad.sum(axis=axes) if axes else grad


@mistake(
    "autograd.accumulate",
    "overwritten",
    "You gave back the new gradient alone: what had arrived before is lost. A value that is used twice changes "
    "the loss in two ways, and the two add up.",
)
def accumulate_overwrites(total, grad):
    return grad


@mistake(
    "autograd.accumulate",
    "changed-in-place",
    "The sum is right, but `total` itself was changed. The same array may be held by another node (x + y hands "
    "one gradient to both), and that one now sees your sum. `total + grad` makes a new array.",
)
def accumulate_in_place(total, grad):
    if total is None:
        return grad
    total += grad
    return total


@mistake(
    "autograd.accumulate",
    "grad-changed-in-place",
    "The sum is right, but you wrote it into the array that came in. Whoever sent it may send the same array to "
    "others too. `total + grad` makes a new array.",
)
def accumulate_into_grad(total, grad):
    if total is not None:
        grad += total
    return grad


@mistake(
    "autograd.accumulate",
    "first-one-kept",
    "You kept the first gradient and dropped the later ones. All of them count: add.",
)
def accumulate_first(total, grad):
    return grad if total is None else total


@mistake(
    "autograd.accumulate",
    "none-forgotten",
    "At first nothing has arrived and `total` is None, which cannot be added. Then the new gradient is the sum.",
)
def accumulate_no_none(total, grad):
    return total + grad


@mistake(
    "autograd.accumulate_grad",
    "overwritten",
    "The second gradient replaced the first. PyTorch adds: a leaf used twice, or a second backward(), must not "
    "lose what came before. That is why zero_grad exists.",
)
def leaf_overwrites(leaf, grad):
    leaf.grad = grad.clone()


@mistake(
    "autograd.accumulate_grad",
    "memory-shared",
    "You stored the incoming tensor itself. For z = x + y the same tensor is sent to x and to y: then x.grad and "
    "y.grad are one piece of memory, and x.grad.zero_() empties both. Store a copy: grad.clone().",
)
def leaf_aliases(leaf, grad):
    leaf.grad = grad if leaf.grad is None else leaf.grad + grad


@mistake(
    "autograd.accumulate_grad",
    "memory-shared-and-changed",
    "You stored the incoming tensor itself, and later added into it. For z = x + y the same tensor is sent to x "
    "and to y, so adding to one .grad changed the other, too. Store a copy the first time: grad.clone().",
)
def leaf_aliases_in_place(leaf, grad):
    if leaf.grad is None:
        leaf.grad = grad
    else:
        leaf.grad.add_(grad)


@mistake(
    "autograd.accumulate_grad",
    "incoming-changed",
    "You added into the tensor that came in. It may be on its way to others as well; change only what belongs to "
    "the leaf.",
)
def leaf_into_grad(leaf, grad):
    if leaf.grad is None:
        leaf.grad = grad.clone()
    else:
        leaf.grad = grad.add_(leaf.grad)


@mistake(
    "autograd.accumulate_grad",
    "none-forgotten",
    "A fresh leaf has no gradient yet: leaf.grad is None, and None cannot be added to. The first time, store a copy.",
)
def leaf_no_none(leaf, grad):
    leaf.grad = leaf.grad + grad
