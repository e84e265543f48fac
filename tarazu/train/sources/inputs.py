"""What `fit` trains on and validates with: rows in memory, or a stream of batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.base.pytree import leaf_paths
from tarazu.data import Dataset
from tarazu.nn.module.trainable import Batches, ClassWeight, Validation
from tarazu.runtime import processes
from tarazu.train.sources.arrays import Arrays
from tarazu.train.sources.class_weights import class_weighted
from tarazu.train.sources.datasets import Epochs, batches_of, require_no_targets, with_batches
from tarazu.train.sources.pace import Pace
from tarazu.train.sources.reading import Reading
from tarazu.train.sources.rows import Rows, SharedRows
from tarazu.train.sources.stream import Stream, is_stream, rows_of

VALIDATION_BATCH = 1024  # rows in a batch of a dataset for validation that has none of its own

Source = Rows | Stream
Labels = Callable[[Arrays], np.ndarray | None]


class Given(NamedTuple):
    """What the caller of `fit` passed, but for how long to train."""

    x: Any
    y: Any
    sample_weight: Any
    class_weight: ClassWeight
    batch_size: int
    shuffle: bool
    validation_split: float
    validation_data: Validation


def rows(given: Given, reading: Reading, reading_of_validation: Reading, labels_of: Labels,
         choose_seed: Callable[[], int]) -> tuple[Rows, Arrays | None]:
    """The rows to train on, and those to validate with: a share of them, or the given ones.

    `choose_seed()` is asked for the seed by which rows are held out; `labels_of` for the classes that both parts get in
    proportion.
    """
    if given.y is not None and isinstance(given.x, Iterator):
        raise ArgumentError(f"a stream of batches ({type(given.x).__name__}), and y", expected="batches (x, y), and no "
                            "y", fix="let the stream give pairs, and call fit(stream)")
    notes: list[str] = []
    if isinstance(given.x, InMemory):
        train = reading.batch(given.x.tree, notes)
    else:
        train = reading.rows(given.x, given.y, given.sample_weight, notes=notes)
    validation, split = None, given.validation_split
    if given.validation_data is not None:
        if split:
            raise ArgumentError("both validation_split and validation_data", expected="one of them",
                                fix="leave one out")
        validation = validation_rows(given.validation_data, train, reading_of_validation)
    elif split:
        labels = labels_of(train) if train.is_pair else None
        train, validation = _hold_out(train, split, choose_seed(), labels)
    source = Rows if processes.count() == 1 else SharedRows
    made = source(class_weighted(train, given.class_weight), Pace(), given.batch_size, given.shuffle,
                  isinstance(given.x, InMemory) and given.x.drop_last)
    made.notes = notes
    return made, validation


class InMemory(NamedTuple):
    """The arrays of a dataset."""

    tree: Any
    drop_last: bool


def of_dataset(given: Given) -> Given:
    """The same with the arrays of the dataset that was passed, or with its batches, epoch by epoch.

    The rows of one that has neither batches nor an order of its own are shuffled as arrays are.
    """
    require_no_targets(given.y)
    dataset = with_batches(given.x, given.batch_size)
    is_shuffled = dataset.is_shuffled or (given.x.batch_size is None and given.shuffle)
    tree = dataset.in_memory()
    if tree is None:
        return given._replace(x=Epochs(dataset))
    if given.sample_weight is not None:
        raise ArgumentError("sample_weight with a Dataset", expected="weights in the dataset",
                            fix="make it of all three: tz.data.Dataset((x, y, weight))")
    return given._replace(x=InMemory(tree, dataset.drop_last), batch_size=dataset.batch_size or given.batch_size,
                          shuffle=is_shuffled)


def _hold_out(arrays: Arrays, share: float, seed: int, labels: np.ndarray | None) -> tuple[Arrays, Arrays]:
    """Rows to train on and a random share for validation, classes in proportion."""
    from tarazu.data import split_rows

    if not isinstance(share, int | float) or not 0 < share < 1:
        raise ArgumentError(f"validation_split={share!r}", expected="a share between 0 and 1",
                            fix="pass for example validation_split=0.2")
    split = split_rows(arrays.rows, share, 0.0, seed, labels)
    return arrays.at(split.train), arrays.at(split.validation)


def batches(given: Given, reading: Reading, reading_of_validation: Reading, epochs: int,
            steps_per_epoch: int | None) -> tuple[Stream, Arrays | None]:
    """The batches to train on, and the rows to validate with, if there are any."""
    if given.validation_split:
        raise ArgumentError(f"validation_split={given.validation_split!r} with a stream of batches",
                            expected="validation_data, as the rows of a stream are not known beforehand",
                            fix="set rows apart before you make the stream: validation_data=(x_val, y_val)")
    if given.sample_weight is not None:
        raise ArgumentError("sample_weight with a stream of batches", expected="weights in the batches",
                            fix="let the stream give (x, y, weight)")
    source = Stream(given.x, reading, Pace(), epochs, steps_per_epoch, given.class_weight)
    try:
        has_none = given.validation_data is None
        return source, None if has_none else validation_rows(given.validation_data, source.train, reading_of_validation)
    except BaseException:
        source.close()
        raise


def require_no_steps(steps_per_epoch: int | None) -> None:
    """Raises where `steps_per_epoch` is given for rows in memory."""
    if steps_per_epoch is not None:
        raise ArgumentError(f"steps_per_epoch={steps_per_epoch!r} for rows in memory",
                            expected="it with a stream of batches only: an epoch is once through all rows",
                            fix="leave it out, or pass an iterable of (x, y) batches as x")


def validation_rows(given: Batches | Any, train: Arrays, reading: Reading) -> Arrays:
    """The rows of `validation_data`: a pair, a dataset or batches; ArgumentError or ShapeError if unlike `train`."""
    if isinstance(given, Dataset):  # whose maps may make other rows than those before the maps of training data
        return rows_of(batches_of(given, VALIDATION_BATCH), reading)
    if is_stream(given, None):
        validation = rows_of(given, reading)
    elif reading.takes_any:
        validation = reading.batch(given)
    elif isinstance(given, tuple | list) and len(given) in (2, 3):
        validation = reading.rows(*given)
    else:
        raise ArgumentError(f"validation_data of type {type(given).__name__}", expected="a pair (x, y), or batches",
                            fix="pass validation_data=(x_validation, y_validation)")
    _require_alike(validation, train, reading)
    return validation


def _require_alike(validation: Arrays, train: Arrays, reading: Reading) -> None:
    """ShapeError or ArgumentError unless rows for validation look like those for training."""
    own, other = (part if reading.takes_any else part.children[:2]
                  for part in (train.structure, validation.structure))
    if own != other:
        lacks_weights = train.is_pair and validation.is_pair and train.weight is not None and validation.weight is None
        raise ArgumentError("validation_data of another structure than the training data",
                            expected="the same inputs and targets, by the same names",
                            fix="give it weights, too: validation_data=(x, y, weight)" if lacks_weights else
                            "prepare validation data as the training data were prepared")
    for path, wanted, has in zip(_names(train, reading), train.leaves, validation.leaves, strict=False):
        if wanted.shape[1:] != has.shape[1:]:
            rows = ", ".join(["rows", *map(str, wanted.shape[1:])])
            raise ShapeError(f"validation_data with {path} of shape {has.shape}", expected=f"shape ({rows})",
                             fix="prepare validation data as the training data were prepared")


def _names(arrays: Arrays, reading: Reading) -> list[str]:
    """The names of the arrays as a user knows them."""
    if reading.takes_any:
        return ["x" + path for path in leaf_paths(arrays.structure)]
    return [name + path for name, part in zip("xy", arrays.structure.children, strict=False)
            for path in leaf_paths(part)]
