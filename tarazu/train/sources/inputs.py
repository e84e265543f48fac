"""What `fit` trains on and validates with: rows in memory, or a stream of batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.nn.losses import Loss
from tarazu.nn.module.trainable import Batches, Validation
from tarazu.runtime import processes
from tarazu.train.sources.arrays import Arrays, as_given, hold_out, pair, targets
from tarazu.train.sources.pace import Pace
from tarazu.train.sources.precision_loss import notes_on
from tarazu.train.sources.rows import Rows, SharedRows
from tarazu.train.sources.stream import Stream, is_stream, rows_of


def rows(x: object, y: object, batch_size: int, split: float, given: Validation, loss: Loss,
         choose_seed: Callable[[], int]) -> tuple[Rows, Arrays | None]:
    """The rows to train on, and those to validate with: a share `split` of them, or the `given` ones.

    `choose_seed()` is asked for the seed by which rows are held out; the `loss` says whether they have classes.
    """
    _require_targets(x, y)
    given_arrays = as_given(x, "x"), as_given(y, "y")
    labels = getattr(x, "column_names", getattr(x, "columns", None))  # of a table of pyarrow, of a frame
    train, notes = pair(*given_arrays), notes_on(*given_arrays, labels)
    if given is not None:
        if split:
            raise ArgumentError("both validation_split and validation_data", expected="one of them",
                                fix="leave one out")
        return _rows(train, batch_size, notes), _validation(given, train)
    if not split:
        return _rows(train, batch_size, notes), None
    train, validation = hold_out(train, split, choose_seed(), loss)
    return _rows(train, batch_size, notes), validation


def _rows(train: Arrays, batch_size: int, notes: list[str]) -> Rows:
    made = (Rows if processes.count() == 1 else SharedRows)(train, Pace(), batch_size)
    made.notes = notes
    return made


def _require_targets(x: object, y: object) -> None:
    if y is None:
        targets(y)  # raises
    if isinstance(x, Iterator):
        raise ArgumentError(f"a stream of batches ({type(x).__name__}), and y", expected="batches (x, y), and no y",
                            fix="let the stream give pairs, and call fit(stream)")


def batches(x: Batches, epochs: int, steps_per_epoch: int | None, split: float,
            given: Validation) -> tuple[Stream, Arrays | None]:
    """The batches to train on, and the rows to validate with, if there are any."""
    if split:
        raise ArgumentError(f"validation_split={split!r} with a stream of batches",
                            expected="validation_data, as the rows of a stream are not known beforehand",
                            fix="set rows apart before you make the stream: validation_data=(x_val, y_val)")
    source = Stream(x, Pace(), epochs, steps_per_epoch)
    try:
        return source, None if given is None else _validation(given, source.train)
    except BaseException:
        source.close()
        raise


def require_no_steps(steps_per_epoch: int | None) -> None:
    """Raises where `steps_per_epoch` is given for rows in memory."""
    if steps_per_epoch is not None:
        raise ArgumentError(f"steps_per_epoch={steps_per_epoch!r} for rows in memory",
                            expected="it with a stream of batches only: an epoch is once through all rows",
                            fix="leave it out, or pass an iterable of (x, y) batches as x")


def _validation(given: Validation, train: Arrays) -> Arrays:
    if is_stream(given, None):
        given = rows_of(given)
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise ArgumentError(f"validation_data of type {type(given).__name__}", expected="a pair (x, y), or batches",
                            fix="pass validation_data=(x_validation, y_validation)")
    validation = pair(*given)
    for name, wanted, has in zip(Arrays._fields, train, validation, strict=True):
        if wanted.shape[1:] != has.shape[1:]:
            rows = ", ".join(["rows", *map(str, wanted.shape[1:])])
            raise ShapeError(f"validation_data with {name} of shape {has.shape}", expected=f"shape ({rows})",
                             fix="prepare validation data as the training data were prepared")
    return validation
