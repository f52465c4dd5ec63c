"""The names that the tensor floor promises: each is here wherever PyTorch has it, and each is put to the test."""

from __future__ import annotations

from typing import Any

import pytest

import tinytorch
from tests.oracle import torch
from tests.parity import page

FAMILIES = {
    "making": """tensor as_tensor from_numpy Tensor FloatTensor DoubleTensor HalfTensor ByteTensor CharTensor
        ShortTensor IntTensor LongTensor BoolTensor cuda.FloatTensor cuda.DoubleTensor cuda.HalfTensor cuda.ByteTensor
        cuda.CharTensor cuda.ShortTensor cuda.IntTensor cuda.LongTensor cuda.BoolTensor zeros ones empty full eye arange
        linspace logspace zeros_like ones_like empty_like full_like rand_like randn_like randint_like new_tensor
        new_zeros new_ones new_empty new_full rand randn randint randperm normal bernoulli multinomial manual_seed
        Generator meshgrid cartesian_prod one_hot""",
    "dtypes": """float16 bfloat16 float32 float64 uint8 int8 int16 int32 int64 bool result_type can_cast promote_types
        finfo iinfo set_default_dtype get_default_dtype is_floating_point dtype to float double half long int short
        char byte type type_as""",
    "storage and views": """storage untyped_storage data_ptr stride storage_offset is_contiguous contiguous as_strided
        view reshape view_as permute transpose t T mT movedim squeeze unsqueeze expand expand_as narrow select split
        chunk tensor_split unbind unfold diagonal flatten unflatten detach""",
    "joining": "cat concat stack hstack vstack dstack repeat repeat_interleave tile roll flip rot90",
    "indexing": """__getitem__ __setitem__ index_select index_add index_copy index_fill gather scatter scatter_add take
        take_along_dim masked_select masked_fill masked_scatter where nonzero argwhere put""",
    "pointwise": """add sub mul div pow subtract multiply divide true_divide floor_divide float_power square neg
        reciprocal rsub eq ne lt le gt ge not_equal less less_equal greater greater_equal logical_and logical_or
        logical_xor logical_not bitwise_and bitwise_or bitwise_xor bitwise_not bitwise_left_shift bitwise_right_shift
        abs sign ceil floor round trunc frac clamp clamp_min clamp_max clip exp exp2 expm1 log log2 log10 log1p sqrt
        rsqrt sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh atan2 sigmoid erf erfc erfinv lerp addcmul
        addcdiv maximum minimum fmod remainder isnan isinf isfinite nan_to_num isclose allclose equal""",
    "reductions and order": """sum mean prod max min amax amin aminmax argmax argmin std var std_mean var_mean norm
        logsumexp all any cumsum cumprod cummax median mode kthvalue topk sort argsort unique bincount histc
        count_nonzero searchsorted""",
    "linear algebra": """mm bmm matmul mv dot outer addmm addmv addbmm baddbmm addr einsum tensordot kron cross tril
        triu trace diag diag_embed inverse linalg.norm linalg.vector_norm linalg.matrix_norm linalg.inv linalg.solve
        linalg.det linalg.cholesky""",
    "autograd": """autograd.Variable requires_grad requires_grad_ is_leaf grad_fn retains_grad Tensor.grad
        Tensor.backward autograd.backward autograd.grad autograd.Function autograd.function.once_differentiable
        register_hook register_post_accumulate_grad_hook retain_grad no_grad enable_grad set_grad_enabled
        is_grad_enabled inference_mode is_inference is_inference_mode_enabled detach _version
        autograd.graph.saved_tensors_hooks autograd.set_detect_anomaly autograd.detect_anomaly autograd.gradcheck
        autograd.gradgradcheck autograd.functional.jacobian autograd.functional.hessian autograd.functional.vjp
        autograd.functional.jvp""",
    "printing and bridges": """Tensor.__repr__ Tensor.__format__ set_printoptions Size numpy Tensor.__array__
        Tensor.__array_priority__ tolist item Tensor.__iter__ Tensor.__deepcopy__ Tensor.__reduce_ex__ from_dlpack
        Tensor.__dlpack__ Tensor.__dlpack_device__ Tensor.__len__ Tensor.__contains__ Tensor.__bool__
        Tensor.__float__ Tensor.__int__ Tensor.__index__ dim ndim size shape numel nelement element_size itemsize
        nbytes is_tensor device layout data is_cuda Tensor.cpu cuda.is_available""",
}
SPACES = ("Tensor", "autograd", "linalg", "nn.functional")


def has(T: Any, path: str) -> bool:
    """Whether `T.path` is there."""
    for name in path.split("."):
        if isinstance(T, type) and name in dir(T):  # a property of tensors is not asked for its value
            return True
        if not hasattr(T, name):
            return False
        T = getattr(T, name)
    return True


def places(name: str) -> list[str]:
    """Every place where PyTorch has the name: function, method, in-place method, in a namespace."""
    candidates = [name] if "." in name else [name, f"Tensor.{name}_", *(f"{space}.{name}" for space in SPACES)]
    found = [path for path in candidates if has(torch, path)]
    assert found, f"PyTorch has no {name}"
    return found


PLACES = [(family, path) for family, names in FAMILIES.items() for name in names.split() for path in places(name)]


@pytest.mark.parametrize("family", FAMILIES)
def test_here_wherever_pytorch_has_it(family: str) -> None:
    missing = [path for f, path in PLACES if f == family and not has(tinytorch, path)]
    assert not missing


@pytest.mark.parametrize("family", FAMILIES)
def test_put_to_the_test(family: str) -> None:
    tested = page.covered()
    untested = [path for f, path in PLACES if f == family and not page.is_tested(path, tested)]
    assert not untested


def test_the_page_is_up_to_date() -> None:
    assert page.PAGE.read_text("utf-8") == page.page(), "python -m tests.parity.page --write"
