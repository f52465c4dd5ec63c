"""Runs the threads of a block, one greenlet each: a thread goes on until it must wait for others.

The order is fixed (thread 0 first), so a run is repeatable. Races are found from the log, not from the order.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from greenlet import getcurrent, greenlet

from tinytorch.cuda.simulator import warp
from tinytorch.cuda.simulator.runtime import WARP, Position, Runtime
from tinytorch.cuda.simulator.sites import SITE_SHIFT

# Rounds of `while` loops between two barriers: of one thread, and of the block in all, not counting the first few
# thousand of each thread.
MOST_ROUNDS = 100_000
FREE_ROUNDS = 10_000
MOST_ROUNDS_OF_BLOCK = 150_000
ROUNDS_A_TURN = 500


class KernelHangs(Exception):
    """A thread waits for something that will not happen; `code` is the site of its loop."""

    def __init__(self, code: int):
        super().__init__(code)
        self.code = code


@dataclass
class Wait:
    """Why a thread does not go on: a barrier, an operation of its warp, or other threads' turn."""

    kind: str  # "barrier", "warp", "active" or "turn"
    code: int
    name: str = ""
    mask: int = 0
    values: tuple[Any, ...] = ()


@dataclass
class Thread:
    """One thread of the block that runs now."""

    number: int
    position: Position
    lane: int
    warp: int
    wait: Wait | None = None
    answer: Any = None
    done: bool = False
    rounds: int = 0
    fenced: bool = False
    task: greenlet | None = field(default=None, repr=False)


class Scheduler:
    """Runs one block after the other. `begin_turn` is told which thread goes on."""

    def __init__(self, runtime: Runtime, begin_turn: Callable[[Thread], None]):
        self.runtime, self.begin_turn = runtime, begin_turn
        self.threads: list[Thread] = []
        self.current: Thread
        self.parts: list[int] = []  # of each warp: how many syncwarp() it has passed in this phase
        self.barriers = 0
        self.long_rounds = 0
        self.after_barrier: Callable[[], None] = lambda: None

    def run_block(self, function: Callable[..., Any], arguments: list[Any], switches: bool) -> None:
        shape = self.runtime.shape
        self.parts = [0] * shape.warps
        self.long_rounds = 0
        self.threads = [
            Thread(number, shape.thread_at(number), number % WARP, number // WARP) for number in range(shape.threads)
        ]
        if not switches:
            for thread in self.threads:
                self._turn(thread)
                function(*arguments)
                thread.done = True
            return
        self.hub = getcurrent()
        context = contextvars.copy_context()
        for thread in self.threads:
            thread.task = greenlet(function)
            thread.task.gr_context = context.copy()
        ready = self.threads
        first = True
        while ready:
            for thread in ready:
                self._turn(thread)
                thread.wait, answer = None, thread.answer
                if first:
                    thread.task.switch(*arguments)
                else:
                    thread.task.switch(answer)
                thread.done = thread.task.dead
            first = False
            ready = self._resume()

    def _turn(self, thread: Thread) -> None:
        self.current = thread
        self.runtime.turn(thread.number, self.parts[thread.warp])
        self.begin_turn(thread)

    # called by the running thread

    def wait(self, wait: Wait) -> Any:
        """The running thread lets the others go on until what it waits for has come."""
        self.current.wait = wait
        return self.hub.switch()

    def tick(self, code: int) -> None:
        """One round of a `while`: now and then the others get a turn, and after very many it counts as endless."""
        self.runtime.log(code)
        thread = self.current
        thread.rounds += 1
        self.long_rounds += thread.rounds > FREE_ROUNDS
        if thread.rounds >= MOST_ROUNDS or self.long_rounds >= MOST_ROUNDS_OF_BLOCK:
            raise KernelHangs(code)
        if thread.rounds % ROUNDS_A_TURN == 0:
            self.wait(Wait("turn", code))

    # who goes on

    def _resume(self) -> list[Thread]:
        """The threads that can go on, now that every other one waits or has ended."""
        waiting = [thread for thread in self.threads if not thread.done]
        ready = self._warps(waiting)
        ready = ready or self._active(waiting)
        ready = ready or [thread for thread in waiting if thread.wait.kind == "turn"]
        if not ready and waiting:
            if any(thread.wait.kind == "warp" for thread in waiting):
                ready = self._incomplete_warp(waiting)
            else:
                ready = self._barrier(waiting)
        return sorted(ready, key=lambda thread: thread.number)

    def _warps(self, waiting: list[Thread]) -> list[Thread]:
        """Warp operations for which all lanes have come that the mask names (lanes that ended are excused)."""
        groups: dict[tuple, list[Thread]] = {}
        alive = [0] * len(self.parts)
        for thread in waiting:
            alive[thread.warp] |= 1 << thread.lane
            if thread.wait.kind == "warp":
                groups.setdefault((thread.warp, thread.wait.code, thread.wait.mask), []).append(thread)
        ready: list[Thread] = []
        for (number, _, mask), group in groups.items():
            there = sum(1 << thread.lane for thread in group)
            if mask & alive[number] == there & mask:
                ready += self._answer(group)
        return ready

    def _answer(self, group: list[Thread]) -> list[Thread]:
        wait = group[0].wait
        answers = warp.answers(wait.name, {thread.lane: thread.wait.values for thread in group})
        for thread in group:
            if not wait.mask >> thread.lane & 1:
                self._find(
                    "divergent-barrier", wait.code, None, [thread],
                    f"lane {thread.lane} calls cuda.{wait.name} with the mask {wait.mask:#010x}, which does not name "
                    "it. Every lane that calls must be in the mask: 0xffffffff names all 32.",
                )  # fmt: skip
            thread.answer = answers[thread.lane]
        if wait.name == "syncwarp":
            self.parts[group[0].warp] += 1
        return group

    def _active(self, waiting: list[Thread]) -> list[Thread]:
        """`activemask`: the lanes of a warp that stand at the same call, once nobody else can go on."""
        groups: dict[tuple, list[Thread]] = {}
        for thread in waiting:
            if thread.wait.kind == "active":
                groups.setdefault((thread.warp, thread.wait.code), []).append(thread)
        for group in groups.values():
            for thread in group:
                thread.answer = sum(1 << other.lane for other in group)
        return [thread for group in groups.values() for thread in group]

    def _incomplete_warp(self, waiting: list[Thread]) -> list[Thread]:
        """Lanes that a mask names wait elsewhere: told, and the ones that are there go on."""
        first = next(thread for thread in waiting if thread.wait.kind == "warp")
        wait = first.wait
        same = [t for t in waiting if t.warp == first.warp and (t.wait.code, t.wait.mask) == (wait.code, wait.mask)]
        missing = [t for t in waiting if t.warp == first.warp and t not in same and wait.mask >> t.lane & 1]
        where = self.runtime.site(missing[0].wait.code).line if missing else None
        lanes = ", ".join(str(thread.lane) for thread in missing[:8])
        self._find(
            "divergent-barrier", wait.code, where, [first, *missing[:3]],
            f"cuda.{wait.name} waits for lanes {lanes}, which its mask {wait.mask:#010x} names, but they are at line "
            f"{where}. Call it where all those lanes pass, or make the mask name only the lanes that do.",
        )  # fmt: skip
        return self._answer(same)

    def _barrier(self, waiting: list[Thread]) -> list[Thread]:
        """All threads that still run wait at a barrier: it opens, and a phase of the block ends."""
        first = waiting[0]
        name = first.wait.name
        elsewhere = [thread for thread in waiting if thread.wait.code != first.wait.code]
        ended = [thread for thread in self.threads if thread.done]
        if elsewhere:
            other = self.runtime.site(elsewhere[0].wait.code).line
            self._find(
                "divergent-barrier", first.wait.code, other, [first, elsewhere[0]],
                f"some threads wait here at cuda.{name}(), others at the one in line {other}: a barrier must be the "
                "same line for all threads of the block. Move it out of the branch.",
            )  # fmt: skip
        elif ended:
            self._find(
                "divergent-barrier", first.wait.code, None, [first, ended[0]],
                f"cuda.{name}() is reached by {len(waiting)} of {len(self.threads)} threads of the block: "
                f"thread {tuple(ended[0].position)} ended or went round it. Every thread must reach every barrier: "
                "take it out of the `if` or loop, and let idle threads skip the work instead of returning.",
            )  # fmt: skip
        self.barriers += 1
        self.after_barrier()
        self.runtime.phase += 1
        self.parts = [0] * len(self.parts)
        self.long_rounds = 0
        for thread in self.threads:
            thread.rounds = 0
        predicates = [bool(thread.wait.values[0]) for thread in waiting if thread.wait.values]
        for thread in waiting:
            thread.answer = warp.barrier_answer(thread.wait.name, predicates)
        return waiting

    def _find(self, kind: str, code: int, other_line: int | None, threads: list[Thread], message: str) -> None:
        who = [(self.runtime.block, thread.number) for thread in threads]
        self.runtime.find(kind, code >> SITE_SHIFT << SITE_SHIFT, None, None, message, other_line, who)
