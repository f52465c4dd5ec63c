"""Whose code runs: `@exercise` marks the functions that a learner writes.

A function that the learner has filled in is left exactly as it is. One that still says `raise NotImplementedError`
gets, at its first call, the code of the reference in `solutions/` (same path, same name), and from then on *is* that
code: the same function object, no wrapper, no cost per call. Where there is no reference it raises `ExerciseNotDone`.

`TINYTORCH_USE` overrides this: `auto` (the rule above), `mine` (never a reference), `reference` (always), or
`mine:04_autograd` (`mine` for the exercises of that chapter, `reference` for all others: what the checker uses).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any, TypeVar

__all__ = ["Exercise", "ExerciseNotDone", "exercise", "in_use", "registry", "reload_changed", "runs_on", "whose"]

F = TypeVar("F", bound=Callable[..., Any])

registry: dict[str, Exercise] = {}
_by_code: dict[int, Exercise] = {}  # id of a stand-in's code object -> the exercise it stands for
_reloading: list[tuple[Exercise, FunctionType]] | None = None  # new versions found while a module is read again


class ExerciseNotDone(NotImplementedError):
    """A function was called that is still to be written, and there is no reference to take its place."""

    def __init__(self, entry: Exercise) -> None:
        self.exercise = entry.id
        super().__init__(
            f"{entry.qualname} is yours to write: exercise {entry.id}, {entry.path}:{entry.line}. "
            f"The lesson is {_lesson_of(entry.id)}; `tinytorch hint {entry.id}` helps."
        )


class Exercise:
    """One function to be written: what it is called, where it stands, and whose code it runs."""

    def __init__(self, id: str, points: int, function: FunctionType) -> None:
        self.id = id
        self.points = points
        self.function = function
        self.module = function.__module__
        self.qualname = function.__qualname__
        self.take(function)

    def take(self, function: FunctionType) -> None:
        """Let this exercise hold the body of `function`: the first one, or one that was read again from the file."""
        own = self.own_code = function.__code__
        self.path, self.line = own.co_filename, own.co_firstlineno
        self.stamp = _stamp(self.path)
        self.filled = not is_untouched(own)
        self.function.__defaults__, self.function.__kwdefaults__ = function.__defaults__, function.__kwdefaults__
        self.function.__doc__ = function.__doc__
        if self.filled and _mode_for(self.id) != "reference":
            self.function.__code__ = own
        else:
            self._stand_in()

    def use(self, mode: str) -> None:
        """From now on run the learner's code ("mine") or the reference ("reference"), whatever TINYTORCH_USE says."""
        if mode == "mine":
            self.function.__code__ = self.own_code
            if not self.filled:
                self._stand_in(mode)
        else:
            reference = find_reference(self)
            if reference is not None:
                self.function.__code__ = reference

    def state(self) -> str:
        """Whose code runs when the function is called: "yours", "reference" or "nobody's"."""
        mode = _mode_for(self.id)
        if self.filled and mode != "reference":
            return "yours"
        return "reference" if mode != "mine" and find_reference(self) is not None else "nobody's"

    def _stand_in(self, mode: str | None = None) -> None:
        """Give the function a body that looks for the right code when it is first called; same arguments."""
        own = self.own_code
        self.mode = mode
        self.stand_in = _ask.__code__.replace(
            co_name=own.co_name, co_qualname=own.co_qualname, co_filename=own.co_filename,
            co_firstlineno=own.co_firstlineno, co_argcount=own.co_argcount, co_kwonlyargcount=own.co_kwonlyargcount,
            co_posonlyargcount=own.co_posonlyargcount, co_nlocals=_arguments(own), co_flags=own.co_flags,
            co_varnames=own.co_varnames[: _arguments(own)],
        )  # fmt: skip
        _by_code[id(self.stand_in)] = self
        self.function.__code__ = self.stand_in

    def settle(self) -> FunctionType:
        """Replace the stand-in by the reference, or say that nobody has written this function."""
        mode = self.mode or _mode_for(self.id)
        reference = None if mode == "mine" else find_reference(self)
        if reference is None:
            if not self.filled:
                raise ExerciseNotDone(self)
            reference = self.own_code
        self.function.__code__ = reference
        return self.function

    def __repr__(self) -> str:
        return f"<Exercise {self.id}: {self.state()}, {self.path}:{self.line}>"


def exercise(id: str, points: int) -> Callable[[F], F]:
    """Mark a function, or a method in a class body, as an exercise. The function object itself is returned.

    Args:
        id: "chapter.name", such as "autograd.unbroadcast"; the chapter's questions are in `exercises/NN_chapter.py`.
        points: what it earns when all checks pass.
    """

    def mark(function: Any) -> Any:
        known = registry.get(id)
        if known is not None and (known.module, known.qualname) != (function.__module__, function.__qualname__):
            raise ValueError(f"two exercises are called {id}: {known.qualname} and {function.__qualname__}")
        if known is not None and _reloading is not None:
            _reloading.append((known, function))
            return known.function
        if known is not None and known.function.__globals__ is function.__globals__:  # importlib.reload
            known.take(function)
            return known.function
        if function.__code__.co_freevars:
            raise ValueError(f"exercise {id} uses {function.__code__.co_freevars}: no closures and no bare super()")
        registry[id] = Exercise(id, points, function)
        return function

    return mark


def _template() -> None:
    raise NotImplementedError


def is_untouched(code: CodeType) -> bool:
    """Whether a body is still nothing but `raise NotImplementedError` (and a docstring)."""
    blank = _template.__code__
    return code.co_code == blank.co_code and code.co_names == blank.co_names


def _ask() -> Any:
    return __import__("sys").modules["tinytorch.exercise"]._first_call()


def _first_call() -> Any:
    """Called by a stand-in: finds out which exercise it stands for, settles it, and calls it."""
    frame = sys._getframe(1)
    code, values = frame.f_code, frame.f_locals
    names = iter(code.co_varnames)
    args = [values[next(names)] for _ in range(code.co_argcount)]
    kwargs = {name: values[name] for _, name in zip(range(code.co_kwonlyargcount), names, strict=False)}
    if code.co_flags & _VARARGS:
        args += values[next(names)]
    if code.co_flags & _VARKEYWORDS:
        kwargs |= values[next(names)]
    return _by_code[id(code)].settle()(*args, **kwargs)


_VARARGS, _VARKEYWORDS = 4, 8  # inspect.CO_VARARGS and CO_VARKEYWORDS, without importing inspect


def _arguments(code: CodeType) -> int:
    """How many local variables are arguments."""
    extra = bool(code.co_flags & _VARARGS) + bool(code.co_flags & _VARKEYWORDS)
    return code.co_argcount + code.co_kwonlyargcount + extra


def course_root() -> str:
    """The folder with `solutions/`, `exercises/` and `notebooks/`: beside the package, or TINYTORCH_COURSE_ROOT."""
    return os.environ.get("TINYTORCH_COURSE_ROOT") or os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def find_reference(entry: Exercise) -> CodeType | None:
    """The reference's code, or None: that of `tinytorch/ops/linalg.py` is in `solutions/ops/linalg.py`, same name.

    The solutions file is compiled, not run: its code works with the names of the stub's own module.
    """
    path = os.path.join(course_root(), "solutions", *entry.module.split(".")[1:]) + ".py"
    try:
        with open(path, encoding="utf-8") as file:
            source = file.read()
    except FileNotFoundError:
        return None
    code: CodeType | None = compile(source, path, "exec", dont_inherit=True)
    for name in entry.qualname.split("."):
        inner = [c for c in code.co_consts if isinstance(c, CodeType) and c.co_name == name] if code else []
        code = inner[-1] if inner else None
    if code is not None and code.co_freevars:
        raise ValueError(f"the reference of {entry.id} uses {code.co_freevars}: no closures and no bare super()")
    return code


def _mode_for(id: str) -> str:
    """`auto`, `mine` or `reference`, as TINYTORCH_USE says for this exercise."""
    mode, _, chapter = os.environ.get("TINYTORCH_USE", "auto").partition(":")
    if mode not in ("auto", "mine", "reference"):
        raise ValueError(f"TINYTORCH_USE={mode}: expected auto, mine, reference or mine:CHAPTER")
    if mode == "mine" and chapter and chapter.partition("_")[2] != id.partition(".")[0]:
        return "reference"
    return mode


def _lesson_of(id: str) -> str:
    folder = os.path.join(course_root(), "notebooks")
    names = os.listdir(folder) if os.path.isdir(folder) else []
    topic = id.partition(".")[0]
    return next((f"notebooks/{n}" for n in sorted(names) if n[2:] == f"_{topic}.ipynb"), f"the one on {topic}")


def whose(id: str) -> str:
    """Whose code an exercise runs: "yours", "reference" or "nobody's"."""
    return registry[id].state()


def in_use() -> dict[str, dict[str, int]]:
    """How many exercises run whose code, by chapter: `{"autograd": {"yours": 1, "reference": 8, "nobody's": 0}}`."""
    found: dict[str, dict[str, int]] = {}
    for id in registry:
        counts = found.setdefault(id.partition(".")[0], {"yours": 0, "reference": 0, "nobody's": 0})
        counts[whose(id)] += 1
    return found


def runs_on(topic: str) -> str:
    """In words, for the top of a lesson: which functions of a chapter are the learner's own.

    A chapter without exercises runs on the reference alone.
    """
    yours = [entry.qualname for id, entry in registry.items() if id.startswith(f"{topic}.") and whose(id) == "yours"]
    total = sum(id.startswith(f"{topic}.") for id in registry)
    if not yours:
        return f"This lesson runs on the reference: none of its {total} exercises is filled in."
    return f"This lesson runs on your own {', '.join(yours)} ({len(yours)} of {total} exercises)."


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def reload_changed() -> list[str]:
    """Read again the files with exercises that were saved since they were imported.

    Every function object stays the one it was, so all copies of a name see the new code. A file that does not compile,
    or that raises while it is read, changes nothing; the first is reported, the second raised.

    Returns:
        One line for each file that was read, in words.
    """
    modules = {entry.module: entry for entry in registry.values()}
    said = []
    for name, entry in modules.items():
        now = _stamp(entry.path)
        if now is None or now == entry.stamp or name not in sys.modules:
            continue
        for other in registry.values():
            if other.module == name:
                other.stamp = now
        try:
            said.append(_reload(sys.modules[name].__dict__, entry.path))
        except SyntaxError as error:
            said.append(f"{entry.path}:{error.lineno}: {error.msg}. The code from before stays in use.")
    return said


def _reload(live: dict[str, Any], path: str) -> str:
    """Run a file's new text beside the live module, and when all went well take its functions over."""
    global _reloading
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec", dont_inherit=True)
    fresh = dict(live)
    _reloading = []
    try:
        exec(code, fresh)
        found = _reloading
    finally:
        _reloading = None
    changed = [entry.id for entry, function in found if entry.own_code != function.__code__]
    for entry, function in found:
        entry.take(function)
    _merge(live, fresh, live)
    return f"{path} was read again" + (f": {', '.join(changed)}" if changed else "")


def _merge(old: dict[str, Any] | type, new: dict[str, Any], live: dict[str, Any]) -> None:
    """Bring functions of `new` into the module or class `old`: known ones get the new code, new names are added."""
    held = old if isinstance(old, dict) else vars(old)
    stand_ins = {entry.function for entry in registry.values()}
    for name, value in new.items():
        before = held.get(name)
        if value is before or value in stand_ins if isinstance(value, FunctionType) else value is before:
            continue
        if isinstance(value, FunctionType) and value.__module__ == live["__name__"]:
            if isinstance(before, FunctionType) and len(before.__code__.co_freevars) == len(value.__code__.co_freevars):
                before.__code__ = value.__code__
                before.__defaults__, before.__kwdefaults__ = value.__defaults__, value.__kwdefaults__
                continue
            value = FunctionType(value.__code__, live, value.__name__, value.__defaults__, value.__closure__)
            value.__kwdefaults__ = new[name].__kwdefaults__
        elif isinstance(value, type) and isinstance(before, type) and value.__module__ == live["__name__"]:
            _merge(before, dict(vars(value)), live)
            continue
        elif name in held:
            continue
        if isinstance(old, dict):
            old[name] = value
        else:
            setattr(old, name, value)
