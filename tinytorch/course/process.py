"""Child processes that run exercises, and what came of it. The parent survives whatever they do.

`child_command` alone says how a child is started: a sandbox wraps what it returns.
"""

from __future__ import annotations

import contextlib
import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinytorch.course import catalog
from tinytorch.errors import CourseError

IMPORT_SECONDS = 20.0  # for a child to start and to import the framework
MOST_PRINTED = 100_000  # bytes that the cases of one exercise may print
TAIL = 2000  # of these so many are kept, the last ones
_KEPT = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "NUMBA_CACHE_DIR", "HOME", "USERPROFILE", "LD_LIBRARY_PATH")

Job = tuple[catalog.Entry, Path, Sequence[Mapping[str, Any]], float]  # exercise, its questions, its cases, its limit


def child_command() -> list[str]:
    """The command line of a child: this Python, isolated from its environment and from the current folder."""
    return [sys.executable, "-I", "-X", "utf8", str(Path(__file__).with_name("child.py"))]


def child_environment(use: str) -> dict[str, str]:
    """What a child knows of this process: almost nothing."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {
        "TINYTORCH_USE": use,
        "TINYTORCH_COURSE_ROOT": str(catalog.root()),
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


@dataclass(frozen=True)
class Outcome:
    """What one case came to: a value, or an exception, or a result too large to hand over."""

    value: Any = None
    raised: str | None = None  # the class of the exception
    text: str = ""  # the exception's own words
    where: tuple[str, int] | None = None
    exit: bool = False
    large: str | None = None

    @property
    def is_value(self) -> bool:
        return self.raised is None and self.large is None


@dataclass
class Answer:
    """All outcomes of one exercise: of the body asked about (0) and, from the oracle, of its misconceptions (1...)."""

    outcomes: dict[int, list[Outcome]] = field(default_factory=dict)
    seconds: float = 0.0
    begun: bool = False  # the child had imported everything
    trouble: str | None = None  # timeout | exited | output | broken | missing
    broken: Outcome | None = None  # why the files could not be imported
    text: str = ""  # how the process ended
    at: int = 0  # the case that ran last
    printed: int = 0
    tail: str = ""


class Child:
    """One process, and the threads that listen to it."""

    def __init__(self, use: str) -> None:
        self.nonce = secrets.token_hex(16)
        self.events: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.segments: list[list[Any]] = [[0, b""]]  # how much was printed, and the end of it, between two marks
        self.flooded: set[int] = set()  # the numbers of exercises that printed too much
        self.marked = threading.Condition()
        self.process = subprocess.Popen(
            child_command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=child_environment(use), cwd=catalog.root(), start_new_session=os.name == "posix", bufsize=0,
        )  # fmt: skip
        self.threads = [threading.Thread(target=self._hear_output, daemon=True)]
        self.threads[0].start()

    def send(self, request: dict[str, Any]) -> None:
        """Hand over the request, and begin to listen for results."""
        from tinytorch.course import wire

        self.threads.append(threading.Thread(target=self._hear_results, args=(wire.Reader(self.nonce),), daemon=True))
        self.threads[-1].start()
        assert self.process.stdin is not None
        try:
            with self.process.stdin as pipe:
                view = memoryview(wire.write("0" * 32, request | {"nonce": self.nonce}))
                while view:
                    view = view[pipe.write(view) :]
        except OSError:  # it died before it had read everything; the end of its results says so
            pass

    def _hear_results(self, reader: Any) -> None:
        from tinytorch.course import wire

        assert self.process.stdout is not None
        try:
            while data := os.read(self.process.stdout.fileno(), 1 << 18):
                for message in reader.feed(data):
                    self.events.put(("message", message))
        except wire.WireError as error:
            self.events.put(("garbled", str(error)))
        self.events.put(("end", None))

    def _hear_output(self) -> None:
        assert self.process.stderr is not None
        mark, held = b"\0" + self.nonce.encode() + b"\0", b""
        while data := os.read(self.process.stderr.fileno(), 1 << 16):
            held += data
            *whole, held = held.split(mark)
            for part in whole:
                self._printed(part)
                with self.marked:
                    self.segments.append([0, b""])
                    self.marked.notify_all()
            safe = max(0, len(held) - len(mark))
            self._printed(held[:safe])
            held = held[safe:]
        self._printed(held)

    def _printed(self, data: bytes) -> None:
        segment = self.segments[-1]
        before = segment[0]
        segment[0] += len(data)
        segment[1] = (segment[1] + data)[-TAIL:]
        if before <= MOST_PRINTED < segment[0] and len(self.segments) % 2 == 0:
            self.flooded.add(len(self.segments) // 2 - 1)
            self.events.put(("output", None))

    def printed(self, number: int) -> tuple[int, str]:
        """How much the exercise of this number printed, and the end of it."""
        with self.marked:
            self.marked.wait_for(lambda: len(self.segments) > 2 * number + 2, timeout=0.5)
        size, tail = self.segments[2 * number + 1] if len(self.segments) > 2 * number + 1 else self.segments[-1]
        return size, tail.decode("utf-8", "replace")

    def kill(self) -> None:
        """End the process and all that it started."""
        if os.name == "posix":
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        for thread in self.threads:
            thread.join(timeout=0.2)
        pipes = (self.process.stdin, self.process.stdout, self.process.stderr)
        for pipe in pipes if not any(thread.is_alive() for thread in self.threads) else ():
            if pipe is not None:
                pipe.close()


class Side:
    """Runs a list of exercises in children that know one side of the matter; a new child goes on where one fails."""

    def __init__(self, use: str, learner: bool) -> None:
        self.use = use
        self.learner = learner
        self.stopped = False
        self.child: Child | None = Child(use)  # at once: it starts up while the parent still reads questions
        self.fresh = True
        self.futures: dict[str, Future[Answer]] = {}

    def start(self, jobs: Sequence[Job], texts: Callable[[Sequence[str]], Mapping[str, str]]) -> None:
        """Begin, in a thread. `texts` gives the files of the package for the exercises that it is called with."""
        import numpy as np

        from tinytorch.course import wire

        def packed(case: Mapping[str, Any]) -> list[np.ndarray]:
            return [np.frombuffer(part, np.uint8) for part in wire.encode(dict(case))]

        self.futures = {job[0].id: Future() for job in jobs}
        self.encoded = {job[0].id: [packed(case) for case in job[2]] for job in jobs}
        threading.Thread(target=self._work, args=(list(jobs), texts), daemon=True).start()

    def answer(self, id: str) -> Answer:
        """Waits until this exercise has run."""
        return self.futures[id].result()

    def stop(self) -> None:
        self.stopped = True
        child = self.child
        if child is not None:
            child.kill()

    def _work(self, rest: list[Job], texts: Callable[[Sequence[str]], Mapping[str, str]]) -> None:
        alone = False
        try:
            while rest and not self.stopped:
                batch = rest[:1] if alone else rest
                finished = self._batch(batch, texts([job[0].id for job in batch]), alone or not self.learner)
                alone = alone or not finished
                rest = rest[finished:]
        finally:
            for future in self.futures.values():
                if not future.done():
                    future.set_exception(CourseError("checking was broken off"))

    def _batch(self, jobs: Sequence[Job], texts: Mapping[str, str], final: bool) -> int:
        """One child, as far as it gets. Returns how many exercises have their answer now.

        Where the files cannot even be imported nothing has, unless `final`: then that is the answer of the first one.
        """
        if not self.fresh or self.child is None:
            self.child = Child(self.use)
        self.fresh = False
        child = self.child
        try:
            child.send(self._request(jobs, texts))
            answer = _hear(child, -1, Answer(), "ready", IMPORT_SECONDS)
            if answer.trouble is not None:
                told = jobs if answer.trouble == "timeout" else jobs[: int(final)]  # not to wait so long once more
                for entry, *_ in told:
                    self.futures[entry.id].set_result(answer)
                return len(told)
            for number, (entry, _, _, limit) in enumerate(jobs):
                seconds = limit if self.learner else IMPORT_SECONDS + 5 * limit
                answer = _hear(child, number, Answer(begun=True), "done", seconds)
                answer.printed, answer.tail = child.printed(number)
                self.futures[entry.id].set_result(answer)
                if answer.trouble not in (None, "missing"):
                    return number + 1
            return len(jobs)
        finally:
            child.kill()

    def _request(self, jobs: Sequence[Job], texts: Mapping[str, str]) -> dict[str, Any]:
        root = catalog.root()
        modules = {path: path.removesuffix(".py").replace("/", ".") for path in texts}
        return {
            "learner": self.learner,
            "package": str(root / "tinytorch"),
            "sources": {module: (str(root / path), texts[path]) for path, module in modules.items()},
            "modules": list(dict.fromkeys(entry.module for entry, *_ in jobs)),
            "questions": list(dict.fromkeys(str(file) for _, file, *_ in jobs)),
            "jobs": [
                {"id": entry.id, "questions": str(file), "cases": self.encoded[entry.id]} for entry, file, *_ in jobs
            ],
        }


def _hear(child: Child, number: int, answer: Answer, until: str, seconds: float) -> Answer:
    """Take messages about one exercise until the one that is named, or until something keeps it from coming."""
    deadline = time.monotonic() + seconds
    while answer.trouble is None:
        if number in child.flooded:  # told over another pipe than the messages, perhaps before or after them
            answer.trouble = "output"
            break
        try:
            kind, message = child.events.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            answer.trouble, answer.seconds = "timeout", seconds
            break
        if kind == "message" and not _take(answer, message):
            kind, message = "garbled", "a result of unknown form"
        if kind == "message" and isinstance(message, dict) and until in message:
            break
        if kind in ("end", "garbled"):
            answer.trouble = "exited"
            answer.text = _ending(child) if kind == "end" else str(message)
    return answer


def _take(answer: Answer, message: Any) -> bool:
    """Put one message into an answer. False where it is none: it may be forged, so its form is looked at closely."""
    if not isinstance(message, dict) or len(message) not in (1, 2):
        return False
    if "at" in message and type(message["at"]) is int and message["at"] >= 0:
        answer.at = message["at"]
        return True
    if "broken" in message:
        answer.trouble, answer.broken = "broken", _outcome(message["broken"])
        return answer.broken is not None
    if "missing" in message:
        answer.trouble = "missing"
        return True
    if "done" in message and type(message.get("seconds")) is float:
        answer.seconds = message["seconds"]
        return True
    place = message.get("outcome")
    if isinstance(place, list) and len(place) == 4 and type(place[1]) is int and type(place[2]) is int:
        outcome = _outcome(place[3])
        known = answer.outcomes.setdefault(place[1], [])
        if outcome is None or place[2] != len(known):
            return False
        known.append(outcome)
        return True
    return "ready" in message or "begin" in message or "finished" in message


def _outcome(found: Any) -> Outcome | None:
    """An outcome out of the plain values of a message, None where they are none."""
    if not isinstance(found, dict):
        return None
    if set(found) == {"value"}:
        return Outcome(value=found["value"])
    if set(found) == {"large"} and isinstance(found["large"], str):
        return Outcome(large=found["large"])
    if set(found) != {"raised", "text", "where", "exit"}:
        return None
    where, text = found["where"], found["text"]
    if not isinstance(found["raised"], str) or not isinstance(text, str) or not isinstance(found["exit"], bool):
        return None
    if isinstance(where, list) and len(where) == 2 and isinstance(where[0], str) and isinstance(where[1], int):
        return Outcome(raised=found["raised"], text=text, where=(where[0], where[1]), exit=found["exit"])
    return Outcome(raised=found["raised"], text=text, exit=found["exit"])


def _ending(child: Child) -> str:
    """How a child ended, in words. Its status is only told, never believed."""
    try:
        status = child.process.wait(timeout=1)
    except subprocess.TimeoutExpired:
        return "it stopped answering"
    if status < 0:
        return f"killed by signal {-status}"
    return f"exit status {status}"
