"""Data sets, samplers and the DataLoader, beside PyTorch's: equal where no random order is involved."""

import numpy as np
import pytest

import tinytorch
from tests.oracle import torch

BATCHES = [
    lambda T, D, data: D.DataLoader(data),
    lambda T, D, data: D.DataLoader(data, 4),
    lambda T, D, data: D.DataLoader(data, 4, drop_last=True),
    lambda T, D, data: D.DataLoader(data, None),
    lambda T, D, data: D.DataLoader(data, 3, sampler=[5, 1, 1, 2]),
    lambda T, D, data: D.DataLoader(data, batch_sampler=[[0, 1], [5]]),
    lambda T, D, data: D.DataLoader(data, 4, collate_fn=lambda samples: len(samples)),
    lambda T, D, data: D.DataLoader(D.Subset(data, [3, 1, 2]), 2),
    lambda T, D, data: D.DataLoader([(i, {"a": i / 2, "b": [str(i)]}) for i in range(5)], 2),
    lambda T, D, data: D.DataLoader([np.arange(3) + i for i in range(3)], 2),
    lambda T, D, data: D.BatchSampler(D.SequentialSampler(range(5)), 2, False),
]


def plain(value):
    if isinstance(value, dict):
        return {key: plain(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return (str(value.dtype), value.tolist()) if hasattr(value, "tolist") else value


@pytest.mark.parametrize("number", range(len(BATCHES)))
def test_batches_equal_torchs(number: int):
    found = []
    for T in (tinytorch, torch):
        D = T.utils.data
        data = D.TensorDataset(T.arange(10, dtype=T.float32).reshape(10, 1), T.arange(10))
        made = BATCHES[number](T, D, data)
        found.append((plain(list(made)), len(made)))
    assert found[0] == found[1]


REFUSALS = [
    {"batch_size": 0}, {"batch_size": None, "drop_last": True}, {"shuffle": True, "sampler": [1]},
    {"batch_sampler": [[1]], "batch_size": 3}, {"num_workers": -1}, {"timeout": -1}, {"prefetch_factor": 2},
    {"persistent_workers": True}, {"batch_size": "a"},
]  # fmt: skip


@pytest.mark.parametrize("options", REFUSALS, ids=str)
def test_contradictions_are_refused_like_torch(options: dict):
    said = []
    for T in (torch, tinytorch):
        with pytest.raises(ValueError) as info:
            T.utils.data.DataLoader(T.utils.data.TensorDataset(T.ones(3)), **options)
        said.append(str(info.value))
    assert said[1] == said[0]


def test_every_epoch_has_all_samples_in_a_new_order_that_the_generator_decides():
    data = tinytorch.utils.data

    def epochs(seed):
        generator = tinytorch.Generator().manual_seed(seed)
        loader = data.DataLoader(data.TensorDataset(tinytorch.arange(50)), 8, shuffle=True, generator=generator)
        return [[v for (batch,) in loader for v in batch.tolist()] for _ in range(2)]

    first, second = epochs(0)
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second != list(range(50))
    assert epochs(0) == [first, second] != epochs(1)


def test_random_split_covers_all_once():
    data = tinytorch.utils.data
    whole = data.TensorDataset(tinytorch.arange(10))
    parts = data.random_split(whole, [0.33, 0.67], tinytorch.Generator().manual_seed(1))
    assert [len(p) for p in parts] == [len(p) for p in torch.utils.data.random_split(range(10), [0.33, 0.67])]
    assert sorted(v.item() for part in parts for (v,) in part) == list(range(10))
    for T in (tinytorch, torch):
        for lengths in ([3, 3], [0.5, 0.7]):
            with pytest.raises(
                ValueError, match="Sum of input lengths does not equal the length of the input dataset!"
            ):
                T.utils.data.random_split(range(10), lengths)
        with pytest.raises(ValueError, match="Fraction at index 1 is not between 0 and 1"):
            T.utils.data.random_split(range(10), [0.5, -0.5, 1.0])


def test_lengths_that_differ_are_refused():
    for T in (tinytorch, torch):
        with pytest.raises(AssertionError, match="Size mismatch between tensors"):
            T.utils.data.TensorDataset(T.ones(2), T.ones(3))


def test_samples_that_do_not_stack_are_refused():
    for T in (tinytorch, torch):
        collate = T.utils.data.default_collate
        with pytest.raises(
            RuntimeError, match=r"stack expects each tensor to be equal size, but got \[2\] at entry 0 and \[3\]"
        ):
            collate([T.ones(2), T.ones(3)])
        with pytest.raises(RuntimeError, match="each element in list of batch should be of equal size"):
            collate([[1], [1, 2]])
        with pytest.raises(TypeError, match="batch must contain tensors, numpy arrays, numbers, dicts or lists"):
            collate([object()])


def test_sampling_with_replacement():
    data = tinytorch.utils.data
    drawn = list(data.RandomSampler(range(3), replacement=True, num_samples=50))
    assert len(drawn) == 50 and set(drawn) == {0, 1, 2}
    assert len(list(data.RandomSampler(range(3), num_samples=7))) == 7
