"""Data for training: data sets, orders in which to take their samples, and batches."""

from tinytorch.utils.data.collate import default_collate
from tinytorch.utils.data.dataloader import DataLoader
from tinytorch.utils.data.dataset import Dataset, Subset, TensorDataset, random_split
from tinytorch.utils.data.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler

__all__ = [
    "BatchSampler", "DataLoader", "Dataset", "RandomSampler", "Sampler", "SequentialSampler", "Subset", "TensorDataset",
    "default_collate", "random_split",
]  # fmt: skip
