"""Values between processes: JSON for the structure, raw bytes for the arrays. No pickle, no `eval`, nothing is trusted.

What comes back from a child is written by a learner's process and may be any bytes at all: `Reader` raises `WireError`
and nothing else. Arrays are a dtype of a fixed list, a shape and exactly as many bytes as these need: unlike a `.npy`
header there is nothing to parse. Objects of any other class travel as the name of their class.

A message is `tt1` + nonce (32 hex digits) + two lengths + JSON + bytes. The child loads this file by its path, before
the framework is imported: only the standard library and NumPy here.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

MOST_BYTES = 32 * 2**20  # of one message
MOST_VALUES = 200_000  # of one message
DEEPEST = 20
_HEAD = struct.Struct("<3s32sII")
_NAMES = [
    "bool",
    "float16",
    "float32",
    "float64",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]
_DTYPES = {name: np.dtype(name) for name in _NAMES}
_SCALARS = {dtype.type: dtype for dtype in _DTYPES.values()}


class WireError(ValueError):
    """Bytes that are no message of this course, or a value too large for one."""


@dataclass(frozen=True)
class Thing:
    """Stands for an object that cannot travel; only what it is called comes over."""

    name: str

    def __repr__(self) -> str:
        return f"<{self.name}>"


def write(nonce: str, value: Any) -> bytes:
    """A message that holds `value`. Raises WireError where it is too large."""
    text, body = encode(value)
    return _HEAD.pack(b"tt1", nonce.encode("ascii"), len(text), len(body)) + text + body


def encode(value: Any) -> tuple[bytes, bytes]:
    """A value as JSON and the bytes of its arrays: what `read` takes."""
    packer = _Packer()
    text = json.dumps(packer.pack(value, 0)).encode("ascii")
    body = b"".join(packer.blobs)
    if len(text) + len(body) > MOST_BYTES:
        raise WireError(f"{len(text) + len(body):,} bytes, at most {MOST_BYTES:,} can be handed over")
    return text, body


class _Packer:
    def __init__(self) -> None:
        self.blobs: list[bytes] = []
        self.size = 0
        self.values = 0

    def pack(self, value: Any, depth: int) -> Any:
        self.values += 1
        if self.values > MOST_VALUES:
            raise WireError(f"more than {MOST_VALUES:,} values")
        kind = type(value)  # exactly this class: a subclass may lie about what it holds
        if kind in (type(None), bool, float):
            return value
        if kind is int:
            return value if value.bit_length() < 1000 else {"o": "int of more than 300 digits"}
        if kind is str:
            self._grow(len(value))
            return value
        if kind in (list, tuple, dict) and depth >= DEEPEST:
            return {"o": f"{kind.__name__} nested more than {DEEPEST} deep"}
        if kind is list:
            return [self.pack(v, depth + 1) for v in value]
        if kind is tuple:
            return {"t": [self.pack(v, depth + 1) for v in value]}
        if kind is dict:
            return {"d": [[self.pack(k, depth + 1), self.pack(v, depth + 1)] for k, v in value.items()]}
        if kind is np.ndarray and (value.dtype.name in _DTYPES or value.dtype.name == "bfloat16"):
            return {"a": self._array(value)}
        if kind in _SCALARS:
            return {"s": self._array(np.asarray(value))}
        name = type.__dict__["__name__"].__get__(kind)
        return {"o": f"ndarray of dtype {value.dtype}" if kind is np.ndarray else name[:100]}

    def _array(self, array: np.ndarray) -> list[Any]:
        self._grow(array.nbytes)
        shape, layout = list(array.shape), "C"
        if not array.flags.c_contiguous:
            layout = "F" if array.flags.f_contiguous else "gaps"
        if any(step == 0 and length > 1 for step, length in zip(array.strides, shape, strict=True)):
            layout = "broadcast"
        plain = array.view(np.uint16) if array.dtype.name == "bfloat16" else array
        self.blobs.append(plain.astype(plain.dtype.newbyteorder("<")).tobytes())
        return [array.dtype.name, shape, layout]

    def _grow(self, size: int) -> None:
        self.size += size
        if self.size > MOST_BYTES:
            raise WireError(f"more than {MOST_BYTES:,} bytes")


class Reader:
    """Takes bytes as they come, gives the values of whole messages. Any bytes: WireError at worst."""

    def __init__(self, nonce: str) -> None:
        self.nonce = nonce.encode("ascii")
        self.held = bytearray()

    def feed(self, data: bytes) -> Iterator[Any]:
        self.held += data
        while len(self.held) >= _HEAD.size:
            magic, nonce, length, size = _HEAD.unpack_from(self.held)
            if magic != b"tt1" or nonce != self.nonce:
                raise WireError("not a message of this course")
            if length + size > MOST_BYTES:
                raise WireError(f"a message of {length + size:,} bytes, at most {MOST_BYTES:,} are read")
            end = _HEAD.size + length + size
            if len(self.held) < end:
                return
            text = bytes(self.held[_HEAD.size : _HEAD.size + length])
            body = bytes(self.held[_HEAD.size + length : end])
            del self.held[:end]
            yield read(text, body)


def read(text: bytes, body: bytes) -> Any:
    """The value of one message."""
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WireError(f"not JSON: {error}") from None
    unpacker = _Unpacker(body)
    value = unpacker.unpack(tree, 0)
    if unpacker.at != len(body):
        raise WireError(f"{len(body) - unpacker.at} bytes belong to nothing")
    return value


class _Unpacker:
    def __init__(self, body: bytes) -> None:
        self.body = body
        self.at = 0

    def unpack(self, tree: Any, depth: int) -> Any:
        if depth > DEEPEST + 1:
            raise WireError("nested too deep")
        if isinstance(tree, list):
            return [self.unpack(v, depth + 1) for v in tree]
        if not isinstance(tree, dict):
            return tree
        if len(tree) != 1:
            raise WireError("a value with more than one kind")
        ((kind, held),) = tree.items()
        if kind == "o" and isinstance(held, str):
            return Thing(held)
        if kind not in "tdas" or not isinstance(held, list):
            raise WireError("a value of no known kind")
        if kind == "t":
            return tuple([self.unpack(v, depth + 1) for v in held])
        if kind == "d":
            return dict([self._pair(v, depth) for v in held])
        array = self._array(held)
        return array[()] if kind == "s" else array

    def _pair(self, pair: Any, depth: int) -> tuple[Any, Any]:
        if not isinstance(pair, list) or len(pair) != 2:
            raise WireError("an entry of a dict that is no pair")
        key = self.unpack(pair[0], depth + 1)
        if not isinstance(key, str | int | float | bool | None):
            raise WireError("a key that is no plain value")
        return key, self.unpack(pair[1], depth + 1)

    def _array(self, held: list[Any]) -> np.ndarray:
        if len(held) != 3 or not isinstance(held[0], str) or not isinstance(held[1], list):
            raise WireError("an array without dtype, shape and layout")
        name, shape, layout = held
        if len(shape) > 32 or not all(type(n) is int and 0 <= n <= MOST_BYTES for n in shape):
            raise WireError("an array of impossible shape")
        wide = name == "bfloat16"
        dtype = np.dtype(np.uint16) if wide else _DTYPES.get(name)
        if dtype is None:
            raise WireError("an array of unknown dtype")
        size = prod(shape) * dtype.itemsize
        if size > len(self.body) - self.at:
            raise WireError("an array that is larger than its message")
        part = self.body[self.at : self.at + size]
        self.at += size
        array = np.frombuffer(part, dtype.newbyteorder("<")).astype(dtype).reshape(shape)
        if name == "bool":  # a byte that is neither 0 nor 1 would be a bool equal to neither
            array = np.frombuffer(part, np.uint8).reshape(shape) != 0
        if wide:
            import ml_dtypes

            array = array.view(ml_dtypes.bfloat16)
        return _laid_out(array, layout)


def _laid_out(array: np.ndarray, layout: Any) -> np.ndarray:
    """The same values, lying in memory as they did in the array that was sent."""
    if layout == "F":
        return np.asfortranarray(array)
    if layout == "gaps" and array.ndim:
        roomy = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
        roomy[..., ::2] = array
        return roomy[..., ::2]
    if layout == "broadcast" and array.size:
        narrow = array
        for axis in range(array.ndim):
            first = narrow[(slice(None),) * axis + (slice(0, 1),)]
            if np.array_equal(np.broadcast_to(first, narrow.shape), narrow):
                narrow = first
        return np.broadcast_to(narrow.copy(), array.shape)
    return array
