"""Correct kernels: the simulator must compute their results, and find nothing wrong with them."""

import math

import numpy as np
from numba import cuda, float32, int32, uint32
from numba.cuda.random import xoroshiro128p_uniform_float32

from tests.cuda.bank import Bank, close, made
from tests.cuda.correct_sums import sums
from tinytorch.cuda.simulator import random_states

correct = Bank(sums)
TILE = 8
FULL = 0xFFFFFFFF


@correct(grid=3, block=32, make=made((80,), ("zeros", 80)), check=lambda b, a: close(a[1], b[0] + 10))
@cuda.jit
def guarded_map(x, out):
    i = cuda.grid(1)
    if i < x.size:
        out[i] = x[i] + 10


@correct(grid=2, block=32, make=made(np.float32(2), (200,), (200,)), check=lambda b, a: close(a[2], 2 * b[1] + b[2]))
@cuda.jit
def saxpy_grid_stride(alpha, x, y):
    for i in range(cuda.grid(1), x.size, cuda.gridsize(1)):
        y[i] = alpha * x[i] + y[i]


@correct(grid=2, block=32, make=made(2.0, (50,), (50,)), check=lambda b, a: close(a[2], 2 * b[1] + b[2]))
@cuda.jit
def saxpy_python_scalar(alpha, x, y):
    i = cuda.grid(1)
    if i >= x.size:
        return
    y[i] = alpha * x[i] + y[i]


@correct(grid=(3, 2), block=(8, 4), make=made((7, 20), (7, 20), ("zeros", 7, 20)),
         check=lambda b, a: close(a[2], b[0] * b[1]))  # fmt: skip
@cuda.jit
def map_2d(a, b, out):
    col, row = cuda.grid(2)
    if row < out.shape[0] and col < out.shape[1]:
        out[row, col] = a[row, col] * b[row, col]


@correct(grid=(2, 2, 2), block=(4, 2, 2), make=made((3, 4, 7), ("zeros", 3, 4, 7)),
         check=lambda b, a: close(a[1], -b[0]))  # fmt: skip
@cuda.jit
def map_3d(x, out):
    i, j, k = cuda.grid(3)
    if i < x.shape[2] and j < x.shape[1] and k < x.shape[0]:
        out[k, j, i] = -x[k, j, i]


@correct(grid=(3, 2), block=(TILE, TILE), make=made((12, 20), ("zeros", 20, 12)),
         check=lambda b, a: close(a[1], b[0].T))  # fmt: skip
@cuda.jit
def transpose_padded(x, out):
    tile = cuda.shared.array((TILE, TILE + 1), float32)
    tx, ty = cuda.threadIdx.x, cuda.threadIdx.y
    col, row = cuda.grid(2)
    if row < x.shape[0] and col < x.shape[1]:
        tile[ty, tx] = x[row, col]
    cuda.syncthreads()
    col = cuda.blockIdx.y * TILE + tx
    row = cuda.blockIdx.x * TILE + ty
    if row < out.shape[0] and col < out.shape[1]:
        out[row, col] = tile[tx, ty]


@correct(grid=3, block=32, make=made((90,), (3,), ("zeros", 90)),
         check=lambda b, a: close(a[2], np.convolve(b[0], b[1][::-1], "same"), 1e-4))  # fmt: skip
@cuda.jit
def convolution_with_halo(x, weights, out):
    tile = cuda.shared.array(34, float32)
    t = cuda.threadIdx.x
    i = cuda.grid(1)
    tile[t + 1] = x[i] if i < x.size else float32(0)
    if t == 0:
        tile[0] = x[i - 1] if i > 0 else float32(0)
    if t == 31:
        tile[33] = x[i + 1] if i + 1 < x.size else float32(0)
    cuda.syncthreads()
    if i < x.size:
        total = float32(0)
        for k in range(3):
            total += tile[t + k] * weights[k]
        out[i] = total


@correct(grid=(3, 2), block=(TILE, TILE), make=made((12, 20), (20, 17), ("zeros", 12, 17)),
         check=lambda b, a: close(a[2], b[0] @ b[1], 1e-4))  # fmt: skip
@cuda.jit
def matmul_tiled(a, b, c):
    left = cuda.shared.array((TILE, TILE), float32)
    right = cuda.shared.array((TILE, TILE), float32)
    tx, ty = cuda.threadIdx.x, cuda.threadIdx.y
    col, row = cuda.grid(2)
    total = float32(0)
    for begin in range(0, a.shape[1], TILE):
        left[ty, tx] = a[row, begin + tx] if row < a.shape[0] and begin + tx < a.shape[1] else float32(0)
        right[ty, tx] = b[begin + ty, col] if col < b.shape[1] and begin + ty < b.shape[0] else float32(0)
        cuda.syncthreads()
        for k in range(TILE):
            total += left[ty, k] * right[k, tx]
        cuda.syncthreads()
    if row < c.shape[0] and col < c.shape[1]:
        c[row, col] = total


@correct(grid=1, block=16, make=made((64, 64), (64, 64), ("zeros", 64, 64)),
         check=lambda b, a: close(a[2][:16, :16], (b[0] @ b[1])[:16, :16], 1e-3))  # fmt: skip
@cuda.jit
def matmul_registers(a, b, c):
    sums = cuda.local.array((4, 4), float32)
    row, col = cuda.threadIdx.x // 4 * 4, cuda.threadIdx.x % 4 * 4
    for i in range(4):
        for j in range(4):
            sums[i, j] = 0
    for k in range(a.shape[1]):
        for i in range(4):
            for j in range(4):
                sums[i, j] += a[row + i, k] * b[k, col + j]
    for i in range(4):
        for j in range(4):
            c[row + i, col + j] = sums[i, j]
    for i in range(cuda.threadIdx.x, 64 * 64, 16):  # the rest stays 0
        if i // 64 >= 16 or i % 64 >= 16:
            c[i // 64, i % 64] = 0


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


@correct(grid=3, block=32, make=made((3, 70), ("zeros", 3, 70)), check=lambda b, a: close(a[1], softmax(b[0])))
@cuda.jit
def softmax_online(x, out):
    row = cuda.blockIdx.x
    lane = cuda.threadIdx.x
    top = float32(-math.inf)
    total = float32(0)
    for j in range(lane, x.shape[1], 32):
        new = max(top, x[row, j])
        total = total * math.exp(top - new) + math.exp(x[row, j] - new)
        top = new
    for step in range(5):
        other_top = cuda.shfl_xor_sync(FULL, top, 16 >> step)
        other_total = cuda.shfl_xor_sync(FULL, total, 16 >> step)
        new = max(top, other_top)
        total = total * math.exp(top - new) + other_total * math.exp(other_top - new)
        top = new
    for j in range(lane, x.shape[1], 32):
        out[row, j] = math.exp(x[row, j] - top) / total


@correct(grid=2, block=32, make=made((2, 3, 6, 8), ("zeros", 2, 3, 3, 4)),
         check=lambda b, a: close(a[1], b[0].reshape(2, 3, 3, 2, 4, 2).max((3, 5))))  # fmt: skip
@cuda.jit
def max_pool_4d(x, out):
    n, channels, height, width = out.shape
    for i in range(cuda.grid(1), out.size, cuda.gridsize(1)):
        col = i % width
        row = i // width % height
        c = i // (width * height) % channels
        b = i // (width * height * channels)
        best = x[b, c, 2 * row, 2 * col]
        for dy in range(2):
            for dx in range(2):
                best = max(best, x[b, c, 2 * row + dy, 2 * col + dx])
        out[b, c, row, col] = best


@correct(grid=2, block=32, make=made(("ints", 5, 40), (40, 3), ("zeros", 5, 3)),
         check=lambda b, a: close(a[2], np.stack([b[1][b[0] == v].sum(0) for v in range(5)]), 1e-4))  # fmt: skip
@cuda.jit
def embedding_scatter_add(indices, dy, dw):
    i = cuda.grid(1)
    if i < indices.size:
        for j in range(dy.shape[1]):
            cuda.atomic.add(dw, (indices[i], j), dy[i, j])


@correct(grid=4, block=32, make=made((128,), ("zeros", 4), ("zeros", 1), ("counts", 1)),
         check=lambda b, a: close(a[2][0], b[0].sum(), 1e-4))  # fmt: skip
@cuda.jit
def last_block_adds_up(x, partial, out, ticket):
    last = cuda.shared.array(1, int32)
    value = x[cuda.grid(1)]
    for step in range(5):
        value += cuda.shfl_down_sync(FULL, value, 16 >> step)
    if cuda.threadIdx.x == 0:
        partial[cuda.blockIdx.x] = value
        cuda.threadfence()
        last[0] = cuda.atomic.add(ticket, 0, 1) == cuda.gridDim.x - 1
    cuda.syncthreads()
    if last[0] and cuda.threadIdx.x == 0:
        total = float32(0)
        for b in range(cuda.gridDim.x):
            total += partial[b]
        out[0] = total


@correct(grid=2, block=40, make=made((80,), ("zeros", 1), ("counts", 1)),
         check=lambda b, a: close(a[1][0], b[0].sum(), 1e-4))  # fmt: skip
@cuda.jit
def spin_lock(x, out, lock):
    i = cuda.grid(1)
    done = False
    while not done:
        if cuda.atomic.cas(lock, 0, 0, 1) == 0:
            cuda.threadfence()
            out[0] += x[i]
            cuda.threadfence()
            cuda.atomic.exch(lock, 0, 0)
            done = True


@correct(grid=2, block=32, make=made((50,), ("counts", 1)), check=lambda b, a: close(a[1][0], (b[0] > 0).sum()))
@cuda.jit
def count_with_ballot(x, out):
    i = cuda.grid(1)
    votes = cuda.ballot_sync(FULL, i < x.size and x[i] > 0)
    if cuda.laneid == 0:
        cuda.atomic.add(out, 0, cuda.popc(votes))


@correct(grid=2, block=64, make=made((128,), ("counts", 2)),
         check=lambda b, a: close(a[1], (b[0].reshape(2, 64) > 0).sum(1)))  # fmt: skip
@cuda.jit
def count_at_barrier(x, out):
    found = cuda.syncthreads_count(x[cuda.grid(1)] > 0)
    if cuda.threadIdx.x == 0:
        out[cuda.blockIdx.x] = found


@correct(grid=1, block=32, make=made((32,), ("zeros", 1)), check=lambda b, a: close(a[1][0], b[0].max()))
@cuda.jit
def atomic_maximum(x, out):
    cuda.atomic.max(out, 0, x[cuda.threadIdx.x])


@correct(grid=1, block=32, make=made((32,), ("counts", 1)), check=lambda b, a: close(a[1][0], 1))
@cuda.jit
def everyone_raises_the_same_flag(x, flag):
    if x[cuda.threadIdx.x] > -10:
        flag[0] = 1


@cuda.jit(device=True)
def gelu(x):
    return float32(0.5) * x * (float32(1) + math.erf(x * float32(0.70710677)))


HALF = np.float32(0.5)


def scaled(value, by=HALF):
    return value * by


@correct(grid=2, block=32, make=made((50,), ("zeros", 50)),
         check=lambda b, a: close(a[1], [0.25 * v * (1 + math.erf(v / math.sqrt(2))) for v in b[0]]))  # fmt: skip
@cuda.jit
def calls_device_functions(x, out):
    i = cuda.grid(1)
    if i < x.size:
        out[i] = scaled(gelu(x[i]))


@correct(grid=2, block=32, make=made((64,), ("zeros", 64)), dynamic_shared=32 * 4 * 2,
         check=lambda b, a: close(a[1], b[0].reshape(2, 32)[:, ::-1].reshape(-1) * 2))  # fmt: skip
@cuda.jit
def dynamic_shared_in_two_parts(x, out):
    memory = cuda.shared.array(0, float32)
    first = memory[:32]
    second = memory[32:]
    t = cuda.threadIdx.x
    i = cuda.grid(1)
    first[t] = x[i]
    second[t] = x[i]
    cuda.syncthreads()
    out[i] = first[31 - t] + second[31 - t]


COEFFICIENTS = np.array([1.0, -2.0, 1.0], np.float32)


@correct(grid=1, block=32, make=made((32,), ("zeros", 32)),
         check=lambda b, a: close(a[1][1:-1], b[0][:-2] - 2 * b[0][1:-1] + b[0][2:]))  # fmt: skip
@cuda.jit
def stencil_inside_only(x, out):
    c = cuda.const.array_like(COEFFICIENTS)
    i = cuda.grid(1)
    if 0 < i < x.size - 1:
        out[i] = c[0] * x[i - 1] + c[1] * x[i] + c[2] * x[i + 1]


@correct(grid=1, block=8, make=made(("ints", 5, 8), ("zeros", 8, 5)), check=lambda b, a: close(a[1], np.eye(5)[b[0]]))
@cuda.jit
def one_hot(labels, out):
    i = cuda.threadIdx.x
    out[i, labels[i]] = 1


@correct(grid=2, block=32, make=made((100,), ("zeros", 100), 40),
         check=lambda b, a: close(a[1][:40], b[0][:40] * b[0][:40]))  # fmt: skip
@cuda.jit
def first_n_only(x, out, n):
    i = cuda.grid(1)
    if i < n:
        out[i] = x[i] * x[i]


@correct(grid=1, block=32, make=lambda rng: (random_states(32, 7), np.zeros((32, 4), np.float32)),
         check=lambda b, a: close((a[1] >= 0) & (a[1] < 1) & (a[1].std() > 0.2), True))  # fmt: skip
@cuda.jit
def random_numbers(states, out):
    t = cuda.threadIdx.x
    for j in range(4):
        out[t, j] = xoroshiro128p_uniform_float32(states, t)


@correct(grid=1, block=32, make=lambda rng: (rng.standard_normal(32).astype(np.float16), np.zeros(32, np.float16)),
         check=lambda b, a: np.testing.assert_array_equal(a[1], b[0] * b[0] + np.float16(1)))  # fmt: skip
@cuda.jit
def half_precision(x, out):
    i = cuda.grid(1)
    out[i] = x[i] * x[i] + np.float16(1)


@correct(grid=1, block=32, make=lambda rng: (rng.standard_normal(32), np.zeros(32)),
         check=lambda b, a: close(a[1], b[0] / 3 + 0.5))  # fmt: skip
@cuda.jit
def float64_throughout(x, out):
    i = cuda.grid(1)
    out[i] = x[i] / 3.0 + 0.5


@correct(grid=1, block=40, make=made(("counts", 40)),
         check=lambda b, a: close(a[0], [(i * 2654435761 % 2**32) >> 16 for i in range(40)], 0))  # fmt: skip
@cuda.jit
def integer_hash(out):
    i = cuda.grid(1)
    out[i] = uint32(uint32(i) * uint32(2654435761)) >> 16


@correct(grid=1, block=32, make=made((32,), (32,)), check=lambda b, a: (close(a[0], b[1]), close(a[1], b[0])))
@cuda.jit
def swap(x, y):
    i = cuda.threadIdx.x
    x[i], y[i] = y[i], x[i]


@correct(grid=1, block=32, make=lambda rng: (lambda x: (x.T, x))(rng.standard_normal((4, 8)).astype(np.float32)),
         check=lambda b, a: close(a[1], b[1] + 1))  # fmt: skip
@cuda.jit
def two_views_of_one_array(xt, x):
    i = cuda.threadIdx.x
    x[i // 8, i % 8] = xt[i % 8, i // 8] + float32(1)


@correct(grid=1, block=32, make=made((32,), ("counts", 32)),
         check=lambda b, a: close(a[1], np.where(b[0] > 0, (b[0] > 0).sum(), 0)))  # fmt: skip
@cuda.jit
def active_lanes(x, out):
    i = cuda.threadIdx.x
    if x[i] > 0:
        out[i] = cuda.popc(cuda.activemask())
    else:
        out[i] = 0
