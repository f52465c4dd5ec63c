"""What `simulate` reports: counts, traces, intrinsics, errors; and that a barrier taken out is always missed."""

import importlib.util
import math
import subprocess
import sys
from pathlib import Path

import numba.cuda as numba_cuda
import numpy as np
import pytest
from numba import cuda, float32, int32, uint32
from numba.cuda import grid, syncthreads
from numba.cuda.random import (
    init_xoroshiro128p_states_cpu,
    xoroshiro128p_dtype,
    xoroshiro128p_normal_float32,
    xoroshiro128p_uniform_float64,
)

from tests.cuda import correct, correct_sums
from tinytorch.cuda.simulator import KernelDiagnosed, SourceNotFound, random_states, simulate

FULL = 0xFFFFFFFF


def zeros(*shape, dtype=np.float32):
    return np.zeros(shape, dtype)


# counts


@cuda.jit
def strided_copy(x, out, stride):
    i = cuda.grid(1)
    out[i] = x[i * stride]


@pytest.mark.parametrize("stride, lines", [(1, 1), (2, 2), (8, 8), (32, 32)])
def test_transactions_of_a_warp_are_128_byte_lines(stride: int, lines: int):
    report = simulate(strided_copy, 1, 32, zeros(32 * stride), zeros(32), stride)
    read = next(line for line in report.counts.by_line if line.kind == "read")
    assert (read.requests, read.transactions, read.per_request) == (1, lines, lines)
    assert report.counts.transactions == lines + 1


def test_strides_of_an_argument_count_as_they_lie_in_memory():
    @cuda.jit
    def copy(x, out):
        col, row = cuda.grid(2)
        out[row, col] = x[row, col]

    x = np.arange(32 * 32, dtype=np.float32).reshape(32, 32)
    counts = {}
    for name, source in (("rows", x), ("transposed", x.T)):
        out = zeros(32, 32)
        report = simulate(copy, 1, (32, 32), source, out)
        report.raise_for_diagnoses()
        np.testing.assert_array_equal(out, source)
        counts[name] = next(line.per_request for line in report.counts.by_line if line.text == "x")
    assert counts == {"rows": 1, "transposed": 32}


@pytest.mark.parametrize("width, conflicts", [(32, 32 * 31), (33, 0)])
def test_bank_conflicts_of_a_transpose(width: int, conflicts: int):
    @cuda.jit
    def transpose(x, out):
        tile = cuda.shared.array((32, width), float32)
        col, row = cuda.grid(2)
        tile[row, col] = x[row, col]
        cuda.syncthreads()
        out[row, col] = tile[col, row]

    x, out = np.random.default_rng(0).random((32, 32), np.float32), zeros(32, 32)
    report = simulate(transpose, 1, (32, 32), x, out)
    report.raise_for_diagnoses()
    np.testing.assert_array_equal(out, x.T)
    assert report.counts.bank_conflicts == conflicts


def test_accesses_flops_and_intensity_of_a_dot_product():
    @cuda.jit
    def dots(a, b, out):
        i = cuda.grid(1)
        total = float32(0)
        for k in range(a.shape[1]):
            total += a[i, k] * b[i, k]
        out[i] = total

    counts = simulate(dots, 2, 16, zeros(32, 10), zeros(32, 10), zeros(32)).counts
    assert (counts.global_reads, counts.global_writes, counts.flops) == (640, 32, 640)
    assert counts.global_bytes == 4 * 672 and counts.arithmetic_intensity == 640 / (4 * 672)
    np.testing.assert_array_equal(counts.per_thread["global_reads"], np.full(32, 20))
    roof = counts.roofline(flops=1e12, bandwidth=1e11)
    assert roof.bound == "memory" and roof.seconds == counts.moved_bytes / 1e11
    assert counts.roofline(flops=1.0, bandwidth=1e12).bound == "arithmetic"


def test_divergent_branches():
    @cuda.jit
    def branches(out):
        i = cuda.grid(1)
        if i % 2 == 0:  # diverges in both warps
            out[i] = 1
        if i < 32:  # one way for the first warp, the other for the second
            out[i] = 2
        for _ in range(i // 32):  # the same number of rounds in a warp
            out[i] = 3
        for _ in range(i):  # another number for each lane
            out[i] = 4

    counts = simulate(branches, 1, 64, zeros(64)).counts
    assert (counts.branches, counts.divergent_branches) == (8, 4)


# the trace, and what a diagnosis holds


def test_trace_tells_who_touched_what():
    @cuda.jit
    def reverse(x, out):
        s = cuda.shared.array(4, float32)
        t = cuda.threadIdx.x
        s[t] = x[t]
        cuda.syncthreads()
        out[t] = s[3 - t]

    report = simulate(reverse, 1, 4, zeros(4), zeros(4))
    trace = list(report.trace)
    assert len(trace) == len(report.trace) == 16 and report.trace.complete
    assert [(a.kind, a.space, a.array, a.index, a.phase) for a in trace if a.thread == (1, 0, 0)] == [
        ("read", "global", "x", (1,), 0),
        ("write", "shared", "s", (1,), 0),
        ("read", "shared", "s", (2,), 1),
        ("write", "global", "out", (1,), 1),
    ]


def test_a_race_names_both_threads_both_lines_and_the_barrier():
    @cuda.jit
    def racy(x, out):
        s = cuda.shared.array((2, 4), float32)
        t = cuda.threadIdx.x
        s[1, t] = x[t]
        out[t] = s[1, 3 - t]

    report = simulate(racy, 1, 4, zeros(4), zeros(4))
    (race,) = report.diagnoses
    first = racy.py_func.__code__.co_firstlineno
    assert (race.kind, race.line, race.other_line) == ("shared-race", first + 4, first + 5)
    assert (race.array, race.index) == ("s", (1, 0))
    assert race.threads[:2] == ((0, 0, 0), (3, 0, 0)) and race.blocks[:2] == ((0, 0, 0), (0, 0, 0))
    assert f"Put cuda.syncthreads() after line {first + 4}, before line {first + 5}" in race.message
    assert race.count == 4
    with pytest.raises(KernelDiagnosed, match="shared-race"):
        report.raise_for_diagnoses()


def mutants():
    """Every barrier of every correct kernel: its file, its line and its kernel."""
    found = []
    for file in (correct, correct_sums):
        lines = Path(file.__file__).read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines):
            if line.strip() in ("cuda.syncthreads()", "cuda.syncwarp()"):
                name = next(lines[above] for above in range(number, 0, -1) if lines[above].startswith("def "))
                name = name[4 : name.index("(")]
                found.append(pytest.param(file.__file__, number, name, id=f"{name}-{number + 1}"))
    return found


@pytest.mark.parametrize("file, number, kernel", mutants())
def test_a_barrier_taken_out_of_a_correct_kernel_is_missed(file: str, number: int, kernel: str, tmp_path: Path):
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    lines[number] = lines[number].replace("cuda.syncthreads()", "pass").replace("cuda.syncwarp()", "pass")
    path = tmp_path / f"mutant_{number}.py"
    path.write_text("\n".join(lines), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    bank = getattr(module, "correct", None) or module.sums
    case = next(case for case in bank if case.name == kernel)
    assert {found.kind for found in case.run()[0].diagnoses} == {"shared-race"}


# numbers


def test_math_of_a_float32_is_rounded_to_float32():
    names = ("sin", "cos", "exp", "sqrt", "log", "tanh", "erf")

    @cuda.jit
    def functions(x, out):
        i = cuda.grid(1)
        out[0, i] = math.sin(x[i])
        out[1, i] = math.cos(x[i])
        out[2, i] = math.exp(x[i])
        out[3, i] = math.sqrt(x[i])
        out[4, i] = math.log(x[i])
        out[5, i] = math.tanh(x[i])
        out[6, i] = math.erf(x[i])

    x = np.random.default_rng(0).random(32, np.float32) + np.float32(0.1)
    out = zeros(7, 32)
    simulate(functions, 1, 32, x, out).raise_for_diagnoses()
    for row, name in enumerate(names):
        np.testing.assert_array_equal(out[row], np.float32([getattr(math, name)(float(v)) for v in x]))


def test_math_out_of_its_domain_gives_nan_and_infinity():
    @cuda.jit
    def edges(x, out):
        out[0] = math.sqrt(x[0])
        out[1] = math.log(x[1])
        out[2] = math.exp(x[2])
        out[3] = x[2] / x[1]

    out = zeros(4)
    simulate(edges, 1, 1, np.float32([-1, 0, 1000]), out).raise_for_diagnoses()
    np.testing.assert_array_equal(out, [np.nan, -np.inf, np.inf, np.inf])


def test_sums_round_in_float32_and_a_float64_start_does_not():
    @cuda.jit
    def narrow(x, out):
        total = float32(0)
        for i in range(x.size):
            total += x[i]
        out[0] = total

    @cuda.jit
    def wide(x, out):
        total = 0.0
        for i in range(x.size):
            total += x[i]
        out[0] = total

    x = np.float32([2**24, 1, 1, 1, 1])
    results = {}
    for kernel in (narrow, wide):
        out = zeros(1)
        results[kernel.py_func.__name__] = (out, simulate(kernel, 1, 1, x, out))
    assert results["narrow"][0] == 2**24 and results["wide"][0] == 2**24 + 4
    assert [d.kind for d in results["narrow"][1].diagnoses] == []
    assert [d.kind for d in results["wide"][1].diagnoses] == ["float64"]
    assert results["wide"][1].counts.float64_flops == 5


def test_bits_selection_and_fused_multiply_add():
    @cuda.jit
    def bits(x, out):
        out[0] = cuda.popc(x[0])
        out[1] = cuda.clz(x[0])
        out[2] = cuda.ffs(x[0])
        out[3] = cuda.brev(x[0])
        out[4] = cuda.selp(x[0] > 3, 10, 20)

    out = zeros(5, dtype=np.int64)
    simulate(bits, 1, 1, np.uint32([0b1011000]), out).raise_for_diagnoses()
    assert out.tolist() == [3, 25, 4, int(f"{0b1011000:032b}"[::-1], 2), 10]

    @cuda.jit
    def fused(x, out):
        out[0] = cuda.fma(x[0], x[1], x[2])
        out[1] = x[0] * x[1] + x[2]

    x = np.float32([1 + 2**-12, 1 + 2**-12, -1 - 2**-11])
    fma = zeros(2)
    simulate(fused, 1, 1, x, fma).raise_for_diagnoses()
    assert fma[0] == np.float32(2**-24) and fma[1] == 0


def test_atomics_agree_with_numpy():
    @cuda.jit
    def atomics(x, u, out, whole):
        i = cuda.grid(1)
        cuda.atomic.add(out, 0, x[i])
        cuda.atomic.sub(out, 1, x[i])
        cuda.atomic.max(out, 2, x[i])
        cuda.atomic.min(out, 3, x[i])
        cuda.atomic.nanmax(out, 4, x[i])
        cuda.atomic.and_(whole, 0, u[i])
        cuda.atomic.or_(whole, 1, u[i])
        cuda.atomic.xor(whole, 2, u[i])
        cuda.atomic.inc(whole, 3, 5)
        cuda.atomic.dec(whole, 4, 5)
        cuda.atomic.exch(whole, 5, 7)
        cuda.atomic.cas(whole, 6, 0, i + 1)

    rng = np.random.default_rng(1)
    x, u = rng.integers(-9, 9, 32).astype(np.float32), rng.integers(0, 2**32, 32).astype(np.uint32)
    out, whole = zeros(5), np.array([FULL, 0, 0, 0, 0, 0, 0], np.uint32)
    simulate(atomics, 1, 32, x, u, out, whole).raise_for_diagnoses()
    np.testing.assert_array_equal(out, [x.sum(), -x.sum(), max(0, x.max()), min(0, x.min()), max(0, x.max())])
    reduced = [f.reduce(u) for f in (np.bitwise_and, np.bitwise_or, np.bitwise_xor)]
    assert whole.tolist() == [*reduced, 32 % 6, (-32) % 6, 7, 1]


def test_warp_operations():
    @cuda.jit
    def votes(x, out):
        t = cuda.threadIdx.x
        out[0, t] = cuda.ballot_sync(FULL, x[t] > 0)
        out[1, t] = cuda.any_sync(FULL, x[t] > 0)
        out[2, t] = cuda.all_sync(FULL, x[t] > 0)
        out[3, t] = cuda.shfl_sync(FULL, x[t], 5)
        out[4, t] = cuda.shfl_up_sync(FULL, x[t], 1)
        out[5, t] = cuda.shfl_down_sync(FULL, x[t], 1)
        out[6, t] = cuda.match_any_sync(FULL, x[t])
        out[7, t] = cuda.syncthreads_or(x[t] > 1)
        out[8, t] = cuda.syncthreads_and(x[t] >= 0)
        out[9, t] = cuda.lanemask_lt()

    x = np.random.default_rng(0).integers(0, 3, 32).astype(np.int32)
    out = zeros(10, 32, dtype=np.int64)
    simulate(votes, 1, 32, x, out).raise_for_diagnoses()
    ballot = sum(1 << lane for lane in range(32) if x[lane] > 0)
    expected = [
        np.full(32, ballot), np.ones(32), np.zeros(32), np.full(32, x[5]), [x[0], *x[:-1]], [*x[1:], x[-1]],
        [sum(1 << other for other in range(32) if x[other] == v) for v in x], np.ones(32), np.ones(32),
        [(1 << lane) - 1 for lane in range(32)],
    ]  # fmt: skip
    np.testing.assert_array_equal(out, expected)


def test_random_numbers_are_numba_s_own():
    states = np.zeros(3, xoroshiro128p_dtype)
    init_xoroshiro128p_states_cpu(states, 42, 0)
    mine = random_states(3, 42)
    assert states["s0"].tolist() == mine["s0"].tolist() and states["s1"].tolist() == mine["s1"].tolist()

    @cuda.jit
    def draw(states, uniform, normal):
        t = cuda.threadIdx.x
        uniform[t] = xoroshiro128p_uniform_float64(states, t)
        normal[t] = xoroshiro128p_normal_float32(states, t)

    uniform, normal = zeros(3, dtype=np.float64), zeros(3)
    simulate(draw, 1, 3, mine, uniform, normal).raise_for_diagnoses()
    expected = [(xoroshiro128p_uniform_float64(states, t), xoroshiro128p_normal_float32(states, t)) for t in range(3)]
    np.testing.assert_array_equal(uniform, [u for u, _ in expected])
    np.testing.assert_allclose(normal, [n for _, n in expected], rtol=1e-6)
    np.testing.assert_array_equal(mine["s0"], states["s0"])


# names, arguments, errors


@numba_cuda.jit
def other_names(x, out):
    s = numba_cuda.shared.array(8, int32)
    i = grid(1)
    s[i] = x[i]
    syncthreads()
    out[i] = uint32(s[7 - i])


def test_cuda_may_be_imported_under_any_name():
    x, out = np.arange(8, dtype=np.int32), zeros(8, dtype=np.int32)
    simulate(other_names, 1, 8, x, out).raise_for_diagnoses()
    np.testing.assert_array_equal(out, x[::-1])


def test_two_shared_arrays_on_one_line_are_two():
    @cuda.jit
    def two(x, out):
        a, b = cuda.shared.array(4, float32), cuda.shared.array(4, float32)
        t = cuda.threadIdx.x
        a[t], b[t] = x[t], -x[t]
        cuda.syncthreads()
        out[t] = a[3 - t] + x[t] - b[3 - t]

    x, out = np.arange(4, dtype=np.float32), zeros(4)
    simulate(two, 1, 4, x, out).raise_for_diagnoses()
    np.testing.assert_array_equal(out, 2 * x[::-1] + x)


def test_views_that_overlap_are_one_memory():
    @cuda.jit
    def shift(x, y):
        i = cuda.grid(1)
        y[i] = x[i]

    x = np.arange(33, dtype=np.float32)
    report = simulate(shift, 1, 32, x[:-1], x[1:])
    assert [found.kind for found in report.diagnoses] == ["global-race"]
    simulate(shift, 1, 16, x[:32:2], x[1:33:2]).raise_for_diagnoses()


def test_rows_slices_and_local_arrays():
    @cuda.jit
    def rows(x, out):
        i = cuda.threadIdx.x
        row = x[i]
        pair = cuda.local.array(2, float32)
        pair[:] = row[1:3]
        out[i] = pair[0] + pair[1] + row[-1 + len(row)]

    x, out = np.random.default_rng(0).random((4, 5), np.float32), zeros(4)
    simulate(rows, 1, 4, x, out).raise_for_diagnoses()
    np.testing.assert_allclose(out, x[:, 1] + x[:, 2] + x[:, 4], rtol=1e-6)


def test_wrong_calls_are_python_errors():
    with pytest.raises(TypeError, match="takes 3 arguments, got 1"):
        simulate(strided_copy, 1, 32, zeros(32))
    with pytest.raises(TypeError, match="kernel or a function"):
        simulate(3, 1, 32)
    with pytest.raises(TypeError, match="is a list"):
        simulate(strided_copy, 1, 32, [1.0], zeros(32), 1)
    with pytest.raises(TypeError, match="grid must be"):
        simulate(strided_copy, 1.5, 32, zeros(32), zeros(32), 1)
    with pytest.raises(SourceNotFound):
        simulate(eval("lambda x: None"), 1, 1, zeros(1))
    frozen = zeros(32)
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="out, which is read-only"):
        simulate(strided_copy, 1, 32, zeros(32), frozen, 1)


def test_a_launch_over_the_limit_writes_nothing():
    x = np.ones(2048, np.float32)
    report = simulate(strided_copy, 1, 2048, x, out := zeros(2048), 1)
    assert [found.kind for found in report.diagnoses] == ["launch-limit"] and "2,048" in report.diagnoses[0].message
    assert not out.any() and report.counts is None and len(report.trace) == 0


def test_the_framework_does_not_load_the_simulator():
    code = (
        "import sys, tinytorch; assert not {'numba', 'greenlet'} & set(sys.modules); "
        "import tinytorch.cuda; assert 'numba' not in sys.modules; "
        "print(tinytorch.cuda.simulator.simulate.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "simulate", done.stderr
