"""The process in which a learner's code is run. Started by its path, so that it decides what `tinytorch` is.

Standard input brings one request; results leave over a copy of the first output descriptor, made before any of the
learner's code runs. From then on both outputs lead to the other pipe, which carries only what the learner prints.
Nothing here knows an expected value, a seed or a score. Whatever the learner's code does to this process, the parent
believes only results that arrive whole and bear its nonce.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import time
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


def load(name: str, path: str) -> ModuleType:
    """A module by the path of its file, without the package that it belongs to."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


class Overrides:
    """Serves `tinytorch` from one place, and some of its modules from text that the parent sent."""

    def __init__(self, package: str, sources: dict[str, tuple[str, str]]) -> None:
        self.package = package
        self.sources = sources  # module -> (path, text)

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> ModuleSpec | None:
        if name == "tinytorch":
            file = os.path.join(self.package, "__init__.py")
            return importlib.util.spec_from_file_location(name, file, submodule_search_locations=[self.package])
        if name in self.sources:
            return importlib.util.spec_from_file_location(name, self.sources[name][0], loader=self)  # type: ignore
        return None

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        path, text = self.sources[module.__name__]
        exec(compile(text, path, "exec", dont_inherit=True), module.__dict__)


class Runner:
    """Works through a request: exercise by exercise, case by case, every result sent as soon as it is there."""

    def __init__(self, wire: ModuleType, results: int, request: dict[str, Any]) -> None:
        self.wire = wire
        self.results = results
        self.request = request

    def send(self, **message: Any) -> None:
        data = self.wire.write(self.request["nonce"], message)
        while data:
            data = data[os.write(self.results, data) :]

    def mark(self) -> None:
        """Say in the stream of what is printed that the next exercise begins."""
        for stream in (sys.__stdout__, sys.__stderr__):
            try:
                if stream is not None:
                    stream.flush()
            except (ValueError, OSError):  # the learner's code closed it
                pass
        os.write(2, b"\0" + self.request["nonce"].encode() + b"\0")

    def main(self) -> None:
        request = self.request
        sys.meta_path.insert(0, Overrides(request["package"], request["sources"]))
        try:
            for module in ("tinytorch", *request["modules"]):
                importlib.import_module(module)
            if (kept := vars(sys.modules["tinytorch"]).get("_broken")) is not None:
                raise kept
        except BaseException as error:
            self.send(broken=self.told(error, None))
            return
        from tinytorch.course import catalog
        from tinytorch.exercise import find_reference, registry

        questions = {path: catalog.load_file(catalog.Path(path)).questions for path in request["questions"]}
        references = {id: find_reference(entry) for id, entry in registry.items()}
        self.send(ready=True)
        for number, job in enumerate(request["jobs"]):
            entry, question = registry.get(job["id"]), questions[job["questions"]][job["id"]]
            if entry is None:
                self.mark()
                self.mark()
                self.send(missing=number)
                continue
            for id, other in registry.items():
                reference = references[id]
                if reference is not None:
                    other.function.__code__ = reference
            bodies = [references[job["id"]], *(m.body.__code__ for m in question.misconceptions)]
            if request["learner"]:
                entry.use("mine")
                bodies = [entry.function.__code__]
            self.work(number, entry, question.run, bodies, job["cases"])
        self.send(finished=True)

    def work(self, number: int, entry: Any, run: Callable[..., Any], bodies: list, cases: list) -> None:
        """One exercise: each of the bodies on each of the cases."""
        self.mark()
        self.send(begin=number)
        started = time.perf_counter()
        for which, body in enumerate(bodies):
            for k, case in enumerate(cases):
                self.send(at=k)
                entry.function.__code__ = body
                self.outcome([number, which, k], run, entry, case)
        seconds = time.perf_counter() - started
        self.mark()
        self.send(done=number, seconds=seconds)

    def outcome(self, place: list[int], run: Callable[..., Any], entry: Any, case: list) -> None:
        """Run one case on fresh copies of its inputs, and send what came of it."""
        text, body = case
        try:
            result = {"value": run(entry.function, **self.wire.read(bytes(text), bytes(body)))}
        except BaseException as error:
            result = self.told(error, entry)
        try:
            self.send(outcome=[*place, result])
        except self.wire.WireError as error:
            self.send(outcome=[*place, {"large": str(error)}])

    def told(self, error: BaseException, entry: Any) -> dict[str, Any]:
        """An exception in plain values: its class, its words, and where in the learner's file."""
        import traceback

        text = "".join(traceback.format_exception_only(type(error), error)).strip()[-2000:]
        files = {entry.path} if entry is not None else {path for path, _ in self.request["sources"].values()}
        where = None
        for frame, line in traceback.walk_tb(error.__traceback__):
            if frame.f_code.co_filename in files:
                where = [frame.f_code.co_filename, line]
        if isinstance(error, SyntaxError) and error.filename in files:
            where = [error.filename, error.lineno]
        return {"raised": type(error).__name__, "text": text, "where": where, "exit": isinstance(error, SystemExit)}


def start() -> None:
    results = os.dup(1)
    os.dup2(2, 1)
    wire = load("tinytorch_wire", os.path.join(os.path.dirname(os.path.abspath(__file__)), "wire.py"))
    (request,) = wire.Reader("0" * 32).feed(sys.stdin.buffer.read())
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    Runner(wire, results, request).main()
    os._exit(0)  # what the learner's code left to be done at exit is not waited for


if __name__ == "__main__":
    start()
