"""Convolution as products of matrices.

Every window under the kernel becomes a column (im2col); then a convolution is weight @ columns, its gradient for the
weight is dy @ columnsᵀ, and its gradient for the input is weightᵀ @ dy, with each column added back at the place that
it came from. All columns of a batch together would be many times as large as the input, so they are made a block at a
time, small enough that a block is still in the cache when BLAS reads it.

x (N, C, *size), weight (O, C / groups, *kernel), y (N, O, *out); one, two or three spatial dimensions, which all become
three: (1, 1, W), (1, H, W), (D, H, W). `geometry` is (stride, padding, dilation, groups), tuples of as many numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import as_strided

from tinytorch.kernels.cpu import fast
from tinytorch.kernels.cpu.reduce import is_half, wide

__all__ = ["col2im", "convolution", "convolution_input", "convolution_weight", "im2col"]

CACHE = 98_304  # elements in a block of columns: with what is read and written beside it, inside of the second cache


def convolution(x, weight, bias, geometry):
    """y[n, o] = bias[o] + Σ over c of weight[o, c] laid on x[n, c] at every window"""
    if is_half(x.dtype):
        bias = None if bias is None else wide(bias)
        return convolution(wide(x), wide(weight), bias, geometry).astype(x.dtype)
    groups = geometry[3]
    windows = Windows.on(x, weight.shape[2:], geometry)
    y = np.empty((x.shape[0], weight.shape[0], *windows.out[3 - x.ndim + 2 :]), x.dtype)
    if windows.is_depthwise(x, weight, groups):
        windows.load(lifted(x), slice(None))
        fast.conv_loops().depthwise(windows.padded, lifted(weight), windows.stride, windows.dilation, lifted(y))
    elif not x.size:
        y[...] = 0
    elif y.size:
        matrix = weight.reshape(groups, weight.shape[0] // groups, -1)  # (G, O / G, C / G · kernel)
        target = y.reshape(y.shape[0], groups, y.shape[1] // groups, -1)
        for block in windows.blocks():
            columns = windows.columns(lifted(x), block)
            np.matmul(matrix, columns.reshape(len(columns), groups, matrix.shape[2], -1), out=target[block.of_y])
    if bias is not None:
        y += bias.reshape(-1, *[1] * (x.ndim - 2))
    return y


def convolution_input(dy, weight, bias, size, geometry):
    """dx: each dy[n, o] spread over its window, in the proportions of weight[o]; also the transposed convolution.

    `size` is the spatial shape of dx, which the shape of dy does not always tell.
    """
    if is_half(dy.dtype):
        bias = None if bias is None else wide(bias)
        return convolution_input(wide(dy), wide(weight), bias, size, geometry).astype(dy.dtype)
    groups = geometry[3]
    dx = np.zeros((dy.shape[0], weight.shape[1] * groups, *size), dy.dtype)
    windows = Windows.on(dx, weight.shape[2:], geometry, dy.shape[2:])
    if windows.is_depthwise(dy, weight, groups):
        windows.load(lifted(dx), slice(None), zeros=True)
        loops = fast.conv_loops()
        dy = lifted(np.ascontiguousarray(dy))
        loops.depthwise_input(dy, lifted(weight), windows.stride, windows.dilation, windows.padded)
        windows.unload(lifted(dx), slice(None))
    elif dx.size and dy.size:
        matrix = weight.reshape(groups, weight.shape[0] // groups, -1).transpose(0, 2, 1)
        source = dy.reshape(dy.shape[0], groups, dy.shape[1] // groups, -1)
        for block in windows.blocks():
            columns = windows.empty_columns(block)
            np.matmul(matrix, source[block.of_y], out=columns.reshape(len(columns), groups, matrix.shape[1], -1))
            windows.add_columns(columns, lifted(dx), block)
    if bias is not None:
        dx += bias.reshape(-1, *[1] * (dx.ndim - 2))
    return dx


def convolution_weight(x, dy, size, geometry):
    """dweight[o, c] = Σ over n and all windows of dy[n, o] · the window of x[n, c]; `size` is the kernel's."""
    if is_half(x.dtype):
        return convolution_weight(wide(x), wide(dy), size, geometry).astype(x.dtype)
    groups = geometry[3]
    dweight = np.zeros((dy.shape[1], x.shape[1] // groups, *size), x.dtype)
    windows = Windows.on(x, size, geometry, dy.shape[2:])
    if windows.is_depthwise(x, dweight, groups):
        windows.load(lifted(x), slice(None))
        loops = fast.conv_loops()
        dy = lifted(np.ascontiguousarray(dy))
        loops.depthwise_weight(windows.padded, dy, windows.stride, windows.dilation, lifted(dweight))
    elif x.size and dy.size:
        matrix = dweight.reshape(groups, dy.shape[1] // groups, -1)
        source = dy.reshape(dy.shape[0], groups, dy.shape[1] // groups, -1)
        for block in windows.blocks():
            columns = windows.columns(lifted(x), block)
            columns = columns.reshape(len(columns), groups, matrix.shape[2], -1)
            matrix += np.add.reduce(np.matmul(source[block.of_y], columns.swapaxes(-1, -2)), axis=0)
    return dweight


# ---- fold and unfold: the columns themselves --------------------------------------------------------------------


def im2col(x, size, geometry, out):
    """(N, C, *spatial) -> (N, C · kernel, windows)"""
    windows = Windows.on(x, size, (*geometry, 1), out)
    windows.load(lifted(x), slice(None))
    columns = windows.view().copy()
    return columns.reshape(x.shape[0], x.shape[1] * math.prod(size), math.prod(out))


def col2im(columns, shape, size, geometry, out):
    """(N, C · kernel, windows) -> (N, C, *spatial): each element added at the place that `im2col` takes it from."""
    x = np.zeros((columns.shape[0], columns.shape[1] // math.prod(size), *shape), columns.dtype)
    windows = Windows.on(x, size, (*geometry, 1), out)
    windows.load(lifted(x), slice(None), zeros=True)
    windows.add_taps(columns.reshape(windows.view().shape))
    windows.unload(lifted(x), slice(None))
    return x


# ---- windows ----------------------------------------------------------------------------------------------------


def lifted(x):
    """(N, C, ...) with spatial dimensions of length 1 put in front until there are three, sharing memory."""
    return x if x.ndim == 5 else x.reshape(*x.shape[:2], *[1] * (5 - x.ndim), *x.shape[2:])


class Block:
    """Some whole images, or some rows of the output of one image."""

    def __init__(self, images: slice, rows: slice, width: int) -> None:
        self.images, self.rows = images, rows
        self.of_y = images, slice(None), slice(None), slice(rows.start * width, rows.stop * width)


class Windows:
    """Where a kernel is laid on padded images, and the copying between images and columns."""

    def __init__(self, shape, dtype, kernel, stride, padding, dilation, out) -> None:
        self.shape, self.dtype = shape, dtype  # of the images, (N, C, D, H, W)
        self.kernel, self.stride, self.padding, self.dilation, self.out = kernel, stride, padding, dilation, out
        self.fast = dtype == np.float32 and shape[0] * shape[1] * math.prod(kernel) * math.prod(out) >= fast.LARGE
        self.padded = None
        self._loaded = None

    @classmethod
    def on(cls, x, kernel, geometry, out=None) -> Windows:
        """For images x; how many windows there are along each dimension follows from the sizes, where not given."""
        stride, padding, dilation, _ = geometry
        if out is None:
            spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
            out = [
                (n + 2 * p - span) // s + 1
                for n, p, span, s in zip(x.shape[2:], padding, spans, stride, strict=True)
            ]
        missing = 3 - len(kernel)
        one, none = (1,) * missing, (0,) * missing
        shape = (*x.shape[:2], *one, *x.shape[2:])
        return cls(
            shape, x.dtype, (*one, *kernel), (*one, *stride), (*none, *padding), (*one, *dilation), (*one, *out)
        )

    def is_depthwise(self, x, weight, groups) -> bool:
        """Whether each channel has its own kernels, and is large enough for the loops written for that."""
        return self.fast and weight.shape[1] == 1 and groups > 1 and weight.flags.c_contiguous

    def blocks(self) -> Iterator[Block]:
        """The batch in pieces whose columns fit into the cache."""
        images, rows, width = self.shape[0], self.out[0] * self.out[1], self.out[2]
        per_row = self.shape[1] * math.prod(self.kernel) * width
        if per_row * rows <= CACHE or not self.fast:
            step = max(CACHE // max(per_row * rows, 1), 1)
            for n in range(0, images, step):
                yield Block(slice(n, min(n + step, images)), slice(0, rows), width)
            return
        count = math.ceil(rows / max(CACHE // per_row, 1))
        step = math.ceil(rows / count)
        for n in range(images):
            for r in range(0, rows, step):
                yield Block(slice(n, n + 1), slice(r, min(r + step, rows)), width)

    # ---- padded images ------------------------------------------------------------------------------------------

    def load(self, x, images: slice, zeros: bool = False) -> None:
        """Put some images, or zeros for them, between borders of zeros."""
        source = x[images]
        low = self.padding
        reach = [
            d * (k - 1) + 1 + s * (o - 1)
            for d, k, s, o in zip(self.dilation, self.kernel, self.stride, self.out, strict=True)
        ]
        lengths = [max(n + 2 * p, r) for n, p, r in zip(self.shape[2:], low, reach, strict=True)]
        shape = (*source.shape[:2], *lengths)
        if source.shape == shape and not zeros and (not self.fast or source.flags.c_contiguous):
            self.padded = source
        elif zeros or self.padded is None or self.padded.shape != shape:
            self.padded = np.zeros(shape, self.dtype)
        if not zeros and self.padded is not source:
            self._inside()[...] = source

    def _inside(self):
        return self.padded[
            (..., *[slice(p, p + n) for p, n in zip(self.padding, self.shape[2:], strict=True)])
        ]

    def unload(self, x, images: slice) -> None:
        """Write the padded images into x, without their borders."""
        x[images] = self._inside()

    # ---- columns: (images, C, *kernel, rows, width) -------------------------------------------------------------

    def empty_columns(self, block: Block):
        rows = block.rows.stop - block.rows.start
        count = block.images.stop - block.images.start
        return np.empty((count, self.shape[1], *self.kernel, rows, self.out[2]), self.dtype)

    def columns(self, x, block: Block):
        """The columns of a block."""
        if block.images != self._loaded:
            self.load(x, block.images)
            self._loaded = block.images
        columns = self.empty_columns(block)
        if self.fast:
            loops = fast.conv_loops()
            loops.gather(self.padded, self.stride, self.dilation, self.out[1], block.rows.start, columns)
        else:
            columns.reshape(self.view().shape)[...] = self.view()
        return columns

    def add_columns(self, columns, dx, block: Block) -> None:
        """Add the columns of a block to the images that they belong to, in dx once the last of an image is there."""
        if block.images != self._loaded:
            self.load(dx, block.images, zeros=True)
            self._loaded = block.images
        if self.fast:
            loops = fast.conv_loops()
            loops.scatter(columns, self.stride, self.dilation, self.out[1], block.rows.start, self.padded)
        else:
            self.add_taps(columns.reshape(self.view().shape))
        if block.rows.stop == self.out[0] * self.out[1]:
            self.unload(dx, block.images)

    def view(self):
        """All windows on the loaded images without a copy: (images, C, *kernel, *out)."""
        steps = self.padded.strides[2:]
        inner = [d * s for d, s in zip(self.dilation, steps, strict=True)]
        outer = [t * s for t, s in zip(self.stride, steps, strict=True)]
        return as_strided(
            self.padded, (*self.padded.shape[:2], *self.kernel, *self.out), (*self.padded.strides[:2], *inner, *outer)
        )

    def add_taps(self, columns) -> None:
        """Add columns (images, C, *kernel, *out) to the loaded images, one place in the kernel at a time."""
        view = self.view()
        for place in np.ndindex(*self.kernel):  # windows overlap, but elements at one place in their windows do not
            view[(slice(None), slice(None), *place)] += columns[(slice(None), slice(None), *place)]
