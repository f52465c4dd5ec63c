"""Small pieces of syntax trees, for the rewriting of kernels."""

from __future__ import annotations

import ast
from typing import Any


def call(function: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(load(function), list(arguments), [])


def load(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def store(name: str) -> ast.Name:
    return ast.Name(name, ast.Store())


def located(node: Any, like: ast.AST | None = None) -> Any:
    """The node with a line for each new part of it: its own line, or that of `like`."""
    if like is not None:
        ast.copy_location(node, like)
    return ast.fix_missing_locations(node)


def cuda_attribute(name: str) -> ast.expr:
    """`shared.array` -> `_sim_cuda.shared_array`"""
    flat = name if name.startswith("fp16.") else name.replace(".", "_")
    result: ast.expr = load("_sim_cuda")
    for part in flat.split("."):
        result = ast.Attribute(result, part, ast.Load())
    return result


def as_key(node: ast.expr) -> ast.expr:
    """An index as a value: `1:n, j` -> `(slice(1, n, None), j)`."""
    if isinstance(node, ast.Slice):
        return call("slice", *(part or ast.Constant(None) for part in (node.lower, node.upper, node.step)))
    if isinstance(node, ast.Tuple):
        return ast.Tuple([as_key(element) for element in node.elts], ast.Load())
    return node


def is_constant(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) or isinstance(getattr(node, "value_known", None), int)
