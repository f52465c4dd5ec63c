"""Numba's xoroshiro128+ generators, number for number: `states` as the kernel's argument, one state a thread."""

from __future__ import annotations

import math

import numpy as np

from tinytorch.cuda import seam

_MASK = (1 << 64) - 1
_JUMP = (0xBEAC0467EBA5FACB, 0xD86B048B86AA9922)
State = tuple[int, int]


def _rotate(value: int, bits: int) -> int:
    return (value << bits | value >> (64 - bits)) & _MASK


def next(state: State) -> tuple[int, State]:
    """The next 64 random bits, and the state after them."""
    s0, s1 = state
    result = (s0 + s1) & _MASK
    s1 ^= s0
    return result, (_rotate(s0, 55) ^ s1 ^ (s1 << 14) & _MASK, _rotate(s1, 36))


def uniform_float64(state: State) -> tuple[np.float64, State]:
    bits, state = next(state)
    return np.float64((bits >> 11) * 2.0**-53), state


def uniform_float32(state: State) -> tuple[np.float32, State]:
    value, state = uniform_float64(state)
    return np.float32(value), state


def normal_float64(state: State) -> tuple[np.float64, State]:
    """Box and Muller's transform; the second of the pair is dropped, as in Numba."""
    u1, state = uniform_float64(state)
    u2, state = uniform_float64(state)
    return np.float64(math.sqrt(-2 * math.log(u1)) * math.cos(2 * math.pi * u2)), state


def normal_float32(state: State) -> tuple[np.float32, State]:
    u1, state = uniform_float32(state)
    u2, state = uniform_float32(state)
    radius = np.float32(math.sqrt(np.float32(-2) * np.float32(math.log(u1))))
    return radius * np.float32(math.cos(np.float32(2 * math.pi) * u2)), state


def random_states(n: int, seed: int) -> np.ndarray:
    """`n` generator states, 2**64 numbers apart, as `numba.cuda.random.create_xoroshiro128p_states` makes them.

    >>> random_states(2, seed=1).dtype.names
    ('s0', 's1')
    """
    z = (seed + 0x9E3779B97F4A7C15) & _MASK
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    z = (z ^ z >> 27) * 0x94D049BB133111EB & _MASK
    z ^= z >> 31
    state, states = (z, z), []
    for _ in range(n):
        states.append(state)
        state = _jumped(state)
    return np.array(states, seam.RANDOM_STATE)


def _jumped(state: State) -> State:
    s0 = s1 = 0
    for word in _JUMP:
        for bit in range(64):
            if word >> bit & 1:
                s0, s1 = s0 ^ state[0], s1 ^ state[1]
            state = next(state)[1]
    return s0, s1
