"""Broken kernels, each with one mistake that learners make. `# <-` marks the lines that may be named."""

import math

import numpy as np
from numba import cuda, float32, int32

from tests.cuda.bank import Bank, made
from tests.cuda.broken_races import races

broken = Bank(races)
FULL = 0xFFFFFFFF

# barriers


@broken("divergent-barrier", grid=1, block=64, make=made((64,), ("zeros", 64)))
@cuda.jit
def barrier_in_a_branch(x, out):
    s = cuda.shared.array(64, float32)
    t = cuda.threadIdx.x
    s[t] = x[t]
    if t < 32:
        cuda.syncthreads()  # <-
    out[t] = s[t]


@broken("divergent-barrier", grid=2, block=32, make=made((50,), ("zeros", 50)))
@cuda.jit
def return_before_barrier(x, out):
    s = cuda.shared.array(32, float32)
    t = cuda.threadIdx.x
    i = cuda.grid(1)
    if i >= x.size:
        return
    s[t] = x[i]
    cuda.syncthreads()  # <-
    out[i] = s[t]


@broken("divergent-barrier", grid=1, block=64, make=made((64,), ("zeros", 64)))
@cuda.jit
def a_barrier_in_each_branch(x, out):
    t = cuda.threadIdx.x
    if t % 2 == 0:
        out[t] = x[t]
        cuda.syncthreads()  # <-
    else:
        out[t] = -x[t]
        cuda.syncthreads()  # <-


@broken("divergent-barrier", grid=1, block=32, make=made((100,), ("zeros", 100)))
@cuda.jit
def barrier_in_a_loop_of_different_length(x, out):
    for i in range(cuda.threadIdx.x, x.size, 32):
        out[i] = x[i]
        cuda.syncthreads()  # <-


@broken("divergent-barrier", grid=1, block=32, make=made((32,), ("zeros", 32)))
@cuda.jit
def shuffle_in_a_branch(x, out):
    t = cuda.threadIdx.x
    value = x[t]
    if t < 16:
        value += cuda.shfl_xor_sync(FULL, value, 1)  # <-
    cuda.syncthreads()  # <-
    out[t] = value


@broken("divergent-barrier", grid=1, block=32, make=made((32,), ("zeros", 32)))
@cuda.jit
def lane_not_in_its_own_mask(x, out):
    t = cuda.threadIdx.x
    out[t] = cuda.shfl_xor_sync(0x0000FFFF, x[t], 1)  # <-


# indices


@broken("out-of-bounds", grid=2, block=32, make=made((50,), ("zeros", 50)))
@cuda.jit
def no_guard(x, out):
    i = cuda.grid(1)
    out[i] = x[i]  # <-


@broken("out-of-bounds", grid=1, block=33, make=made((32,), ("zeros", 32)))
@cuda.jit
def guard_off_by_one(x, out):
    i = cuda.grid(1)
    if i <= x.size:
        out[i] = x[i]  # <-


@broken("out-of-bounds", grid=(2, 2), block=(8, 8), make=made((10, 14), ("zeros", 10, 14)))
@cuda.jit
def rows_and_columns_swapped(x, out):
    row, col = cuda.grid(2)
    if row < x.shape[1] and col < x.shape[0]:
        out[row, col] = x[row, col]  # <-


@broken("out-of-bounds", grid=1, block=32, make=made((32,), ("zeros", 32)))
@cuda.jit
def shared_array_too_small(x, out):
    s = cuda.shared.array(31, float32)
    t = cuda.threadIdx.x
    s[t] = x[t]  # <-
    cuda.syncthreads()
    out[t] = s[t]  # <-


@broken("out-of-bounds", grid=1, block=32, make=made(("ints", 12, 32), ("counts", 10)))
@cuda.jit
def atomic_past_the_end(x, bins):
    cuda.atomic.add(bins, x[cuda.threadIdx.x], 1)  # <-


@broken("negative-index", grid=1, block=32, make=made((32,), ("zeros", 32)))
@cuda.jit
def left_neighbour_of_the_first(x, out):
    i = cuda.threadIdx.x
    out[i] = x[i] - x[i - 1]  # <-


@broken("negative-index", grid=1, block=32, make=made((32,), (5,), ("zeros", 32)))
@cuda.jit
def convolution_without_padding_on_the_left(x, w, out):
    i = cuda.threadIdx.x
    total = float32(0)
    for k in range(5):
        if i + k - 2 < x.size:
            total += x[i + k - 2] * w[k]  # <-
    out[i] = total


# memory that nobody wrote


@broken("uninitialized-read", grid=1, block=64, make=made((40,), ("zeros", 1)))
@cuda.jit
def tail_of_the_tile_left_unset(x, out):
    s = cuda.shared.array(64, float32)
    t = cuda.threadIdx.x
    if t < x.size:
        s[t] = x[t]
    cuda.syncthreads()
    if t == 0:
        total = float32(0)
        for k in range(64):
            total += s[k]  # <-
        out[0] = total


@broken("uninitialized-read", grid=1, block=32, make=made(("ints", 8, 32), ("counts", 8)))
@cuda.jit
def shared_bins_never_cleared(x, bins):
    s = cuda.shared.array(8, int32)
    t = cuda.threadIdx.x
    cuda.atomic.add(s, x[t], 1)  # <-
    cuda.syncthreads()
    if t < 8:
        cuda.atomic.add(bins, t, s[t])


@broken("uninitialized-read", grid=1, block=4, make=made((4,), ("zeros", 4)))
@cuda.jit
def local_sum_never_set(x, out):
    total = cuda.local.array(1, float32)
    t = cuda.threadIdx.x
    total[0] += x[t]  # <-
    out[t] = total[0]


@broken("uninitialized-read", grid=1, block=20, make=made((20,), ("zeros", 1)))
@cuda.jit
def shuffle_from_a_lane_that_is_not_there(x, out):
    value = x[cuda.threadIdx.x]
    for step in range(5):
        value += cuda.shfl_down_sync(FULL, value, 16 >> step)  # <-
    if cuda.threadIdx.x == 0:
        out[0] = value


@broken("stale-shared", grid=2, block=32, make=made((64,), ("zeros", 64)))
@cuda.jit
def only_the_first_block_fills_the_table(x, out):
    table = cuda.shared.array(32, float32)
    t = cuda.threadIdx.x
    if cuda.blockIdx.x == 0:
        table[t] = x[t]
    cuda.syncthreads()
    out[cuda.grid(1)] = x[cuda.grid(1)] * table[t]  # <-


@broken("stale-shared", grid=2, block=32, make=made((50,), ("zeros", 2)))
@cuda.jit
def last_block_reads_the_tile_of_the_one_before(x, out):
    s = cuda.shared.array(32, float32)
    t = cuda.threadIdx.x
    i = cuda.grid(1)
    if i < x.size:
        s[t] = x[i]
    cuda.syncthreads()
    if t == 0:
        total = float32(0)
        for k in range(32):
            total += s[k]  # <-
        out[cuda.blockIdx.x] = total


# limits


@broken("launch-limit", grid=1, block=2048, make=made((2048,)))
@cuda.jit
def too_many_threads(x):
    x[cuda.threadIdx.x] = 0


@broken("launch-limit", grid=1, block=(64, 32), make=made((64, 32)))
@cuda.jit
def too_many_threads_in_two_dimensions(x):
    x[cuda.threadIdx.x, cuda.threadIdx.y] = 0


@broken("launch-limit", grid=0, block=32, make=made((32,)))
@cuda.jit
def no_blocks(x):
    x[cuda.threadIdx.x] = 0


@broken("shared-limit", grid=1, block=32, make=made((32,)))
@cuda.jit
def tiles_too_large(x):
    a = cuda.shared.array((80, 80), float32)
    b = cuda.shared.array((80, 80), float32)  # <-
    t = cuda.threadIdx.x
    a[0, t] = x[t]
    b[0, t] = x[t]


@broken("shared-limit", grid=1, block=32, make=made((32,)), dynamic_shared=50_000)
@cuda.jit
def too_much_dynamic_memory(x):
    s = cuda.shared.array(0, float32)
    s[cuda.threadIdx.x] = x[cuda.threadIdx.x]


# elements left out


@broken("unwritten", grid=3, block=32, make=made((100,), ("zeros", 100)))
@cuda.jit
def grid_rounded_down(x, out):
    i = cuda.grid(1)
    if i < x.size:
        out[i] = x[i]  # <-


@broken("unwritten", grid=4, block=32, make=made((100,), ("zeros", 100), 100))
@cuda.jit
def guard_leaves_out_the_last(x, out, n):
    i = cuda.grid(1)
    if i < n - 1:
        out[i] = x[i]  # <-


@broken("unwritten", grid=(2, 1), block=(8, 8), make=made((12, 16), ("zeros", 12, 16)))
@cuda.jit
def too_few_rows_of_blocks(x, out):
    col, row = cuda.grid(2)
    if row < out.shape[0] and col < out.shape[1]:
        out[row, col] = x[row, col]  # <-


@broken("unwritten", grid=1, block=32, make=lambda rng: (rng.random(64, np.float32), np.full(64, np.nan, np.float32)))
@cuda.jit
def stride_twice_too_long(x, out):
    for i in range(cuda.grid(1), x.size, 2):
        if i % 2 == 0 and i % 64 == 2 * cuda.threadIdx.x:
            out[i] = x[i]  # <-


@broken("unwritten", grid=1, block=32, make=made(np.float32(3), (64,)))
@cuda.jit
def in_place_half_of_it(alpha, x):
    i = cuda.grid(1)
    x[i] = alpha * x[i]  # <-


# float64


@broken("float64", grid=1, block=32, make=made((32, 10), ("zeros", 32)))
@cuda.jit
def sum_starts_as_float64(x, out):
    total = 0.0
    for j in range(x.shape[1]):
        total += x[cuda.threadIdx.x, j]  # <-
    out[cuda.threadIdx.x] = total


@broken("float64", grid=1, block=32, make=made((32,), ("zeros", 32)))
@cuda.jit
def float64_literal(x, out):
    i = cuda.threadIdx.x
    out[i] = x[i] * 0.5  # <-


@broken("float64", grid=1, block=32, make=made((32,), ("zeros", 32)))
@cuda.jit
def sigmoid_in_float64(x, out):
    i = cuda.threadIdx.x
    out[i] = 1.0 / (1.0 + math.exp(-x[i]))  # <-


@broken("float64", grid=1, block=32, make=made((32,), ("zeros", 32), 7))
@cuda.jit
def mean_of_float32_over_an_int(x, out, n):
    i = cuda.threadIdx.x
    mean = x[i] / n  # <-
    out[i] = (x[i] - mean) * (x[i] - mean)  # <-


@broken("float64", grid=1, block=32,
        make=lambda rng: (rng.random(32, np.float32), rng.random(32), np.zeros(32, np.float32)))  # fmt: skip
@cuda.jit
def float64_array_by_accident(x, w, out):
    i = cuda.threadIdx.x
    out[i] = x[i] * w[i]  # <-


# a kernel that raises or hangs


@broken("kernel-error", grid=1, block=4, make=made((4,)))
@cuda.jit
def wrong_number_of_indices(x):
    x[cuda.threadIdx.x, 0] = 1  # <-


@broken("kernel-error", grid=1, block=4, make=made((4,)))
@cuda.jit
def divides_by_zero(x):
    i = cuda.threadIdx.x
    x[i] = i // (i - 2)  # <-


@broken("kernel-error", grid=1, block=4, make=made((4,)))
@cuda.jit
def index_is_a_float(x):
    x[cuda.threadIdx.x / 2] = 1  # <-


@broken("kernel-error", grid=1, block=4, make=made((4,), 4))
@cuda.jit
def shared_size_is_an_argument(x, n):
    s = cuda.shared.array(n, float32)  # <-
    s[cuda.threadIdx.x] = x[cuda.threadIdx.x]


@broken("hang", grid=1, block=2, make=made((4,)))
@cuda.jit
def loop_without_a_step(x):
    i = cuda.threadIdx.x
    while i < x.size:  # <-
        x[i] = 1


@broken("hang", grid=1, block=32, make=made((32,), ("counts", 1)))
@cuda.jit
def lock_never_released(x, lock):
    while cuda.atomic.cas(lock, 0, 0, 1) != 0:  # <-
        pass
    x[cuda.threadIdx.x] += float32(1)
