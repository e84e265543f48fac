"""A `tz.data.Dataset` as what `fit` trains on: its arrays in memory, or its batches, epoch by epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tarazu.base.errors import ArgumentError
from tarazu.base.pytree import map_leaves
from tarazu.data import Dataset
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.jit.jit import jit
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.train.sources.arrays import Arrays, joined


def with_batches(dataset: Dataset, batch_size: int) -> Dataset:
    """The dataset, in batches of `batch_size` where it has none yet."""
    return dataset.batch(batch_size) if dataset.batch_size is None else dataset


def require_no_targets(y: object) -> None:
    """ArgumentError for targets beside a dataset, which has them."""
    if y is not None:
        raise ArgumentError("a Dataset, and y", expected="a dataset of pairs (x, y), and no y",
                            fix="make one of both: tz.data.Dataset((x, y))")


def require_end(dataset: Dataset) -> None:
    """ArgumentError for an endless dataset, for whoever goes through all of it."""
    if dataset.is_endless:
        raise ArgumentError("an endless dataset, made by repeat() without a number",
                            expected="one that comes to an end",
                            fix="cut it to so many samples or batches: dataset.take(n); or leave repeat() out")


def require_end_or_limit(dataset: Dataset, *limits: float | None) -> None:
    """ArgumentError for an endless dataset to train on, where none of the limits of `fit` is given."""
    if dataset.is_endless and all(limit is None for limit in limits):
        raise ArgumentError("an endless dataset, made by repeat() without a number, to train on without a limit",
                            expected="a number of steps, or a dataset that comes to an end, as an epoch is once "
                            "through it", fix="pass max_steps=n, steps_per_epoch=n or max_seconds=s, or cut the "
                            "dataset: dataset.take(n); or leave repeat() out and pass epochs=n")


def batches_of(dataset: Dataset, batch_size: int) -> Iterator[Any]:
    """The batches of a dataset, after all its maps, as arrays; ArgumentError for an endless one."""
    require_end(dataset)
    return (map_leaves(_as_array, batch) for batch in with_batches(dataset, batch_size))


def _as_array(x: Any) -> Any:
    return x.numpy() if isinstance(x, Tensor) else x


def mapped_rows(on_batch: Callable[[Any], Any], part: Arrays, batch_size: int) -> Arrays:
    """The rows after maps of batches."""
    compiled = jit(on_batch)
    with no_grad():
        return joined([Arrays.of(map_leaves(_as_array, compiled(map_leaves(asarray, batch.tree))))
                       for batch in part.batches(batch_size)])


class Epochs:
    """The batches of a dataset before its maps of batches: each `__iter__` is the next epoch."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset, self._epoch, self._skip = dataset, 0, 0

    def __iter__(self) -> Iterator[Any]:
        epoch, skip = self._epoch, self._skip
        self._epoch, self._skip = epoch + 1, 0
        return self._dataset.batches(epoch, skip)

    def __len__(self) -> int:
        return len(self._dataset)

    def go_to(self, epoch: int, steps: int) -> None:
        """Let the next `__iter__` be that of an epoch, counted from 0, without its first batches."""
        self._epoch, self._skip = epoch, steps
