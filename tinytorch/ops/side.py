"""The verbs of `kernels.of` for tensors: what lets a backward formula be recorded itself.

Each name has the signature of the kernel of that name; where a backward formula uses a verb that is missing here, its
second derivative is missing too.
"""

from __future__ import annotations

from tinytorch import kernels
from tinytorch.autograd.op import Op
from tinytorch.ops import cast, creation, indexing, linalg, loss, pointwise, reduce, shape


class PutSlice(Op):
    """y = zeros with v at a basic index,  dv = dy at that index"""

    def forward(ctx, v, like, index):
        ctx.index = index
        return kernels.of(v).put_slice(like, index, v)

    def backward(ctx, dy):
        return dy[ctx.index]


class AddIndex(Op):
    """y = zeros with v added at an index,  dv = dy at that index"""

    def forward(ctx, v, like, index):
        ctx.index = index
        return kernels.of(v).add_index(like, index, v)

    def backward(ctx, dy):
        return dy[ctx.index]


class TensorSide:
    """Namespace; never instantiated."""

    exp, log, sqrt, tanh, sigmoid, relu = map(
        staticmethod,
        (pointwise.exp, pointwise.log, pointwise.sqrt, pointwise.tanh, pointwise.sigmoid, pointwise.relu),
    )
    sum = staticmethod(reduce.sum)
    mm = staticmethod(linalg.mm)
    expand = staticmethod(shape.expand)
    transpose = staticmethod(shape.transpose)
    softmax, log_softmax = staticmethod(loss.softmax), staticmethod(loss.log_softmax)
    put_at_class, take_at_class = staticmethod(loss.put_at_class), staticmethod(loss.take_at_class)
    cross_entropy_backward, constant = staticmethod(loss.cross_entropy_backward), staticmethod(loss.constant)
    zeros_like = staticmethod(creation.zeros_like)
    clone = staticmethod(cast.clone)
    cast = staticmethod(cast.to_dtype)

    @staticmethod
    def put_slice(like, index, dy):
        return PutSlice.apply(dy, like=like, index=index)

    @staticmethod
    def add_index(like, index, dy):
        return AddIndex.apply(dy, like=like, index=index)

    @staticmethod
    def take_slice(x, index):
        return indexing.getitem(x, index)
