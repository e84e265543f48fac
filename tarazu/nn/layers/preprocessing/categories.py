"""Categories as vectors, numbers as categories, and categories by a hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Self

import numpy as np

from tarazu.base.checks import positive_int, whole_number
from tarazu.base.errors import ArgumentError, DataError, DTypeError, OutOfRangeError, ShapeError
from tarazu.ir.node import Node
from tarazu.nn.layers.preprocessing.batches import Texts, begins_with_text, number_batches, text_array
from tarazu.nn.layers.preprocessing.options import require_name
from tarazu.nn.module.module import Module
from tarazu.ops.create import one_hot
from tarazu.ops.elementwise import astype, bitwise_right_shift, bitwise_xor, multiply, remainder
from tarazu.ops.indexing.searching import searchsorted
from tarazu.ops.promote import as_value
from tarazu.ops.reduce import max, sum
from tarazu.ops.typing import ArrayLike
from tarazu.runtime.tensor.creation import asarray, tensor
from tarazu.runtime.tensor.tensor import Tensor

ENCODINGS = ("one_hot", "multi_hot", "count")


class CategoryEncoding(Module):
    """Integers from 0 to num_tokens - 1 as vectors of float32.

    "multi_hot" gives 1 for each number that a row has, (..., numbers) to (..., num_tokens), "count" how often.
    "one_hot" gives each number a vector of its own, (...) to (..., num_tokens); a last axis of size 1 goes.
    ArgumentError for sizes below 1 and unknown modes, DTypeError for floats, OutOfRangeError for other numbers (in a
    traced function they count for none).

    >>> import tarazu as tz
    >>> tz.nn.CategoryEncoding(4, "count")(tz.tensor([[0, 2, 2]]))
    Tensor([[1., 0., 2., 0.]], dtype=float32)
    """

    def __init__(self, num_tokens: int, output_mode: str = "multi_hot") -> None:
        self._size = positive_int("num_tokens", num_tokens)
        require_name("output_mode", output_mode, ENCODINGS)
        self._output_mode = output_mode

    def forward(self, x: ArrayLike) -> Tensor:
        numbers = as_value(x)
        if not numbers.dtype.is_integer:
            raise DTypeError(f"an input of {numbers.dtype}", expected="integers, each the number of a category",
                             fix="cast it: x.astype(tz.int64)")
        if not isinstance(numbers.raw, Node):
            self._require_range(np.asarray(numbers.raw))
        return encoded(numbers, self._size, self._output_mode)

    def _require_range(self, array: np.ndarray) -> None:
        wrong = array[(array < 0) | (array >= self._size)]
        if wrong.size:
            raise OutOfRangeError(f"category {wrong[0]} of {self._size}",
                                  expected=f"numbers from 0 to {self._size - 1}",
                                  fix="number the categories from 0, or pass a larger num_tokens")


def encoded(numbers: Tensor, size: int, mode: str) -> Tensor:
    """Integers as vectors of that size; numbers out of range count for none."""
    vectors = one_hot(numbers, size)
    if mode == "one_hot":
        return vectors[..., 0, :] if numbers.shape and numbers.shape[-1] == 1 else vectors
    if not numbers.shape:
        return vectors
    return sum(vectors, -2) if mode == "count" or numbers.shape[-1] == 0 else max(vectors, -2)


class Discretization(Module):
    """Numbers as the index of the bin that they lie in: (...) to integers (...), from 0 to the number of boundaries.

    Bin i holds the numbers from boundary i - 1 up to but not with boundary i. The boundaries are given, in increasing
    order, or `adapt(x)` takes those that divide its numbers into `num_bins` parts of equal size; they are saved with
    the model. `output_mode` is "int" or, as in `CategoryEncoding`, "one_hot", "multi_hot" or "count".

    ArgumentError for both or none of the two, boundaries out of order, and a call before `adapt`.

    >>> import tarazu as tz
    >>> tz.nn.Discretization([0.0, 1.0])(tz.tensor([-0.5, 0.0, 3.0]))
    Tensor([0, 1, 2], dtype=int64)
    >>> tz.nn.Discretization(num_bins=2).adapt([1.0, 2.0, 3.0, 9.0]).boundaries
    Tensor([2.5], dtype=float32)
    """

    reads_codes = True  # a half type would move numbers over the boundaries

    def __init__(self, boundaries: Sequence[float] | None = None, *, num_bins: int | None = None,
                 output_mode: str = "int") -> None:
        if (boundaries is None) is (num_bins is None):
            raise ArgumentError(f"boundaries={boundaries!r} and num_bins={num_bins!r}", expected="one of them",
                                fix="pass the boundaries, or the number of bins and call adapt")
        require_name("output_mode", output_mode, ("int", *ENCODINGS))
        self._num_bins = None if num_bins is None else positive_int("num_bins", num_bins)
        self._output_mode = output_mode
        self.boundaries: Tensor | None = None
        if boundaries is not None:
            array = np.asarray(boundaries, np.float32)
            if array.ndim != 1 or (np.diff(array) <= 0).any():
                raise ArgumentError(f"boundaries={boundaries!r}", expected="numbers in increasing order",
                                    fix="sort them: sorted(set(boundaries))")
            self.boundaries = tensor(array)

    def adapt(self, data: ArrayLike | Iterable[ArrayLike]) -> Self:
        """Take the boundaries from the quantiles of all numbers in `data`, an array or an iterable of batches.

        Gives the layer itself. Quantiles that are equal make one boundary. ArgumentError for a layer with given
        boundaries, DataError for no numbers and for NaN.

        >>> import tarazu as tz
        >>> tz.nn.Discretization(num_bins=4).adapt(range(101)).boundaries.tolist()
        [25.0, 50.0, 75.0]
        """
        if self._num_bins is None:
            raise ArgumentError("adapt of a Discretization with given boundaries", expected="one with num_bins",
                                fix="leave the boundaries out, and pass num_bins")
        numbers = np.concatenate([np.zeros(0), *[batch.reshape(-1) for batch in number_batches(data)]])
        if not numbers.size or not np.isfinite(numbers).all():
            raise DataError("numbers that are not finite" if numbers.size else "there are no numbers to adapt to",
                            expected="finite numbers", fix="pass the training rows without missing ones")
        shares = np.linspace(0, 1, self._num_bins + 1)[1:-1]
        self.boundaries = tensor(np.unique(np.quantile(numbers, shares).astype(np.float32)))
        return self

    def forward(self, x: ArrayLike) -> Tensor:
        if self.boundaries is None:
            raise ArgumentError("Discretization has no boundaries", expected="some that it was given or adapted to",
                                fix="call layer.adapt(x_train) first")
        numbers = astype(searchsorted(self.boundaries, as_value(x), side="right"), "int64", copy=False)
        if self._output_mode == "int":
            return numbers
        return encoded(numbers, self.boundaries.shape[0] + 1, self._output_mode)


class Hashing(Module):
    """Texts or integers as numbers from 0 to num_bins - 1 by a hash: (...) to integers (...), with nothing to learn.

    Different values may get the same number (Weinberger and others, "Feature Hashing", 2009); the numbers are the same
    in every run and on every machine, and others with another `salt`. Called with several inputs of one shape, it gives
    one number for the values in the same positions together: crossed features. `output_mode` is "int" or, as in
    `CategoryEncoding`, "one_hot", "multi_hot" or "count". Texts are hashed in Python, integers in the compiled program.

    ArgumentError for sizes below 1, DTypeError for floats, ShapeError for several inputs of different shapes.

    >>> import tarazu as tz
    >>> layer = tz.nn.Hashing(100)
    >>> layer(["red", "blue", "red"]).tolist()
    [40, 34, 40]
    >>> layer(["red", "blue"], [1, 2]).shape
    (2,)
    """

    def __init__(self, num_bins: int, *, salt: int = 0, output_mode: str = "int") -> None:
        self._num_bins = positive_int("num_bins", num_bins)
        self._salt = whole_number(f"salt={salt!r}", salt, least=0, fix="pass a whole number such as 1")
        require_name("output_mode", output_mode, ("int", *ENCODINGS))
        self._output_mode = output_mode

    def prepare_inputs(self, x: Texts) -> Texts:
        """Texts as numbers by a hash of 62 bits, which the compiled program hashes again; anything else as it is.

        >>> import tarazu as tz
        >>> tz.nn.Hashing(10).prepare_inputs([3, 4])
        [3, 4]
        """
        return _text_hashes(x) if begins_with_text(x) else x

    def forward(self, *inputs: Texts) -> Tensor:
        columns = [as_value(self.prepare_inputs(x)) for x in inputs]
        for x in columns:
            if not x.dtype.is_integer:
                raise DTypeError(f"an input of {x.dtype}", expected="texts or integers",
                                 fix="put numbers into bins first: tz.nn.Discretization")
            if x.shape != columns[0].shape:
                raise ShapeError(f"inputs of shapes {columns[0].shape} and {x.shape}", expected="the same shape in all",
                                 fix="repeat the shorter one")
        h = as_value(np.uint32(self._salt % 2**32))
        for x in columns:
            for half in (x, bitwise_right_shift(astype(x, "int64"), 32)):
                h = _mixed(bitwise_xor(_mixed(h), astype(half, "uint32")))
        numbers = astype(remainder(h, self._num_bins), "int64")
        return numbers if self._output_mode == "int" else encoded(numbers, self._num_bins, self._output_mode)


def _mixed(h: Tensor) -> Tensor:
    """A bijection of 32 bits in which each bit depends on all (Wellons, "lowbias32", 2018)."""
    h = multiply(bitwise_xor(h, bitwise_right_shift(h, 16)), 0x7FEB352D)
    h = multiply(bitwise_xor(h, bitwise_right_shift(h, 15)), 0x846CA68B)
    return bitwise_xor(h, bitwise_right_shift(h, 16))


def _text_hashes(x: Texts) -> Tensor:
    texts = text_array(x)
    assert texts is not None
    return asarray(np.array([text_hash(text) for text in texts.flat], np.int64).reshape(texts.shape))


def text_hash(text: str) -> int:
    """A hash of 62 bits, the same in every run."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 2
