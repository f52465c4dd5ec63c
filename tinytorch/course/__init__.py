"""The course around the framework: questions, checking, the command line, magics."""

from typing import Any


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext tinytorch.course` in a notebook: the magics `%check`, `%hint` and `%progress`, and hot reload."""
    from tinytorch.course import magics

    magics.load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """`%unload_ext tinytorch.course`: no more hot reload."""
    from tinytorch.course import magics

    magics.unload(shell)
