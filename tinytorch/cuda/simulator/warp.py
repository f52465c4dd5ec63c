"""What the operations across a warp give each lane: shuffles, votes and matches."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.cuda.simulator.arithmetic import poison
from tinytorch.cuda.simulator.runtime import WARP

Lanes = dict[int, tuple[Any, ...]]  # lane -> what it brought along


def source_lane(name: str, lane: int, argument: int) -> int:
    """The lane whose value a shuffle hands to `lane`.

    >>> source_lane("shfl_down_sync", 3, 16), source_lane("shfl_down_sync", 20, 16), source_lane("shfl_xor_sync", 3, 1)
    (19, 20, 2)
    """
    argument = int(argument)
    if name == "shfl_sync":
        return argument % WARP
    if name == "shfl_xor_sync":
        return lane ^ (argument % WARP)
    source = lane + (argument if name == "shfl_down_sync" else -argument)
    return source if 0 <= source < WARP else lane


def unknown(value: Any) -> Any:
    """What a lane receives from one that takes no part: nothing that can be relied on."""
    if isinstance(value, np.generic):
        return poison(value.dtype)
    return poison(np.dtype("float64" if isinstance(value, float) else "int32"))


def answers(name: str, lanes: Lanes) -> dict[int, Any]:
    """The result of one warp operation for each lane that takes part."""
    if name.startswith("shfl"):
        result = {}
        for lane, (value, argument) in lanes.items():
            source = source_lane(name, lane, argument)
            result[lane] = lanes[source][0] if source in lanes else unknown(value)
        return result
    values = {lane: brought[0] for lane, brought in lanes.items() if brought}
    everyone = sum(1 << lane for lane in lanes)
    one: Any = None
    if name == "all_sync":
        one = all(values.values())
    elif name == "any_sync":
        one = any(values.values())
    elif name == "eq_sync":
        one = len(set(map(bool, values.values()))) <= 1
    elif name == "ballot_sync":
        one = sum(1 << lane for lane, value in values.items() if value)
    elif name == "match_all_sync":
        same = len(set(values.values())) <= 1
        one = (everyone if same else 0, same)
    elif name == "match_any_sync":
        return {
            lane: sum(1 << other for other, value in values.items() if value == mine) for lane, mine in values.items()
        }
    return dict.fromkeys(lanes, one)


def barrier_answer(name: str, predicates: list[bool]) -> Any:
    """What `syncthreads` and its counting forms return."""
    if name == "syncthreads_count":
        return sum(predicates)
    if name == "syncthreads_and":
        return int(all(predicates))
    return int(any(predicates)) if name == "syncthreads_or" else None
