"""Reference bodies of the exercises in `tinytorch/ops/linalg.py`."""

from __future__ import annotations

from typing import Any


class Mm:
    def backward(ctx, dc: Any) -> tuple[Any, Any]:
        a, b = ctx.saved
        return dc @ b.T, a.T @ dc  # (N, M) @ (M, K) -> (N, K);  (K, N) @ (N, M) -> (K, M)
