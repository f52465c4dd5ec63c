"""The whole of it on real data: a network learns to read digits, step by step as in PyTorch."""

import time

import numpy as np
import pytest

import tinytorch
from tests.oracle import torch
from tinytorch import nn
from tinytorch.nn import functional as F
from tinytorch.utils.data import DataLoader, TensorDataset
from tinytorch.vision.datasets import Digits

OPTIMIZERS = {
    "Adam": lambda T, params: T.optim.Adam(params, lr=3e-3),
    "SGD with momentum": lambda T, params: T.optim.SGD(params, lr=0.1, momentum=0.9),
}


def perceptron(T):
    return T.nn.Sequential(
        T.nn.Flatten(), T.nn.Linear(64, 64), T.nn.ReLU(), T.nn.Linear(64, 32), T.nn.ReLU(), T.nn.Linear(32, 10)
    )


def accuracy(model: nn.Module, data: Digits) -> float:
    model.eval()
    with tinytorch.no_grad():
        guesses = model(data.data).argmax(1)
    model.train()
    return (guesses == data.targets).sum().item() / len(data)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_learns_to_read_digits(name: str):
    tinytorch.manual_seed(0)
    train, held_out = Digits(train=True), Digits(train=False)
    model = perceptron(tinytorch)
    optimizer = OPTIMIZERS[name](tinytorch, model.parameters())
    batches = DataLoader(TensorDataset(train.data, train.targets), batch_size=64, shuffle=True)
    begin = time.process_time()
    for _ in range(25):
        for pictures, labels in batches:
            optimizer.zero_grad()
            F.cross_entropy(model(pictures), labels).backward()
            optimizer.step()
    seconds = time.process_time() - begin
    reached = accuracy(model, held_out)
    print(f"{name}: {reached:.1%} held out, {seconds:.1f} s")
    assert reached >= 0.95
    assert seconds < 20


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_twenty_steps_equal_torchs(name: str):
    tinytorch.manual_seed(1)
    data = Digits()
    mine, real = perceptron(tinytorch), perceptron(torch)
    real.load_state_dict({key: torch.tensor(value.tolist()) for key, value in mine.state_dict().items()})
    losses = []
    for T, model in ((tinytorch, mine), (torch, real)):
        optimizer = OPTIMIZERS[name](T, model.parameters())
        seen = []
        for step in range(20):
            chosen = slice(64 * step, 64 * (step + 1))
            pictures = T.tensor(data.data[chosen].tolist())
            labels = T.tensor(data.targets[chosen].tolist())
            loss = T.nn.functional.cross_entropy(model(pictures), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            seen.append(loss.item())
        losses.append(seen)
    np.testing.assert_allclose(losses[0], losses[1], rtol=0, atol=1e-4)
    for (key, a), b in zip(mine.state_dict().items(), real.state_dict().values(), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-3, err_msg=key)


def test_digits_are_the_real_ones_split_once_and_for_all():
    from sklearn.datasets import load_digits

    pictures, labels = load_digits(return_X_y=True)
    train, held_out = Digits(train=True), Digits(train=False)
    assert len(train) + len(held_out) == len(labels) == 1797
    together = np.concatenate([train.data.numpy(), held_out.data.numpy()]).reshape(-1, 64) * 16
    assert sorted(map(tuple, together)) == sorted(map(tuple, pictures))
    for part, low, high in ((train, 0.79, 0.81), (held_out, 0.19, 0.21)):
        assert low < len(part) / 1797 < high
        counts = np.bincount(part.targets.numpy())
        assert counts.max() - counts.min() <= 8, "every digit has about the same share"
    assert Digits(train=False).targets.tolist() == held_out.targets.tolist()


def test_a_sample_is_a_picture_and_a_number():
    data = Digits(train=False, transform=lambda picture: picture * 2, target_transform=str)
    picture, label = data[3]
    plain, number = Digits(train=False)[3]
    assert picture.shape == (1, 8, 8) and picture.dtype == tinytorch.float32
    assert label == str(number) and isinstance(number, int)
    assert plain.numpy().min() >= 0 and plain.numpy().max() == picture.numpy().max() / 2 <= 1
