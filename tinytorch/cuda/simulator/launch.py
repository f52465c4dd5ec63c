"""`simulate`: runs a kernel over a grid, watches it, and reports."""

from __future__ import annotations

import traceback
from typing import Any

import numpy as np

from tinytorch.cuda import seam
from tinytorch.cuda.simulator import atomics
from tinytorch.cuda.simulator.api import STATIC_SHARED, Cuda, StopLaunch
from tinytorch.cuda.simulator.buffers import Arguments
from tinytorch.cuda.simulator.counts import Counter
from tinytorch.cuda.simulator.coverage import Coverage, tell_forgotten, tell_poisoned
from tinytorch.cuda.simulator.diagnoses import Diagnosis
from tinytorch.cuda.simulator.infer import of_value
from tinytorch.cuda.simulator.memory import Addresses, Array
from tinytorch.cuda.simulator.program import Program
from tinytorch.cuda.simulator.races import Races
from tinytorch.cuda.simulator.report import Report, Trace
from tinytorch.cuda.simulator.runtime import Position, Runtime, Shape
from tinytorch.cuda.simulator.table import drain
from tinytorch.cuda.simulator.threads import KernelHangs, Scheduler

ENOUGH = 200_000  # marks in the log, before it is looked at
LIMITS = (
    ("threads in a block", 1024, lambda shape: shape.threads),
    ("threads in a block in x", 1024, lambda shape: shape.block.x),
    ("threads in a block in y", 1024, lambda shape: shape.block.y),
    ("threads in a block in z", 64, lambda shape: shape.block.z),
    ("blocks in x", 2**31 - 1, lambda shape: shape.grid.x),
    ("blocks in y", 65535, lambda shape: shape.grid.y),
    ("blocks in z", 65535, lambda shape: shape.grid.z),
)

assert atomics  # it gives Cuda its atomic operations


def simulate(kernel: Any, grid: Any, block: Any, *args: Any, dynamic_shared: int = 0) -> Report:
    """Runs `kernel[grid, block](*args)` here, and reports what is wrong with it and what it costs.

    `kernel` is a `@cuda.jit` kernel or a plain function, `grid` and `block` a number or up to three, `args` NumPy
    arrays (written in place), device arrays and numbers, `dynamic_shared` a number of bytes.
    Raises TypeError for arguments that no launch could take. A kernel that raises or hangs ends as a diagnosis.
    """
    function = seam.python_function(kernel)
    if function is None:
        raise TypeError(f"simulate needs a @cuda.jit kernel or a function, got a {type(kernel).__name__}")
    shape = Shape(_dimensions("grid", grid), _dimensions("block", block))
    launch = Launch(shape, function, args, dynamic_shared)
    if not launch.within_limits(dynamic_shared):
        return launch.report()
    launch.run()
    return launch.report()


def _dimensions(name: str, size: Any) -> Position:
    sizes = tuple(size) if isinstance(size, tuple | list) else (size,)
    if not 1 <= len(sizes) <= 3 or not all(isinstance(n, int | np.integer) for n in sizes):
        raise TypeError(f"{name} must be an int or one to three of them, got {size!r}")
    return Position(*(int(n) for n in (*sizes, 1, 1)[:3]))


class KernelFailed(Exception):
    """The kernel raised `error`."""

    def __init__(self, error: Exception):
        super().__init__(error)
        self.error = error


class Launch:
    """One launch, from its arguments to its report."""

    def __init__(self, shape: Shape, function: Any, args: tuple[Any, ...], dynamic_shared: int):
        self.function, self.args = function, args
        self.runtime = Runtime(shape)
        self.addresses = Addresses()
        self.cuda = Cuda(self.runtime, self.addresses, dynamic_shared)
        self.scheduler = Scheduler(self.runtime, self.cuda.begin_turn)
        self.cuda.scheduler = self.scheduler
        self.scheduler.after_barrier = self.look_if_long
        self.result = Report(function.__name__)

    def within_limits(self, dynamic_shared: int) -> bool:
        code = self.function.__code__
        findings = self.runtime.findings

        def limit(kind: str, message: str) -> None:
            findings.add(Diagnosis(kind, message, code.co_filename, code.co_firstlineno))

        for what, most, count in LIMITS:
            found = count(self.runtime.shape)
            if not 1 <= found <= most:
                limit("launch-limit", f"{found:,} {what}: a launch needs 1 to {most:,}. Use more blocks of fewer "
                      "threads, or none of size 0.")  # fmt: skip
                break
        if dynamic_shared > STATIC_SHARED:
            limit("shared-limit", f"{dynamic_shared:,} bytes of dynamic shared memory: a block gets at most "
                  f"{STATIC_SHARED:,}. Use smaller tiles.")  # fmt: skip
        return not findings.all()

    def prepare(self) -> None:
        """Converts the arguments, and compiles the kernel for their types."""
        runtime, scheduler = self.runtime, self.scheduler
        names = {
            "_sim_cuda": self.cuda,
            "_sim_log": runtime.log,
            "_sim_read": _read,
            "_sim_write": _write,
            "_sim_trip": self._trip,
            "_sim_tick": scheduler.tick,
        }
        runtime.program = Program(names, runtime.findings, self.cuda.constant)
        parameters = self.function.__code__.co_varnames[: self.function.__code__.co_argcount]
        if len(parameters) != len(self.args):
            raise TypeError(
                f"{self.function.__name__}({', '.join(parameters)}) takes {len(parameters)} arguments, "
                f"got {len(self.args)}"
            )
        self.arguments = Arguments(runtime, self.addresses)
        self.values = self.arguments.convert(list(parameters), self.args)
        for array, _, buffer in self.arguments.arrays:
            runtime.regions.setdefault(buffer.base, []).append(array)
        types = [_type(value, given) for value, given in zip(self.values, self.args, strict=True)]
        self.compiled = runtime.program.compile(self.function, types)
        self.coverage = Coverage(self.arguments.buffers)
        self.counter, self.races, self.trace = Counter(runtime), Races(runtime), Trace(runtime)

    def _trip(self, rounds: range, code: int) -> range:
        self.runtime.log(code + len(rounds))
        return rounds

    def run(self) -> None:
        self.prepare()
        finished = False
        with np.errstate(all="ignore"):
            try:
                for number in range(self.runtime.shape.blocks):
                    self.runtime.block = number
                    self.cuda.begin_block(number)
                    self._run_block()
                    self.runtime.phase += 1
                    self.look_if_long()
                finished = True
            except StopLaunch:
                pass
            except KernelHangs as hang:
                self._tell_hang(hang)
            except KernelFailed as failure:
                self._tell_error(failure.error)
            self.look()
        self.races.finish()
        originals = [value.copy() for _, value, _ in self.arguments.arrays]
        self.arguments.finish(self.coverage.written())
        self.result.counts = self.counter.finish(self.scheduler.barriers, self.cuda.shared_bytes)
        self.result.trace = self.trace
        if finished:
            self._after(originals)

    def _run_block(self) -> None:
        try:
            self.scheduler.run_block(self.compiled.function, self.values, self.compiled.switches)
        except (StopLaunch, KernelHangs):
            raise
        except Exception as error:  # whatever a learner's kernel raises
            if not self._frames(error):
                raise
            raise KernelFailed(error) from error

    def _after(self, originals: list[np.ndarray]) -> None:
        scalars = [value for value in self.values if type(value) is int]
        troubled = {found.kind for found in self.runtime.findings.all()} & {"out-of-bounds", "negative-index"}
        for (array, value, _), original in zip(self.arguments.arrays, originals, strict=True):
            tell_poisoned(self.runtime, array, value)
            if not troubled:
                tell_forgotten(self.runtime, self.coverage, array, original, scalars)

    def look_if_long(self) -> None:
        if len(self.runtime.marks) > ENOUGH:
            self.look()

    def look(self) -> None:
        """Takes what is in the log, and shows it to all who count or compare."""
        table = drain(self.runtime)
        for watcher in (self.counter, self.races, self.coverage, self.trace):
            watcher.add(table)

    # a kernel that does not end well

    def _here(self) -> tuple[tuple, tuple]:
        shape = self.runtime.shape
        return (tuple(shape.thread_at(self.runtime.thread)),), (tuple(shape.block_at(self.runtime.block)),)

    def _tell_hang(self, hang: KernelHangs) -> None:
        site = self.runtime.site(hang.code)
        threads, blocks = self._here()
        self.runtime.findings.add(Diagnosis(
            "hang",
            f"thread {threads[0]} of block {blocks[0]} goes round the loop in line {site.line} and never comes out. "
            "Does its condition change? A lock must be released, and no thread may wait for a later block.",
            site.file, site.line, None, threads, blocks,
        ))  # fmt: skip

    def _frames(self, error: Exception) -> list[traceback.FrameSummary]:
        """The lines of the kernel and its device functions that the error passed; none where it is not theirs."""
        files = self.runtime.program.sources
        return [frame for frame in traceback.extract_tb(error.__traceback__)
                if frame.lineno in files.get(frame.filename, ())]  # fmt: skip

    def _tell_error(self, error: Exception) -> None:
        """Notes what the kernel raised, and where."""
        last = self._frames(error)[-1]
        text = self.runtime.program.sources[last.filename][last.lineno]
        threads, blocks = self._here()
        self.runtime.findings.add(Diagnosis(
            "kernel-error",
            f"thread {threads[0]} of block {blocks[0]} stopped at line {last.lineno} (`{text}`) with "
            f"{type(error).__name__}: {error}",
            last.filename, last.lineno, None, threads, blocks,
        ))  # fmt: skip

    def report(self) -> Report:
        self.result.diagnoses = self.runtime.findings.all()
        return self.result


def _type(value: Any, given: Any) -> Any:
    if isinstance(value, Array):
        return value.type
    return of_value(given, "caller64")


def _read(array: Any, key: Any, code: int) -> Any:
    return array.read(key, code) if isinstance(array, Array) else array[key]


def _write(array: Any, value: Any, key: Any, code: int) -> None:
    if isinstance(array, Array):
        array.write(value, key, code)
    else:
        array[key] = value
