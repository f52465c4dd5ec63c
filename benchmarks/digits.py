"""The main job: a multilayer perceptron reads the real digits. Prints held-out accuracy, seconds, and whose code ran.

    uv run python -m benchmarks.digits
"""

from __future__ import annotations

import time

import tinytorch as torch
from tinytorch import nn
from tinytorch.exercise import runs_on
from tinytorch.utils.data import DataLoader
from tinytorch.vision.datasets import Digits


def train(optimizer_of, epochs: int = 20) -> float:
    """The share of held-out digits that a freshly trained network reads correctly."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = optimizer_of(model.parameters())
    batches = DataLoader(Digits(train=True), batch_size=32, shuffle=True)
    for _ in range(epochs):
        for x, y in batches:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
    held = Digits(train=False)
    with torch.no_grad():
        return (model(held.data).argmax(1) == held.targets).float().mean().item()


def main() -> None:
    optimizers = {
        "Adam": lambda params: torch.optim.Adam(params, lr=0.005),
        "SGD with momentum": lambda params: torch.optim.SGD(params, lr=0.05, momentum=0.9),
    }
    for name, optimizer_of in optimizers.items():
        started = time.perf_counter()
        accuracy = train(optimizer_of)
        print(f"{name:18} {accuracy:.1%} of the held-out digits, {time.perf_counter() - started:.1f} s")
    print(runs_on("autograd"))


if __name__ == "__main__":
    main()
