"""Walks over a kernel's statements in order and notes the type of every expression on its node (`node.kind`)."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.cuda import seam
from tinytorch.cuda.simulator.infer import (
    DOUBLES,
    FLOATS,
    INTS,
    SMALL,
    ArrayType,
    Known,
    Names,
    TupleType,
    binary,
    builtin_type,
    call_type,
    join,
    of_dtype,
    of_value,
    unify,
)
from tinytorch.cuda.simulator.source import MISSING, Source


class TypeWalk:
    """The types in one function, called with arguments of the types `arguments`.

    `compile_device(function, types)` compiles a device function for such a call; it has a `result` type.
    `wide(line, text, why)` is told of every float64 operation that a float32 was drawn into.
    """

    def __init__(
        self,
        source: Source,
        arguments: list[Any],
        compile_device: Callable[[Any, list[Any]], Any],
        wide: Callable[[int, str, str], None],
    ):
        self.source, self.compile_device, self.wide = source, compile_device, wide
        self.result: Any = None
        self.returned = False
        self.target: Any = None  # the array dtype into which the statement at hand stores, if it does
        self.direct: ast.AST | None = None  # the expression that is stored or cast as it is
        names: Names = dict(zip(source.parameters, arguments, strict=True))
        self.locals = set(names) | {
            node.id for node in ast.walk(source.tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        self.body(source.tree.body, names)

    # statements

    def body(self, statements: list[ast.stmt], names: Names) -> None:
        for statement in statements:
            getattr(self, f"do_{type(statement).__name__}", self.do_other)(statement, names)

    def do_other(self, node: ast.stmt, names: Names) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.expression(child, names)

    def do_Assign(self, node: ast.Assign, names: Names) -> None:
        stored = node.targets[0] if isinstance(node.targets[0], ast.Subscript) else None
        self.target = self.array_dtype(stored, names)
        self.direct = node.value
        kind = self.expression(node.value, names)
        if self.target is not None and self.target.name == "float32" and kind == "literal64":
            self.stored_wide(node.value)
        self.target = self.direct = None
        for target in node.targets:
            self.assign(target, kind, names)

    def do_AnnAssign(self, node: ast.AnnAssign, names: Names) -> None:
        if node.value is not None:
            self.assign(node.target, self.expression(node.value, names), names)

    def do_AugAssign(self, node: ast.AugAssign, names: Names) -> None:
        self.target = self.array_dtype(node.target, names)
        left, right = self.expression(node.target, names), self.expression(node.value, names)
        kind = binary(left, type(node.op).__name__, right)
        node.left_kind, node.kind = left, kind
        self.mixed(node, left, right, kind, direct=isinstance(node.target, ast.Subscript))
        self.target = None
        if isinstance(node.target, ast.Name):
            names[node.target.id] = kind

    def do_Return(self, node: ast.Return, names: Names) -> None:
        kind = self.expression(node.value, names) if node.value else None
        self.result = unify(self.result, kind) if self.returned else kind
        self.returned = True

    def do_If(self, node: ast.If, names: Names) -> None:
        self.expression(node.test, names)
        other = dict(names)
        self.body(node.body, names)
        self.body(node.orelse, other)
        join(names, other)

    def do_While(self, node: ast.While, names: Names) -> None:
        for _ in range(3):  # a type only widens, so three rounds reach the end
            before = dict(names)
            self.expression(node.test, names)
            self.body(node.body, names)
            join(names, before)
        self.body(node.orelse, names)

    def do_For(self, node: ast.For, names: Names) -> None:
        kind = self.expression(node.iter, names)
        item: Any = "int" if kind == "range" else None
        if isinstance(kind, ArrayType) and kind.ndim == 1:
            item = of_dtype(kind.dtype, "array64")
        elif isinstance(kind, TupleType) and kind.items:
            item = kind.items[0]
        for _ in range(3):
            before = dict(names)
            self.assign(node.target, item, names)
            self.body(node.body, names)
            join(names, before)
        self.body(node.orelse, names)

    def assign(self, target: ast.expr, kind: Any, names: Names) -> None:
        target.kind = kind
        if isinstance(target, ast.Name):
            names[target.id] = kind
        elif isinstance(target, ast.Tuple | ast.List):
            items = kind.items if isinstance(kind, TupleType) else (None,) * len(target.elts)
            for element, item in zip(target.elts, items, strict=False):
                self.assign(element, item, names)
        else:
            self.expression(target, names)

    # expressions

    def expression(self, node: ast.expr, names: Names) -> Any:
        kind = getattr(self, f"of_{type(node).__name__}", self.of_other)(node, names)
        node.kind = kind
        return kind

    def of_other(self, node: ast.expr, names: Names) -> Any:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.expression(child, names)

    def of_Constant(self, node: ast.Constant, names: Names) -> Any:
        return of_value(node.value)

    def of_Name(self, node: ast.Name, names: Names) -> Any:
        if node.id in self.locals:
            return names.get(node.id)
        value = self.source.value(node.id)
        return None if value is MISSING else self.known(node, value)

    def known(self, node: ast.expr, value: Any) -> Any:
        node.value_known = value
        return of_value(value)

    def of_Attribute(self, node: ast.Attribute, names: Names) -> Any:
        owner = self.expression(node.value, names)
        if isinstance(owner, ArrayType):
            known = {"shape": TupleType(("int",) * owner.ndim), "size": "int", "ndim": "int",
                     "T": owner, "dtype": Known(owner.dtype)}  # fmt: skip
            return known.get(node.attr)
        if isinstance(owner, Known):
            if seam.cuda_name(owner.value) in ("threadIdx", "blockIdx", "blockDim", "gridDim"):
                return "int"
            if seam.cuda_name(owner.value) == "" and node.attr in ("laneid", "warpsize"):
                node.value_known = getattr(owner.value, node.attr)
                return "int"
            value = getattr(owner.value, node.attr, MISSING)
            return None if value is MISSING else self.known(node, value)
        return None

    def of_Tuple(self, node: ast.Tuple, names: Names) -> Any:
        return TupleType(tuple(self.expression(element, names) for element in node.elts))

    def of_Subscript(self, node: ast.Subscript, names: Names) -> Any:
        owner, index = self.expression(node.value, names), self.expression(node.slice, names)
        if isinstance(owner, TupleType):
            place = node.slice.value if isinstance(node.slice, ast.Constant) else None
            if isinstance(place, int) and -len(owner.items) <= place < len(owner.items):
                return owner.items[place]
            return owner.items[0] if len(set(owner.items)) == 1 else None
        if not isinstance(owner, ArrayType):
            return None
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        taken = len(index.items) if isinstance(index, TupleType) and parts == [node.slice] else len(parts)
        slices = sum(isinstance(part, ast.Slice) for part in parts)
        left = owner.ndim - taken + slices
        return ArrayType(owner.dtype, left, owner.space) if left > 0 else of_dtype(owner.dtype, "array64")

    def of_BinOp(self, node: ast.BinOp, names: Names) -> Any:
        direct, self.direct = self.direct is node, None
        left, right = self.expression(node.left, names), self.expression(node.right, names)
        kind = binary(left, type(node.op).__name__, right)
        self.mixed(node, left, right, kind, direct)
        return kind

    def of_UnaryOp(self, node: ast.UnaryOp, names: Names) -> Any:
        kind = self.expression(node.operand, names)
        if isinstance(node.op, ast.Not):
            return "bool"
        return "int" if kind in SMALL else kind

    def of_Compare(self, node: ast.Compare, names: Names) -> Any:
        self.of_other(node, names)
        return "bool"

    def of_BoolOp(self, node: ast.BoolOp, names: Names) -> Any:
        kinds = [self.expression(value, names) for value in node.values]
        return kinds[0] if len(set(kinds)) == 1 else unify(kinds[0], kinds[-1])

    def of_IfExp(self, node: ast.IfExp, names: Names) -> Any:
        self.expression(node.test, names)
        return unify(self.expression(node.body, names), self.expression(node.orelse, names))

    def of_Call(self, node: ast.Call, names: Names) -> Any:
        self.direct = None
        function = self.expression(node.func, names)
        known = function.value if isinstance(function, Known) else None
        dtype = None if known is None or known is float else seam.numpy_dtype(known)
        if dtype is not None and node.args:  # a cast: what it rounds is rounded on purpose
            self.direct = node.args[0]
        for argument in node.args:
            self.expression(argument, names)
        for keyword in node.keywords:
            self.expression(keyword.value, names)
        self.direct = None
        if known is float and node.args:
            node.cast = np.dtype("float64")
            return "literal64"
        if dtype is not None:
            node.cast = dtype
            return "int" if known is int else of_dtype(dtype)
        return self.called(node, known) if known is not None else None

    def called(self, node: ast.Call, known: Any) -> Any:
        name = seam.cuda_name(known)
        if name is not None:
            node.args += [keyword.value for keyword in sorted(node.keywords, key=lambda k: k.arg != "shape")]
            node.keywords = []
        kinds = [argument.kind for argument in node.args]
        if name is not None:
            node.cuda = name
            values = [self.constant(argument) for argument in node.args]
            return call_type(name, kinds, values)
        if getattr(known, "__module__", None) in ("math", "builtins", None) and hasattr(known, "__name__"):
            if getattr(known, "__module__", None) == "math":
                node.mathematics = known.__name__
            kind = builtin_type(known.__name__, kinds)
            if kind == "literal64" and set(kinds) & FLOATS and known.__name__ not in ("min", "max", "float"):
                self.wide(node.lineno, ast.unparse(node), "a float64 among the arguments")
            return kind
        function = seam.python_function(known)
        if function is None:
            return None
        bound = inspect.signature(function).bind(*kinds, **{k.arg: k.value.kind for k in node.keywords})
        bound.apply_defaults()
        defaults = [k if isinstance(k, str | ArrayType | TupleType | Known | None) else of_value(k) for k in bound.args]
        node.device = self.compile_device(function, defaults)
        return node.device.result

    @staticmethod
    def constant(node: ast.expr) -> Any:
        if isinstance(node, ast.Constant):
            return node.value
        return getattr(node, "value_known", node.kind.value if isinstance(node.kind, Known) else None)

    # float64

    def array_dtype(self, target: ast.expr | None, names: Names) -> Any:
        owner = self.expression(target.value, names) if isinstance(target, ast.Subscript) else None
        return owner.dtype if isinstance(owner, ArrayType) else None

    def mixed(self, node: ast.AST, left: Any, right: Any, kind: Any, direct: bool) -> None:
        """Tells of an operation that drags a float32 into double precision.

        One operation with an int that is at once rounded to float32 again is spared: the compiler narrows it.
        """
        for narrow, other in ((left, right), (right, left)):
            if narrow not in FLOATS or kind not in DOUBLES:
                continue
            if other == "literal64":
                self.wide(node.lineno, ast.unparse(node), "a float64 (a literal such as 2.0 or 0.0 is one)")
            elif other == "array64" and getattr(self.target, "name", "") != "float64":
                self.wide(node.lineno, ast.unparse(node), "an element of a float64 array")
            elif other in INTS and not direct:
                self.wide(node.lineno, ast.unparse(node), "an int, and float32 with int gives float64 in Numba")

    def stored_wide(self, value: ast.expr) -> None:
        literal = any(isinstance(n, ast.Constant) and isinstance(n.value, float) for n in ast.walk(value))
        if isinstance(value, ast.BinOp) and literal:
            self.wide(value.lineno, ast.unparse(value), "a float64 literal, only to be rounded when it is stored")
