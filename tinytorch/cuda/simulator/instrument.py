"""Rewrites a kernel so that it tells what it does: each access to an array, each branch, each call of `cuda.`.

`s[i] = a[i] * k` becomes `s.write1(a.read1(i, CODE) * k, i, CODE)`, where CODE is the number of the site, so an
access knows its line at no cost. The statements and line numbers stay those of the source.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinytorch.cuda import seam
from tinytorch.cuda.simulator.infer import DOUBLES, FLOATS, INTS, ArrayType, TupleType
from tinytorch.cuda.simulator.nodes import as_key, call, cuda_attribute, is_constant, load, located, store
from tinytorch.cuda.simulator.sites import ATOMIC, BRANCH, CALL, LOOP, MARK, READ, WRITE, Site, Sites
from tinytorch.cuda.simulator.source import Source

COMPOUND = (ast.If, ast.For, ast.While, ast.With, ast.Try)
WRAPPING = (ast.Add, ast.Sub, ast.Mult, ast.LShift, ast.Pow)
PLAIN = ("grid", "gridsize", "local.array", "const.array_like", "fma", "selp", "popc", "brev", "clz", "ffs", "cbrt")
SWITCHING = ("sync", "shfl", "activemask", "ballot", "nanosleep", "match")  # parts of names: other threads get on


@dataclass
class Straight:
    """Statements that run one after the other: their float operations, and an access that runs whenever they do."""

    flops: int = 0
    flops64: int = 0
    carrier: Site | None = None


@dataclass
class Rewritten:
    """What the rewritten source needs in its namespace, and whether it ever waits for other threads."""

    tree: ast.FunctionDef | None = None
    constants: dict[str, Any] = field(default_factory=dict)
    switches: bool = False
    variable_sizes: list[tuple[int, str]] = field(default_factory=list)  # line and text of array sizes not constant


class Instrument(ast.NodeTransformer):
    """Rewrites the tree of `source`, on which a TypeWalk has noted the types."""

    def __init__(self, source: Source, sites: Sites, constant_array: Callable[[np.ndarray, str], Any]):
        self.source, self.sites, self.constant_array = source, sites, constant_array
        self.out = Rewritten()
        self.straight = Straight()
        self.conditional = 0
        self.assigned_to = ""
        self.temporaries = 0

    def run(self) -> Rewritten:
        tree = self.source.tree
        tree.decorator_list, tree.returns = [], None
        for argument in tree.args.posonlyargs + tree.args.args + tree.args.kwonlyargs:
            argument.annotation = None
        tree.body = self.body(tree.body)
        self.out.tree = ast.fix_missing_locations(tree)
        return self.out

    # helpers

    def site(self, kind: int, node: ast.AST, text: str = "", augmented: bool = False) -> Site:
        site = self.sites.add(kind, self.source.file, node.lineno, text, augmented)
        if kind in (READ, WRITE) and not self.conditional and self.straight.carrier is None:
            self.straight.carrier = site
        return site

    def constant(self, value: Any) -> ast.Name:
        name = f"_sim_{len(self.out.constants)}"
        self.out.constants[name] = value
        return ast.Name(name, ast.Load())

    def mark(self, code: int) -> ast.Expr:
        return ast.Expr(call("_sim_log", ast.Constant(code)))

    # statements

    def body(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        outer, self.straight = self.straight, Straight()
        result: list[ast.stmt] = []
        begin = 0
        for statement in statements:
            new = self.visit(statement)
            new = new if isinstance(new, list) else [new]
            for node in new:
                ast.copy_location(node, statement)
            result += new
            if isinstance(statement, COMPOUND):
                self.close(result, begin)
                begin = len(result)
        self.close(result, begin)
        self.straight = outer
        return result

    def close(self, result: list[ast.stmt], begin: int) -> None:
        """Hands the float operations of straight-line code to its first access, or to a mark of its own."""
        done, self.straight = self.straight, Straight()
        if not done.flops and not done.flops64:
            return
        carrier = done.carrier
        if carrier is None:
            carrier = self.sites.add(MARK, self.source.file, result[begin].lineno)
            result.insert(begin, ast.copy_location(self.mark(carrier.code), result[begin]))
        carrier.flops, carrier.flops64 = done.flops, done.flops64

    def visit_If(self, node: ast.If) -> ast.stmt:
        node.test = self.visit(node.test)
        code = self.site(BRANCH, node).code
        node.body = [self.mark(code | 1), *self.body(node.body)]
        node.orelse = [self.mark(code), *self.body(node.orelse)]
        return located(node)

    def visit_While(self, node: ast.While) -> ast.stmt:
        self.out.switches = True
        code = self.site(BRANCH, node).code
        self.conditional += 1
        node.test = self.visit(node.test)
        self.conditional -= 1
        node.body = [ast.Expr(call("_sim_tick", ast.Constant(code | 1))), *self.body(node.body)]
        node.orelse = [self.mark(code), *self.body(node.orelse)]
        return located(node)

    def visit_For(self, node: ast.For) -> ast.stmt:
        same_for_all = isinstance(node.iter, ast.Call) and all(map(is_constant, node.iter.args))
        kind = node.iter.kind
        node.iter = self.visit(node.iter)
        if kind == "range" and not same_for_all:
            node.iter = call("_sim_trip", node.iter, ast.Constant(self.site(LOOP, node).code))
        node.body, node.orelse = self.body(node.body), self.body(node.orelse)
        return located(node)

    def visit_Assign(self, node: ast.Assign) -> ast.stmt | list[ast.stmt]:
        self.assigned_to = node.targets[0].id if isinstance(node.targets[0], ast.Name) else ""
        value = self.visit(node.value)
        self.assigned_to = ""
        target = node.targets[0]
        if len(node.targets) == 1 and isinstance(target, ast.Subscript):
            return ast.Expr(self.write(target, value))
        if not any(isinstance(n, ast.Subscript) for t in node.targets for n in ast.walk(t)):
            node.value = value
            return node
        whole = self.temporary()
        result: list[ast.stmt] = [ast.Assign([store(whole)], value)]
        for target in node.targets:
            result += self.unpack(target, load(whole))
        return [located(ast.copy_location(statement, node)) for statement in result]

    def unpack(self, target: ast.expr, value: ast.expr) -> list[ast.stmt]:
        """`a[i], b = value`, one target after the other."""
        if isinstance(target, ast.Subscript):
            return [ast.Expr(self.write(target, value))]
        if not isinstance(target, ast.Tuple | ast.List):
            return [ast.Assign([target], value)]
        names = [self.temporary() for _ in target.elts]
        result: list[ast.stmt] = [ast.Assign([ast.Tuple([store(name) for name in names], ast.Store())], value)]
        for element, name in zip(target.elts, names, strict=True):
            result += self.unpack(element, load(name))
        return result

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt | list[ast.stmt]:
        operation = ast.copy_location(ast.BinOp(node.target, node.op, node.value), node)
        operation.kind = node.kind
        if isinstance(node.target, ast.Name):
            read = load(node.target.id)
            read.kind = node.left_kind
            operation.left = read
            return ast.Assign([node.target], self.visit(operation))
        target = node.target
        fixed: list[ast.stmt] = []
        target.value = self.once(target.value, fixed)
        if isinstance(target.slice, ast.Tuple):
            target.slice.elts = [self.once(part, fixed) for part in target.slice.elts]
        else:
            target.slice = self.once(target.slice, fixed)
        read = ast.copy_location(ast.Subscript(target.value, target.slice, ast.Load()), target)
        read.kind, read.augmented, target.augmented = node.left_kind, True, True
        operation.left = read
        return [*fixed, ast.Expr(self.write(target, self.visit(operation)))]

    def once(self, expression: ast.expr, fixed: list[ast.stmt]) -> ast.expr:
        """A name that holds `expression`, which is then evaluated once only."""
        if isinstance(expression, ast.Name | ast.Constant | ast.Slice):
            return expression
        name = self.temporary()
        fixed.append(ast.Assign([store(name)], self.visit(expression)))
        held = ast.copy_location(load(name), expression)
        held.kind = expression.kind
        return held

    def temporary(self) -> str:
        self.temporaries += 1
        return f"_sim_t{self.temporaries}"

    def is_fixed(self, size: ast.expr) -> bool:
        """Whether Numba can know an array's size when it compiles: it depends on no argument and no launch."""
        names = {node.id for node in ast.walk(size) if isinstance(node, ast.Name)}
        return not names & set(self.source.parameters) and not any(isinstance(n, ast.Attribute) and n.attr in
            ("x", "y", "z", "shape", "size") for n in ast.walk(size))  # fmt: skip

    # accesses

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        owner = node.value.kind
        if isinstance(owner, TupleType):
            return self.generic_visit(node)
        return self.access(node, READ, [])

    def write(self, node: ast.Subscript, value: ast.expr) -> ast.expr:
        return self.access(node, WRITE, [value])

    def access(self, node: ast.Subscript, kind: int, value: list[ast.expr]) -> ast.expr:
        site = self.site(kind, node, ast.unparse(node.value), getattr(node, "augmented", False))
        owner = node.value.kind
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        verb = "read" if kind == READ else "write"
        simple = (
            isinstance(owner, ArrayType)
            and len(parts) == owner.ndim <= 3
            and not any(isinstance(p, ast.Slice | ast.Starred) or isinstance(p.kind, TupleType) for p in parts)
        )
        array, code = self.visit(node.value), ast.Constant(site.code)
        if simple:
            method = ast.Attribute(array, f"{verb}{len(parts)}", ast.Load())
            result = ast.Call(method, [*value, *map(self.visit, parts), code], [])
        else:
            if kind == WRITE:
                self.site(READ, node, ast.unparse(value[0]))  # of a whole array on the right
            result = call(f"_sim_{verb}", array, *value, as_key(self.visit(node.slice)), code)
        return located(ast.copy_location(result, node))

    # expressions

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return located(self.constant(np.float64(node.value)), node) if type(node.value) is float else node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.free(node) if hasattr(node, "value_known") else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return self.free(node) if hasattr(node, "value_known") else self.generic_visit(node)

    def free(self, node: ast.Name | ast.Attribute) -> ast.expr:
        """A name from outside the kernel: part of `cuda`, or a constant."""
        value = node.value_known
        name = seam.cuda_name(value)
        if name:
            return located(cuda_attribute(name), node)
        if isinstance(value, np.ndarray):
            return located(self.constant(self.constant_array(value, ast.unparse(node))), node)
        if type(value) is float:
            return located(self.constant(np.float64(value)), node)
        if isinstance(value, np.integer):
            return located(self.constant(int(value)), node)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        kinds = node.left.kind, node.right.kind
        kind = node.kind
        if kind in FLOATS | DOUBLES:
            self.straight.flops += 1
            self.straight.flops64 += kind in DOUBLES
        node.left, node.right = self.visit(node.left), self.visit(node.right)
        if kind in DOUBLES:
            if kinds[0] in FLOATS | INTS:
                node.left = call("_sim_f64", node.left)
            if kinds[1] in FLOATS:
                node.right = call("_sim_f64", node.right)
        if kind == "uint" and isinstance(node.op, WRAPPING):
            return located(ast.BinOp(node, ast.BitAnd(), ast.Constant((1 << 64) - 1)), node)
        return located(node)

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        node.test = self.visit(node.test)
        self.conditional += 1
        node.body, node.orelse = self.visit(node.body), self.visit(node.orelse)
        self.conditional -= 1
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        first = self.visit(node.values[0])
        self.conditional += 1
        node.values = [first, *map(self.visit, node.values[1:])]
        self.conditional -= 1
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        text = self.assigned_to
        if hasattr(node, "cuda"):
            name = node.cuda
            self.out.switches |= any(part in name for part in SWITCHING)
            if name in ("shared.array", "local.array") and node.args and not self.is_fixed(node.args[0]):
                self.out.variable_sizes.append((node.lineno, ast.unparse(node.args[0])))
            self.straight.flops += 2 if name in ("fma", "fp16.hfma") else name.startswith("fp16.")
            arguments = [self.visit(argument) for argument in node.args]
            if name not in PLAIN and not name.startswith("fp16."):
                space = name.partition(".")[0]
                kind = {"atomic": ATOMIC, "random": WRITE}.get(space, CALL)  # a draw writes the new state
                label = text if name == "shared.array" else name
                arguments.append(ast.Constant(self.site(kind, node, label).code))
            return located(ast.Call(cuda_attribute(name), arguments, []), node)
        if hasattr(node, "cast"):
            caster = self.constant(("cast", node.cast))
            return located(ast.Call(caster, [self.visit(argument) for argument in node.args], []), node)
        if hasattr(node, "device"):
            self.out.switches |= node.device.switches
            node.func = self.constant(node.device)
        elif hasattr(node, "mathematics"):
            self.straight.flops += 1
            self.straight.flops64 += node.kind in DOUBLES
            node.func = ast.Attribute(ast.Name("_sim_math", ast.Load()), node.mathematics, ast.Load())
        else:
            node.func = self.visit(node.func)
        node.args = [self.visit(argument) for argument in node.args]
        for keyword in node.keywords:
            keyword.value = self.visit(keyword.value)
        return located(node)
