"""The parity page: every public name of PyTorch, and whether it works here the same, differs, or is absent.

    uv run python -m tests.parity.page --write      # needs PyTorch 2.13; writes docs/PARITY.md

A name is *same* only where the tables of cases in this folder hold it, or a test module names it in its own
`COVERS`: the page is made from what the tests run.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import tests
import tinytorch
from tests.oracle import torch

PAGE = Path(__file__).resolve().parents[2] / "docs" / "PARITY.md"
SPACES = {
    "torch": lambda T: T,
    "torch.Tensor": lambda T: T.Tensor,
    "torch.autograd": lambda T: T.autograd,
    "torch.autograd.functional": lambda T: T.autograd.functional,
    "torch.linalg": lambda T: T.linalg,
    "torch.nn": lambda T: T.nn,
    "torch.nn.functional": lambda T: T.nn.functional,
    "torch.nn.init": lambda T: T.nn.init,
    "torch.optim": lambda T: T.optim,
}
DIFFERS = {
    r"manual_seed|rand.*|normal_?|uniform_|bernoulli_?|multinomial|seed|initial_seed|.*dropout.*|Dropout.*|Generator":
        "seeded and distributed alike; the stream of numbers is NumPy's",
    r"storage": "gives a TypedStorage on the untyped bytes, without PyTorch's warning that it is deprecated",
}  # fmt: skip
ABSENT = {
    r".*complex.*|real|imag|angle|polar|view_as_real|conj.*|resolve_.*|is_conj|is_neg|adjoint|H|mH|.*cfloat.*|.*cdouble.*|chalf": "complex numbers are left out",
    r".*sparse.*|.*_coo.*|.*_cs[rc].*|.*_bs[rc].*|coalesce|is_coalesced|indices|values|col_indices|crow_indices|ccol_indices|row_indices|to_dense|hspmm|smm|sspaddmm|to_mkldnn|is_mkldnn|dense_dim|spmm": "sparse tensors are left out, but for Embedding's gradient",
    r".*quantiz.*|q_.*|int_repr|qscheme|.*fbgemm.*|q[iu]int.*|quint.*|u?int[1-7]|bits.*|float8.*|float4.*|.*fake_.*|fused_moving.*|choose_qparams.*": "quantisation is left out",
    r"compile|compiler|jit.*|.*export.*|cond|while_loop|.*vmap.*|Script.*|.*graph_.*|.*fx.*|.*dynamo.*|classproperty|sym_.*|Sym.*": "torch.compile, export and TorchScript are left out",
    r"fft|.*stft|.*_window|bartlett.*|hann.*|hamming.*|blackman.*|kaiser_window|spectral.*": "signal processing is left out",
    r"cudnn.*|miopen.*|mkldnn.*|xpu|mps|mtia|.*vulkan.*|.*hip.*|.*xnnpack.*|.*rocm.*|is_xla|is_xpu|is_mps|is_hpu|is_ipu|is_maia|is_ort|is_vulkan|is_mtia|hpu|ipu": "other devices are left out",
    r"_.*": "internal",
    r"uint16|uint32|uint64": "a dtype of PyTorch with few operations; left out",
    r".*names|align_.*|rename_?|refine_.*": "named dimensions never left their prototype stage",
    r".*deterministic.*|.*profiler.*|.*threads.*|set_.*|get_.*|.*autocast.*|.*vitals.*|.*warn.*|.*mem.*|.*thread.*|has_.*|is_.*enabled|.*torch_function.*": "a switch of PyTorch's own runtime",
}  # fmt: skip
INTERNAL = (  # names that are reachable but no part of what PyTorch documents: left out of the page
    r"_.*|(cudnn|miopen|mkldnn|native|batch_norm|parse|import_ir|fbgemm|unsafe|sym|rnn_\w+|fused_moving|fake_quantize)_.*"
    r"|.*(_copy|_copy_|_notes|_type_comment|_cell|_with_indices|_affine|_symmetric|_float_qparams|_guard|_inverse)"
    r"|AVG|SUM|\w+_OPS|\w+_MODES|TYPE_CHECKING|USE_\w+|[A-Z]\w*(Type|Storage|Logger|Context|Spec|Config|State|Stats|Module|Value|Event|Error|Exception|Obj)"
    r"|(Broadcasting|Storage|Deserialization|PyTorchFile|Disable|Dispatch|Concrete|Exclude|Lite|FunctionSchema)\w*"
    r"|boolean_dispatch|assert_int_or_pair|prepare_multiprocessing_environment|compiled_with_cxx11_abi|factory_kwargs"
    r"|unify_type_list|wait|fork|is_storage|hash_tensor|map2?_|module_load|kineto_available|is_tensor_like|variable"
    r"|enforce_grad_layout_policy|swap_in_optimizer_params_and_state|merge_type\w*|vitals_enabled|classproperty"
)
PUBLIC = r"TypedStorage|UntypedStorage|LinAlgError|Event|Stream|Sym(Bool|Float|Int)"  # though they look like these
ELSE = "not met in the course"


def covered() -> set[str]:
    """Names that a table of cases, or a test module's `COVERS`, puts to the test."""
    found: set[str] = set()
    for module in _test_modules():
        for table in ("CASES", "ERRORS", "COVERS"):
            for entry in getattr(module, table, ()):
                name = entry if isinstance(entry, str) else entry.name
                found.add(name.partition(" ")[0])  # "gelu at its corners" is about gelu
    return found


def _test_modules() -> Iterator[ModuleType]:
    yield importlib.import_module(f"{tests.__name__}.test_printing")
    for folder in ("parity", "autograd", "nn", "optim"):
        package = importlib.import_module(f"{tests.__name__}.{folder}")
        for info in pkgutil.iter_modules(package.__path__):
            if info.name.startswith("test_"):
                yield importlib.import_module(f"{package.__name__}.{info.name}")


def names(space: str) -> list[str]:
    """The public names of a PyTorch namespace: functions, classes, methods, properties, dtypes."""
    where = SPACES[space](torch)
    found = []
    for name in dir(where):
        if name.startswith("_") or (re.fullmatch(INTERNAL, name) and not re.fullmatch(PUBLIC, name)):
            continue
        value = inspect.getattr_static(where, name, None)
        module = getattr(value, "__module__", None) or ""
        if inspect.ismodule(value) or module.startswith(("typing", "collections", "enum", "functools")):
            continue
        of_the_runtime = inspect.isclass(value) and (space == "torch" or module.startswith("torch._C"))
        if of_the_runtime and not _here(space, name) and not re.fullmatch(PUBLIC, name):
            continue
        found.append(name)
    return found


def status(space: str, name: str, tested: set[str]) -> tuple[str, str]:
    """("same" | "differs" | "present" | "absent", why)."""
    if _here(space, name):
        for pattern, how in DIFFERS.items():
            if re.fullmatch(pattern, name):
                return "differs", how
        return ("same", "") if is_tested(f"{space}.{name}".removeprefix("torch."), tested) else ("present", "no case of its own yet")
    for pattern, why in ABSENT.items():
        if re.fullmatch(pattern, name):
            return "absent", why
    return "absent", ELSE


def _here(space: str, name: str) -> bool:
    ours = SPACES[space](tinytorch)
    return name in dir(ours) or hasattr(ours, name)


def is_tested(path: str, tested: set[str]) -> bool:
    """Whether a case is about `path` ("add", "Tensor.add_", "nn.functional.relu").

    A case of a name stands for it in all its places, as they are bound to one function; writing in place is not.
    """
    name = path.rpartition(".")[2]
    return path in tested or name in tested or (f"Tensor.{name}" in tested and "." not in path)


def page() -> str:
    tested = covered()
    lines = [
        "# Which of PyTorch's names work here",
        "",
        "Made by `python -m tests.parity.page --write` from the tables of cases in `tests/`; do not edit. PyTorch "
        f"{torch.__version__.split('+')[0]}. *Same*: present, and put to the test against PyTorch. *Present*: there, "
        "without a case of its own. Complex numbers, sparse tensors other than Embedding's gradient, quantisation and "
        "`torch.compile` are left out.",
    ]
    for space in SPACES:
        rows: dict[str, list] = {"same": [], "differs": [], "present": [], "absent": []}
        for name in names(space):
            kind, why = status(space, name, tested)
            rows[kind].append((name, why))
        lines += ["", f"## {space}", "", ", ".join(f"{len(v)} {k}" for k, v in rows.items()), ""]
        for kind in ("same", "present"):
            if rows[kind]:
                lines += [f"**{kind.capitalize()}:** " + ", ".join(f"`{n}`" for n, _ in rows[kind]), ""]
        for kind in ("differs", "absent"):
            reasons: dict[str, list[str]] = {}
            for name, why in rows[kind]:
                reasons.setdefault(why, []).append(name)
            for why, found in reasons.items():
                lines += [f"**{kind.capitalize()}** ({why}): " + ", ".join(f"`{n}`" for n in found), ""]
        lines.pop()
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(page(), "utf-8")
    else:
        print(page())
