"""From what users pass as rows, or as a batch of a stream, to the arrays of one tree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.base.pytree import Structure, flatten, leaf_paths
from tarazu.train.sources.arrays import Arrays
from tarazu.train.sources.numbers import as_given, features, targets, weights
from tarazu.train.sources.precision_loss import precision_loss


class Reading(NamedTuple):
    """Which trees a model trains on: how many inputs and targets it has, or any tree where its step is its own.

    A dict is always one of arrays; a tuple or list of arrays is one where there are several, else its parts are rows.
    """

    several_inputs: bool
    several_targets: bool
    takes_any: bool

    def inputs(self, x: object) -> Arrays:
        """The inputs alone."""
        return _given(x, "x", self.several_inputs).checked(features)

    def rows(self, x: object, y: object, weight: object = None, *, notes: list[str] | None = None) -> Arrays:
        """The arrays; ArgumentError, ShapeError or DTypeError for what makes none.

        What float32 costs them goes into `notes`, if there are any.
        """
        if y is None and self.takes_any:
            if weight is not None:
                raise ArgumentError("sample_weight without y", expected="batches (x, y, weight), made of x, y and it",
                                    fix="put the weights among the arrays of x: fit((x, weight))")
            return self._any_tree(x, notes)
        if y is None:
            raise ArgumentError("no y", expected="targets, one for each row of x", fix="call fit(x, y, ...)")
        given_x, given_y = _given(x, "x", self.several_inputs), _given(y, "y", self.several_targets)
        if notes is not None:
            labels = getattr(x, "column_names", getattr(x, "columns", None))  # of a table of pyarrow, of a frame
            notes += [*given_x.notes(labels), *given_y.notes()]
        parts = {"x": given_x.checked(features), "y": given_y.checked(targets)}
        if weight is not None:
            parts["sample_weight"] = _given(weight, "sample_weight", self.several_targets).checked(weights)
        _require_equal_rows(parts)
        return Arrays.of(tuple(part.tree for part in parts.values()))

    def _any_tree(self, batch: object, notes: list[str] | None) -> Arrays:
        given = _given(batch, "x", True)
        if notes is not None:
            notes += given.notes()
        return given.checked(features)

    def batch(self, batch: Any, notes: list[str] | None = None) -> Arrays:
        """The arrays of a batch of a stream: (x, y), (x, y, weight), or any tree for a step of the model's own."""
        if isinstance(batch, tuple | list) and len(batch) in (2, 3) and not self.takes_any:
            return self.rows(*batch, notes=notes)
        if not self.takes_any:
            raise ArgumentError(f"a batch that is a {type(batch).__name__}",
                                expected="a pair (x, y) of arrays or tensors, or (x, y, weight)",
                                fix="let the stream give pairs: ((batch['x'], batch['y']) for batch in stream), a "
                                    "Dataset by a map before .batch; a model with a compute_loss of its own takes "
                                    "batches of any kind")
        return self._any_tree(batch, notes)


def _as_tree(value: Any, several: bool) -> Any:
    """The arrays of `value`, as they are given, in the dicts, tuples and lists that they stand in.

    Only with `several` are the parts of a tuple or list arrays of their own; else they are the rows of one array.
    """
    if isinstance(value, dict):
        return {name: _as_tree(part, several) for name, part in value.items()}
    if several and isinstance(value, tuple | list) and value and all(map(_holds_rows, value)):
        parts = [_as_tree(part, several) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return _Leaf(value)


class _Leaf:
    """An array as it is given, which may be a list."""

    def __init__(self, value: object) -> None:
        self.value = value


def _holds_rows(part: Any) -> bool:
    """Whether it is an array with rows, or a container of such, and no number or list of numbers."""
    if isinstance(part, tuple | list):
        return bool(part) and all(map(_holds_rows, part))
    return isinstance(part, dict) or len(getattr(part, "shape", (0,) if hasattr(part, "__array__") else ())) > 0


class _Given(NamedTuple):
    """The arrays of what a user passed, in their own dtypes."""

    arrays: list[np.ndarray]
    names: list[str]  # of each, for messages
    structure: Structure

    def notes(self, labels: Sequence[object] | None = None) -> list[str]:
        """What float32 costs them; `labels` are the names of columns."""
        notes = [precision_loss(array, name, labels) for array, name in zip(self.arrays, self.names, strict=True)]
        return [note for note in notes if note]

    def checked(self, check: Callable[[object, str], np.ndarray]) -> Arrays:
        """What `check` makes of each, with equally many rows."""
        arrays = [check(array, name) for array, name in zip(self.arrays, self.names, strict=True)]
        for array, name in zip(arrays, self.names, strict=True):
            if len(array) != len(arrays[0]):
                raise _unequal(name, len(array), self.names[0], len(arrays[0]))
        return Arrays(arrays, self.structure)


def _given(value: object, name: str, several: bool) -> _Given:
    leaves, structure = flatten(_as_tree(value, several))
    if not leaves:
        raise ArgumentError(f"{name}={value!r}", expected="at least one array", fix="check how it was made")
    names = [name + path for path in leaf_paths(structure)]
    return _Given([as_given(leaf.value, path) for leaf, path in zip(leaves, names, strict=True)], names, structure)


def _require_equal_rows(parts: dict[str, Arrays]) -> None:
    for name, part in parts.items():
        if part.rows != parts["x"].rows:
            raise _unequal(name, part.rows, "x", parts["x"].rows)


def _unequal(name: str, rows: int, first: str, expected: int) -> ShapeError:
    what = "one target for each row of x" if name == "y" else f"as many as in {first}"
    return ShapeError(f"{first} has {expected} rows and {name} has {rows}", expected=what,
                      fix=f"check how {first} and {name} were made; rows are the first axis")
