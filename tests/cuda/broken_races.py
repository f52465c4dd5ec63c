"""Broken kernels: races in shared and global memory. `# <-` marks the lines that may be named."""

import numpy as np
from numba import cuda, float32, int32
from numba.cuda.random import xoroshiro128p_uniform_float32

from tests.cuda.bank import Bank, made
from tinytorch.cuda.simulator import random_states

races = Bank()
TILE = 8
FULL = 0xFFFFFFFF

# races in shared memory


@races("shared-race", grid=1, block=64, make=made((64,), ("zeros", 64)))
@cuda.jit
def reversed_without_barrier(x, out):
    s = cuda.shared.array(64, float32)
    t = cuda.threadIdx.x
    s[t] = x[t]  # <-
    out[t] = s[63 - t]  # <-


def matmul_args(n=16):
    return made((n, n), (n, n), ("zeros", n, n))


@races("shared-race", grid=(2, 2), block=(TILE, TILE), make=matmul_args())
@cuda.jit
def matmul_without_first_barrier(a, b, c):
    left = cuda.shared.array((TILE, TILE), float32)
    right = cuda.shared.array((TILE, TILE), float32)
    tx, ty = cuda.threadIdx.x, cuda.threadIdx.y
    col, row = cuda.grid(2)
    total = float32(0)
    for begin in range(0, a.shape[1], TILE):
        left[ty, tx] = a[row, begin + tx]  # <-
        right[ty, tx] = b[begin + ty, col]  # <-
        for k in range(TILE):
            total += left[ty, k] * right[k, tx]  # <-
        cuda.syncthreads()
    c[row, col] = total


@races("shared-race", grid=(2, 2), block=(TILE, TILE), make=matmul_args())
@cuda.jit
def matmul_without_second_barrier(a, b, c):
    left = cuda.shared.array((TILE, TILE), float32)
    right = cuda.shared.array((TILE, TILE), float32)
    tx, ty = cuda.threadIdx.x, cuda.threadIdx.y
    col, row = cuda.grid(2)
    total = float32(0)
    for begin in range(0, a.shape[1], TILE):
        left[ty, tx] = a[row, begin + tx]  # <-
        right[ty, tx] = b[begin + ty, col]  # <-
        cuda.syncthreads()
        for k in range(TILE):
            total += left[ty, k] * right[k, tx]  # <-
    c[row, col] = total


@races("shared-race", grid=1, block=64, make=made((64,), ("zeros", 1)))
@cuda.jit
def tree_sum_without_barrier_in_loop(x, out):
    s = cuda.shared.array(64, float32)
    t = cuda.threadIdx.x
    s[t] = x[t]
    cuda.syncthreads()
    stride = 32
    while stride > 0:
        if t < stride:
            s[t] += s[t + stride]  # <-
        stride //= 2
    cuda.syncthreads()
    if t == 0:
        out[0] = s[0]


@races("shared-race", grid=1, block=32, make=made((32,), ("zeros", 1)))
@cuda.jit
def trusts_the_warp_to_run_in_step(x, out):
    s = cuda.shared.array(32, float32)
    t = cuda.threadIdx.x
    s[t] = x[t]  # <-
    for step in range(5):
        if t < 16 >> step:
            s[t] += s[t + (16 >> step)]  # <-
    if t == 0:
        out[0] = s[0]


@races("shared-race", grid=1, block=64, make=made((64,), ("zeros", 1)))
@cuda.jit
def syncwarp_between_two_warps(x, out):
    s = cuda.shared.array(64, float32)
    t = cuda.threadIdx.x
    s[t] = x[t]  # <-
    cuda.syncwarp()
    if t < 32:
        s[t] += s[t + 32]  # <-
    cuda.syncthreads()
    if t == 0:
        out[0] = s[0] + s[1]


@races("shared-race", grid=1, block=64, make=made((64,), ("zeros", 64)))
@cuda.jit
def scan_in_place_reads_and_writes_at_once(x, out):
    s = cuda.shared.array(64, float32)
    t = cuda.threadIdx.x
    s[t] = x[t]
    cuda.syncthreads()
    if t > 0:
        s[t] += s[t - 1]  # <-
    cuda.syncthreads()
    out[t] = s[t]


@races("shared-race", grid=1, block=64, make=made(("ints", 8, 64), ("counts", 8)))
@cuda.jit
def shared_histogram_without_atomics(x, bins):
    s = cuda.shared.array(8, int32)
    t = cuda.threadIdx.x
    if t < 8:
        s[t] = 0
    cuda.syncthreads()
    s[x[t]] += 1  # <-
    cuda.syncthreads()
    if t < 8:
        bins[t] = s[t]


@races("shared-race", grid=1, block=64, make=made(("ints", 8, 64), ("counts", 8)))
@cuda.jit
def histogram_read_before_it_is_full(x, bins):
    s = cuda.shared.array(8, int32)
    t = cuda.threadIdx.x
    if t < 8:
        s[t] = 0
    cuda.syncthreads()
    cuda.atomic.add(s, x[t], 1)  # <-
    if t < 8:
        bins[t] = s[t]  # <-


@races("shared-race", grid=1, block=64, make=made(("ints", 8, 64), ("counts", 8)))
@cuda.jit
def histogram_cleared_too_late(x, bins):
    s = cuda.shared.array(8, int32)
    t = cuda.threadIdx.x
    if t < 8:
        s[t] = 0  # <-
    cuda.atomic.add(s, x[t], 1)  # <-
    cuda.syncthreads()
    if t < 8:
        bins[t] = s[t]


@races("shared-race", grid=1, block=32, make=made((32,), ("zeros", 32)))
@cuda.jit
def everyone_writes_the_same_cell(x, out):
    s = cuda.shared.array(1, float32)
    t = cuda.threadIdx.x
    s[0] = x[t]  # <-
    cuda.syncthreads()
    out[t] = s[0]


@races("shared-race", grid=1, block=32, make=made((32,), ("zeros", 32)))
@cuda.jit
def broadcast_without_barrier(x, out):
    s = cuda.shared.array(1, float32)
    t = cuda.threadIdx.x
    if t == 0:
        s[0] = x[0]  # <-
    out[t] = x[t] - s[0]  # <-


@races("shared-race", grid=2, block=32, make=made((64,), ("zeros", 64)))
@cuda.jit
def halo_without_barrier(x, out):
    tile = cuda.shared.array(34, float32)
    t = cuda.threadIdx.x
    i = cuda.grid(1)
    tile[t + 1] = x[i]  # <-
    if t == 0:
        tile[0] = x[i - 1] if i > 0 else float32(0)  # <-
    if t == 31:
        tile[33] = x[i + 1] if i + 1 < x.size else float32(0)  # <-
    out[i] = tile[t] + tile[t + 1] + tile[t + 2]  # <-


@races("shared-race", grid=1, block=64, make=made((64,), ("zeros", 64)), dynamic_shared=400)
@cuda.jit
def parts_of_dynamic_memory_overlap(x, out):
    memory = cuda.shared.array(0, float32)
    first = memory[:64]
    second = memory[32:]
    t = cuda.threadIdx.x
    first[t] = x[t]  # <-
    second[t] = -x[t]  # <-
    cuda.syncthreads()
    out[t] = first[t] + second[t]


@cuda.jit(device=True)
def put(s, place, value):
    s[place] = value


@races("shared-race", grid=1, block=64, make=made((64,), ("zeros", 64)))
@cuda.jit
def race_inside_a_device_function(x, out):
    s = cuda.shared.array(64, float32)
    t = cuda.threadIdx.x
    put(s, t, x[t])
    out[t] = s[63 - t]


# races in global memory


@races("global-race", grid=2, block=32, make=made((64,), ("zeros", 1)))
@cuda.jit
def sum_without_atomics(x, out):
    out[0] += x[cuda.grid(1)]  # <-


@races("global-race", grid=4, block=1, make=made((4,), ("zeros", 1)))
@cuda.jit
def sum_across_blocks_without_atomics(x, out):
    out[0] += x[cuda.grid(1)]  # <-


@races("global-race", grid=2, block=32, make=made((64,)))
@cuda.jit
def shift_in_place(x):
    i = cuda.grid(1)
    if i + 1 < x.size:
        x[i] = x[i + 1]  # <-


@races("global-race", grid=4, block=32, make=made((128,), ("zeros", 4), ("zeros", 1)))
@cuda.jit
def block_zero_reads_partial_sums(x, partial, out):
    i = cuda.grid(1)
    value = x[i]
    for step in range(5):
        value += cuda.shfl_down_sync(FULL, value, 16 >> step)
    if cuda.threadIdx.x == 0:
        partial[cuda.blockIdx.x] = value  # <-
    cuda.syncthreads()
    if i == 0:
        total = float32(0)
        for b in range(cuda.gridDim.x):
            total += partial[b]  # <-
        out[0] = total


@races("global-race", grid=4, block=32, make=made((128,), ("zeros", 4), ("zeros", 1), ("counts", 1)))
@cuda.jit
def ticket_without_fence(x, partial, out, ticket):
    i = cuda.grid(1)
    if cuda.threadIdx.x == 0:
        partial[cuda.blockIdx.x] = x[i]  # <-
        if cuda.atomic.add(ticket, 0, 1) == cuda.gridDim.x - 1:
            total = float32(0)
            for b in range(cuda.gridDim.x):
                total += partial[b]  # <-
            out[0] = total


@races("global-race", grid=2, block=32, make=made(("ints", 5, 64), (64,), ("zeros", 5)))
@cuda.jit
def scatter_add_without_atomics(index, dy, dw):
    i = cuda.grid(1)
    dw[index[i]] += dy[i]  # <-


@races("global-race", grid=(2, 2), block=(8, 8), make=made((16, 16), ("zeros", 16)))
@cuda.jit
def many_threads_one_output(x, out):
    i, j = cuda.grid(2)
    out[i] = x[i, j]  # <-


@races("global-race", grid=2, block=32, make=made((64,), ("zeros", 33)))
@cuda.jit
def block_index_without_block_size(x, out):
    i = cuda.threadIdx.x + cuda.blockIdx.x
    out[i] = x[cuda.grid(1)]  # <-


@races("global-race", grid=2, block=32, make=made((64,), ("counts", 1)))
@cuda.jit
def plain_read_of_an_atomic_counter(x, count):
    i = cuda.grid(1)
    if x[i] > 0:
        cuda.atomic.add(count, 0, 1)  # <-
    if i == 0 and count[0] > 10:  # <-
        x[0] = 0


@races("global-race", grid=2, block=32, make=made((65,), ("zeros", 64)))
@cuda.jit
def neighbour_through_global_memory(x, out):
    i = cuda.grid(1)
    x[i] = x[i] * x[i]  # <-
    cuda.syncthreads()
    out[i] = x[i] + x[i + 1]  # <-


@races("global-race", grid=1, block=4, make=lambda rng: (random_states(4, 1), np.zeros(4, np.float32)))
@cuda.jit
def one_generator_for_all(states, out):
    out[cuda.threadIdx.x] = xoroshiro128p_uniform_float32(states, 0)  # <-
