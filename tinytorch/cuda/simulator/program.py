"""Compiles a kernel, and the device functions it calls, into rewritten Python functions."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import numpy as np

from tinytorch.cuda.simulator.arithmetic import Mathematics, caster
from tinytorch.cuda.simulator.diagnoses import Diagnosis, Findings
from tinytorch.cuda.simulator.instrument import Instrument
from tinytorch.cuda.simulator.sites import Sites
from tinytorch.cuda.simulator.source import Source
from tinytorch.cuda.simulator.typewalk import TypeWalk


@dataclass
class Compiled:
    """One function for one set of argument types; `function` is there once it is rewritten."""

    function: Callable[..., Any] | None = None
    result: Any = None
    switches: bool = False  # whether it ever waits for other threads
    tree: ast.FunctionDef | None = None  # as rewritten, for those who want to see it: `ast.unparse(tree)`

    def __call__(self, *values: Any, **named: Any) -> Any:
        assert self.function is not None
        return self.function(*values, **named)


class Program:
    """All functions of one launch. `names` are put into every function's namespace (`_sim_cuda`, `_sim_log`, ...)."""

    def __init__(self, names: dict[str, Any], findings: Findings, constant_array: Callable[[np.ndarray, str], Any]):
        self.sites = Sites()
        self.names = {**names, "_sim_math": Mathematics(), "_sim_f64": np.float64}
        self.findings = findings
        self.constant_array = constant_array
        self.sources: dict[str, dict[int, str]] = {}
        self._compiled: dict[tuple, Compiled] = {}

    def compile(self, function: FunctionType, types: list[Any]) -> Compiled:
        key = (function, repr(types))
        if key in self._compiled:
            return self._compiled[key]
        compiled = self._compiled[key] = Compiled()
        source = Source(function)
        self.sources.setdefault(source.file, {}).update(source.lines)

        def wide(line: int, text: str, why: str) -> None:
            self.findings.add(Diagnosis(
                "float64",
                f"line {line} computes `{text}` in float64: it mixes a float32 with {why}. Double precision is up to "
                "64 times slower on a GPU. Wrap the constant, the start value or the int: `float32(0)`, `float32(n)`.",
                source.file, line,
            ))  # fmt: skip

        compiled.result = TypeWalk(source, types, self.compile, wide).result
        rewritten = Instrument(source, self.sites, self.constant_array).run()
        for line, text in rewritten.variable_sizes:
            self.findings.add(Diagnosis(
                "kernel-error",
                f"line {line}: the size `{text}` of a shared or local array must be known when the kernel is compiled, "
                "so it cannot come from an argument or the launch. Use a global constant, or dynamic shared memory "
                "(`cuda.shared.array(0, dtype)` and the launch's fourth number).",
                source.file, line,
            ))  # fmt: skip
        compiled.switches = rewritten.switches
        compiled.tree = rewritten.tree
        namespace = {**function.__globals__, **source.closure, **self.names}
        for name, value in rewritten.constants.items():
            namespace[name] = self._constant(value)
        module = ast.Module([source.tree], [])
        exec(compile(module, source.file, "exec"), namespace)  # the learner's own function, rewritten
        compiled.function = namespace[source.tree.name]
        return compiled

    @staticmethod
    def _constant(value: Any) -> Any:
        if isinstance(value, tuple) and value and value[0] == "cast":
            return caster(value[1])
        return value.function or value if isinstance(value, Compiled) else value
