"""Results with named members: `x.max(0).values` and `.indices`, printed as PyTorch prints them.

>>> import tinytorch
>>> tinytorch.tensor([1.0, 3.0]).max(0)
torch.return_types.max(
values=tensor(3.),
indices=tensor(1))
"""

from __future__ import annotations

from typing import Any


class NamedResult(tuple):
    """A tuple whose members also have names; made from one iterable, like PyTorch's."""

    __slots__ = ()
    _fields: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> Any:
        if name in self._fields:
            return self[self._fields.index(name)]
        raise AttributeError(f"'torch.return_types.{type(self).__name__}' object has no attribute '{name}'")

    def __repr__(self) -> str:
        members = ",\n".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
        return f"torch.return_types.{type(self).__name__}(\n{members})"

    def __reduce__(self) -> tuple:
        return type(self), (tuple(self),)


def _named(name: str, *fields: str) -> type[NamedResult]:
    return type(name, (NamedResult,), {"__slots__": (), "_fields": fields, "__module__": __name__})


_PAIR = ("values", "indices")
max, min, sort, topk, median = (_named(n, *_PAIR) for n in ("max", "min", "sort", "topk", "median"))
nanmedian, mode, kthvalue = (_named(n, *_PAIR) for n in ("nanmedian", "mode", "kthvalue"))
cummax, cummin = (_named(n, *_PAIR) for n in ("cummax", "cummin"))
aminmax = _named("aminmax", "min", "max")
linalg_slogdet = _named("linalg_slogdet", "sign", "logabsdet")
slogdet = _named("slogdet", "sign", "logabsdet")
linalg_qr = _named("linalg_qr", "Q", "R")
linalg_eigh = _named("linalg_eigh", "eigenvalues", "eigenvectors")
linalg_svd = _named("linalg_svd", "U", "S", "Vh")
