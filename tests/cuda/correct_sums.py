"""Correct kernels that add up: across a block, across a warp, by key and along the way."""

import numpy as np
from numba import cuda, float32, int32

from tests.cuda.bank import Bank, close, made

sums = Bank()
THREADS = 64
FULL = 0xFFFFFFFF


@sums(grid=3, block=THREADS, make=made((150,), ("zeros", 3)),
         check=lambda b, a: close(a[1], np.add.reduceat(b[0], [0, 64, 128]), 1e-4))  # fmt: skip
@cuda.jit
def block_sum(x, out):
    partial = cuda.shared.array(THREADS, float32)
    t = cuda.threadIdx.x
    i = cuda.grid(1)
    partial[t] = x[i] if i < x.size else float32(0)
    cuda.syncthreads()
    stride = THREADS // 2
    while stride > 0:
        if t < stride:
            partial[t] += partial[t + stride]
        cuda.syncthreads()
        stride //= 2
    if t == 0:
        out[cuda.blockIdx.x] = partial[0]


@sums(grid=2, block=64, make=made((128,), ("zeros", 4)),
         check=lambda b, a: close(a[1], b[0].reshape(4, 32).sum(1), 1e-4))  # fmt: skip
@cuda.jit
def warp_shuffle_sum(x, out):
    i = cuda.grid(1)
    value = x[i]
    offset = 16
    while offset > 0:
        value += cuda.shfl_down_sync(FULL, value, offset)
        offset //= 2
    if cuda.laneid == 0:
        out[i // 32] = value


@sums(grid=1, block=16, make=made((16,), ("zeros", 1)), check=lambda b, a: close(a[1][0], b[0].sum(), 1e-4))
@cuda.jit
def half_warp_sum(x, out):
    t = cuda.threadIdx.x
    value = x[t]
    for step in range(4):
        value += cuda.shfl_xor_sync(0xFFFF, value, 8 >> step)
    if t == 0:
        out[0] = value


@sums(grid=2, block=96, make=made((170,), ("zeros", 1)), check=lambda b, a: close(a[1][0], b[0].sum(), 1e-4))
@cuda.jit
def warps_then_atomic_sum(x, out):
    sums = cuda.shared.array(3, float32)
    i = cuda.grid(1)
    t = cuda.threadIdx.x
    value = x[i] if i < x.size else float32(0)
    for step in range(5):
        value += cuda.shfl_down_sync(FULL, value, 16 >> step)
    if t % 32 == 0:
        sums[t // 32] = value
    cuda.syncthreads()
    if t == 0:
        cuda.atomic.add(out, 0, sums[0] + sums[1] + sums[2])


@sums(grid=1, block=32, make=made((64,), ("zeros", 1)), check=lambda b, a: close(a[1][0], b[0].sum(), 1e-4))
@cuda.jit
def shared_warp_sum_with_syncwarp(x, out):
    buffer = cuda.shared.array(64, float32)
    t = cuda.threadIdx.x
    buffer[t] = x[t]
    buffer[63 - t] = x[t + 32]
    cuda.syncwarp()
    buffer[t] += buffer[t + 32]
    cuda.syncwarp()
    for step in range(5):
        if t < 16 >> step:
            buffer[t] += buffer[t + (16 >> step)]
        cuda.syncwarp()
    if t == 0:
        out[0] = buffer[0]


@sums(grid=2, block=64, make=made(("ints", 10, 300), ("counts", 10)),
         check=lambda b, a: np.testing.assert_array_equal(a[1], np.bincount(b[0], minlength=10)))  # fmt: skip
@cuda.jit
def histogram_shared(x, bins):
    local = cuda.shared.array(10, int32)
    t = cuda.threadIdx.x
    if t < 10:
        local[t] = 0
    cuda.syncthreads()
    for i in range(cuda.grid(1), x.size, cuda.gridsize(1)):
        cuda.atomic.add(local, x[i], 1)
    cuda.syncthreads()
    if t < 10:
        cuda.atomic.add(bins, t, local[t])


@sums(grid=1, block=64, make=made((64,), ("zeros", 64)), check=lambda b, a: close(a[1], np.cumsum(b[0]), 1e-4))
@cuda.jit
def scan_two_buffers(x, out):
    a = cuda.shared.array((2, 64), float32)
    t = cuda.threadIdx.x
    a[0, t] = x[t]
    cuda.syncthreads()
    now = 0
    step = 1
    while step < 64:
        a[1 - now, t] = a[now, t] + a[now, t - step] if t >= step else a[now, t]
        now = 1 - now
        step *= 2
        cuda.syncthreads()
    out[t] = a[now, t]


@sums(grid=1, block=64, make=made((64,), ("zeros", 64)), check=lambda b, a: close(a[1], np.cumsum(b[0]), 1e-4))
@cuda.jit
def scan_in_place(x, out):
    a = cuda.shared.array(64, float32)
    t = cuda.threadIdx.x
    a[t] = x[t]
    step = 1
    while step < 64:
        cuda.syncthreads()
        before = float32(0)
        if t >= step:
            before = a[t - step]
        cuda.syncthreads()
        a[t] += before
        step *= 2
    out[t] = a[t]
