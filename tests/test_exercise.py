"""Whose code runs: the decorator, its modes, the references and the reload."""

import inspect
import os
import subprocess
import sys
import textwrap
import types

import pytest

from tests.machine import ROOT
from tinytorch import exercise as _  # noqa: F401  (the module, under its own name, is taken from sys.modules below)

ex = sys.modules["tinytorch.exercise"]

STUBS = '''
from __future__ import annotations
import math
from tinytorch.exercise import exercise

@exercise("demo.double", points=1)
def double(x, *more, scale=2, **named):
    """Twice x."""
    raise NotImplementedError

class Op:
    @exercise("demo.backward", points=2)
    def backward(ctx, dy: float = 1.0) -> float:
        """Something."""
        raise NotImplementedError

def helper(x):
    return x + 1

def uses(x):
    return double(x)
'''
SOLUTION = """
import a_module_that_does_not_exist

def double(x, *more, scale=2, **named):
    return math.floor(x) * scale, more, named

class Op:
    def backward(ctx, dy: float = 1.0) -> float:
        return ctx * dy
"""


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A module with two stubs, as `tinytorch.demo`, and a reference for it."""
    monkeypatch.setattr(ex, "registry", {})
    monkeypatch.setenv("TINYTORCH_COURSE_ROOT", str(tmp_path))
    monkeypatch.delenv("TINYTORCH_USE", raising=False)
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions" / "demo.py").write_text(SOLUTION, encoding="utf-8")
    path = tmp_path / "demo.py"

    def imported(text=STUBS):
        path.write_text(text, encoding="utf-8")
        module = types.ModuleType("tinytorch.demo")
        module.__file__ = str(path)
        monkeypatch.setitem(sys.modules, "tinytorch.demo", module)
        exec(compile(text, str(path), "exec"), module.__dict__)
        return module

    imported.path = path
    return imported


def saved(path, text):
    """Write a file so that its time of change differs, too."""
    path.write_text(text, encoding="utf-8")
    stamp = os.stat(path).st_mtime_ns + 10**9
    os.utime(path, ns=(stamp, stamp))


DONE = STUBS.replace("raise NotImplementedError", "return 'mine', x", 1)


def test_an_untouched_stub_becomes_the_reference_at_its_first_call(course):
    module = course()
    double = module.double
    assert ex.whose("demo.double") == "reference"
    assert double(2.5, 7, scale=3, b=4) == (6, (7,), {"b": 4})
    assert double is module.double is ex.registry["demo.double"].function
    assert double.__code__.co_filename.endswith(os.path.join("solutions", "demo.py"))  # no stand-in any more
    assert double(1) == (2, (), {})
    assert module.uses(4) == (8, (), {})


def test_a_method_and_its_defaults(course):
    module = course()
    assert module.Op.backward(5) == 5.0
    assert module.Op.backward(5, dy=3) == 15


def test_arguments_are_those_of_the_stub_before_the_first_call(course):
    module = course()
    assert str(inspect.signature(module.double)) == "(x, *more, scale=2, **named)"
    with pytest.raises(TypeError, match="double.*missing 1 required positional argument: 'x'"):
        module.double()


def test_a_filled_in_body_is_left_alone(course):
    module = course(DONE)
    assert ex.whose("demo.double") == "yours"
    assert module.double.__code__.co_filename == str(course.path)
    assert module.double(3) == ("mine", 3)
    assert ex.in_use() == {"demo": {"yours": 1, "reference": 1, "nobody's": 0}}
    assert "your own double (1 of 2 exercises)" in ex.runs_on("demo")


def test_without_a_reference_the_error_says_where_to_write(course, tmp_path):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "21_demo.ipynb").write_text("{}")
    (tmp_path / "solutions" / "demo.py").unlink()
    module = course()
    with pytest.raises(ex.ExerciseNotDone, match=r"demo\.double.*demo\.py:6.*notebooks/21_demo\.ipynb"):
        module.double(1)
    assert ex.whose("demo.double") == "nobody's"
    assert issubclass(ex.ExerciseNotDone, NotImplementedError)


@pytest.mark.parametrize(
    ("mode", "double", "backward"),
    [
        ("mine", "yours", "nobody's"),
        ("reference", "reference", "reference"),
        ("mine:21_demo", "yours", "nobody's"),
        ("mine:22_other", "reference", "reference"),
        ("auto", "yours", "reference"),
    ],
)
def test_modes(course, monkeypatch, mode, double, backward):
    monkeypatch.setenv("TINYTORCH_USE", mode)
    module = course(DONE)
    assert (ex.whose("demo.double"), ex.whose("demo.backward")) == (double, backward)
    assert module.double(3) == (("mine", 3) if double == "yours" else (6, (), {}))
    if backward == "nobody's":
        with pytest.raises(ex.ExerciseNotDone):
            module.Op.backward(1)
    else:
        assert module.Op.backward(2, 3) == 6


def test_an_unknown_mode_is_refused(course, monkeypatch):
    monkeypatch.setenv("TINYTORCH_USE", "yours")
    with pytest.raises(ValueError, match="expected auto, mine, reference"):
        course(DONE)


def test_closures_and_second_names_are_refused(course):
    with pytest.raises(ValueError, match="no closures"):
        course(
            "from tinytorch.exercise import exercise\ndef f(y):\n    @exercise('demo.g', points=1)\n"
            "    def g(x):\n        return x + y\nf(1)"
        )
    with pytest.raises(ValueError, match="two exercises are called"):
        course(STUBS + '\n@exercise("demo.double", points=1)\ndef another(x):\n    raise NotImplementedError\n')


def test_saving_the_file_changes_the_function_that_is_held(course):
    module = course()
    held, method = module.double, module.Op.backward
    assert ex.reload_changed() == []
    saved(course.path, DONE.replace("return x + 1", "return x + 2") + "\ndef new(x):\n    return helper(x)\n")
    (said,) = ex.reload_changed()
    assert "demo.double" in said and "demo.backward" not in said
    assert held is module.double and held(5) == ("mine", 5) and module.uses(6) == ("mine", 6)
    assert method is module.Op.backward and method(2) == 2
    assert module.helper(1) == 3 and module.new(1) == 3
    assert module.new.__globals__ is module.__dict__
    saved(course.path, STUBS + "\n")
    ex.reload_changed()
    assert held(5) == (10, (), {}) and ex.whose("demo.double") == "reference"


def test_methods_of_the_class_change_with_it(course):
    module = course(STUBS + "\n    def plain(self):\n        return 1\n".replace("\n    def", "\nclass Q:\n    def"))
    held = module.Q()
    saved(
        course.path,
        STUBS + "\nclass Q:\n    def plain(self):\n        return 2\n    def more(self):\n        return 3\n",
    )
    ex.reload_changed()
    assert isinstance(held, module.Q) and held.plain() == 2 and held.more() == 3


def test_a_file_that_does_not_compile_changes_nothing(course):
    module = course(DONE)
    saved(course.path, DONE.replace("return 'mine', x", "return 'mine', x)"))
    (said,) = ex.reload_changed()
    assert f"{course.path}:9" in said and "stays in use" in said
    assert module.double(5) == ("mine", 5)
    assert ex.reload_changed() == []


def test_a_file_that_raises_changes_nothing(course):
    module = course(DONE)
    saved(course.path, DONE.replace("'mine', x", "'other', x") + "\nundefined_name\n")
    with pytest.raises(NameError):
        ex.reload_changed()
    assert module.double(5) == ("mine", 5)


def test_no_reference_is_read_before_the_first_call():
    """`import tinytorch` pays nothing for exercises."""
    code = """
        import builtins, os, sys
        opened, plain = [], open
        builtins.open = lambda path, *a, **k: (opened.append(str(path)), plain(path, *a, **k))[1]
        import tinytorch
        print(sum("solutions" in path for path in opened))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "0"
