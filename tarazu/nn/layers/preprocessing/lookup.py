"""Categories, texts or integers, as numbers by a vocabulary, and back."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np

from tarazu.base.checks import positive_int, whole_number
from tarazu.base.errors import ArgumentError, DataError, DTypeError, OutOfRangeError
from tarazu.nn.layers.preprocessing.batches import Texts, begins_with_text, number_batches, text_array, texts_in
from tarazu.nn.layers.preprocessing.categories import ENCODINGS, encoded, text_hash
from tarazu.nn.layers.preprocessing.options import keep_vocabulary, require_name
from tarazu.nn.layers.preprocessing.splitting import UNKNOWN, checked_vocabulary, most_frequent, numbers_of
from tarazu.nn.module.module import Module
from tarazu.ops.elementwise import add, astype, equal, remainder, where
from tarazu.ops.indexing.index import take
from tarazu.ops.indexing.searching import searchsorted
from tarazu.ops.promote import as_value
from tarazu.ops.typing import ArrayLike
from tarazu.runtime.tensor.creation import asarray, tensor
from tarazu.runtime.tensor.tensor import Tensor


class _Lookup(Module):
    """What lookups share: numbers for a mask, for unknown categories, then for the known ones."""

    _has_mask: bool

    def __init__(self, max_tokens: int | None, num_oov_indices: int, invert: bool, output_mode: str) -> None:
        if max_tokens is not None:
            positive_int("max_tokens", max_tokens)
        require_name("output_mode", output_mode, ("int", *ENCODINGS))
        if invert and output_mode != "int":
            raise ArgumentError(f'invert with output_mode="{output_mode}"', expected='output_mode="int"',
                                fix="take the largest of each vector first: x.argmax(-1)")
        self._max_tokens, self._num_oov, self._is_inverse = max_tokens, num_oov_indices, invert
        self._output_mode = output_mode

    @property
    def vocabulary_size(self) -> int:
        """How many numbers there are: what `Embedding` needs to know. ArgumentError before `adapt`."""
        return len(self.get_vocabulary())

    def get_vocabulary(self) -> list[Any]:
        """The category of each number; ArgumentError before `adapt`."""
        raise NotImplementedError

    def _first(self) -> int:
        """The number of the first known category."""
        return int(self._has_mask) + self._num_oov

    def _most(self) -> int | None:
        """How many known categories there may be."""
        return None if self._max_tokens is None else self._max_tokens - self._first()

    def _result(self, numbers: Tensor) -> Tensor:
        if self._output_mode == "int":
            return numbers
        skipped = int(self._has_mask)  # vectors have no column for the mask
        return encoded(numbers - skipped, self.vocabulary_size - skipped, self._output_mode)

    def _not_adapted(self) -> ArgumentError:
        return ArgumentError(f"{type(self).__name__} has no vocabulary", expected="one that it learned or was given",
                             fix="call layer.adapt(x_train) first, or pass vocabulary=[...]")


class StringLookup(_Lookup):
    """Texts, each a category, as numbers by a vocabulary: (...) to integers (...); saved with the model.

    `adapt` learns the vocabulary, the most frequent texts first, or it is given. The first `num_oov_indices` numbers
    are for unknown texts (several by a hash; with 0 they are an error), before them 0 for `mask_token` if there is one.
    `max_tokens` is the largest number of numbers. `invert` goes back from numbers to texts, in nested lists.
    `output_mode` is "int" or, as in `CategoryEncoding`, "one_hot", "multi_hot" or "count". Numbers pass unchanged, so
    that a model that begins with this layer takes texts (outside the compiled program) and numbers.

    ArgumentError for options out of range and a call before `adapt`, DataError for an unknown text where there is no
    number for it, DTypeError for what is neither text nor number.

    >>> import tarazu as tz
    >>> layer = tz.nn.StringLookup().adapt(["cat", "dog", "cat"])
    >>> layer(["dog", "cat", "bird"])
    Tensor([2, 1, 0], dtype=int64)
    >>> tz.nn.StringLookup(vocabulary=["cat", "dog"], invert=True)([2, 1, 0])
    ['dog', 'cat', '[UNK]']
    """

    def __init__(self, max_tokens: int | None = None, *, num_oov_indices: int = 1, mask_token: str | None = None,
                 vocabulary: Sequence[str] | str | None = None, invert: bool = False,
                 output_mode: str = "int") -> None:
        whole_number(f"num_oov_indices={num_oov_indices!r}", num_oov_indices, least=0, fix="leave it out for 1")
        super().__init__(max_tokens, num_oov_indices, invert, output_mode)
        self._mask_token, self._has_mask = mask_token, mask_token is not None
        self._learned: str | None = None
        if vocabulary is not None:
            self._keep(self._own(vocabulary))

    def _keep(self, tokens: list[str]) -> None:
        self._learned = json.dumps(tokens, ensure_ascii=False)
        keep_vocabulary(self, StringLookup, tokens)

    def _own(self, vocabulary: Sequence[str] | str) -> list[str]:
        """The vocabulary without what `get_vocabulary` puts before it."""
        special = [*[self._mask_token] * self._has_mask, *[UNKNOWN] * self._num_oov]
        tokens = vocabulary if isinstance(vocabulary, str) else list(vocabulary)
        return checked_vocabulary(tokens[len(special):] if special and tokens[:len(special)] == special else tokens)

    def adapt(self, texts: Texts) -> Self:
        """Learn the vocabulary from texts in a list, an array, or any iterable of them; gives the layer itself.

        DataError for what is no text.

        >>> import tarazu as tz
        >>> tz.nn.StringLookup(num_oov_indices=0).adapt([["b", "a"], ["a", "c"]]).get_vocabulary()
        ['a', 'b', 'c']
        """
        counts = Counter(texts_in(texts))
        if self._mask_token is not None:
            counts.pop(self._mask_token, None)
        self._keep(most_frequent(counts, self._most()))
        return self

    def get_vocabulary(self) -> list[str]:
        """The text of each number, from 0 on. ArgumentError before `adapt`.

        >>> import tarazu as tz
        >>> tz.nn.StringLookup(vocabulary=["a"], mask_token="").get_vocabulary()
        ['', '[UNK]', 'a']
        """
        if self._learned is None:
            raise self._not_adapted()
        return [*[self._mask_token or ""] * self._has_mask, *[UNKNOWN] * self._num_oov, *json.loads(self._learned)]

    def prepare_inputs(self, x: Texts) -> Texts:
        """Texts as their numbers, anything else as it is: what `fit`, `evaluate` and `predict` do first.

        >>> import tarazu as tz
        >>> tz.nn.StringLookup(vocabulary=["a"]).prepare_inputs(["a"])
        Tensor([1], dtype=int64)
        """
        return self._numbers(x) if begins_with_text(x) and not self._is_inverse else x

    def forward(self, x: Texts) -> Any:
        if self._is_inverse:
            return self._texts(np.asarray(x))
        return self._result(as_value(self.prepare_inputs(x)))

    def _numbers(self, x: Texts) -> Tensor:
        texts = text_array(x)
        assert texts is not None
        if self._learned is None:
            raise self._not_adapted()
        known, shift = numbers_of(self._learned), self._first() - 2
        numbers = [known[text] + shift if text in known else self._unknown(text) for text in texts.flat]
        return asarray(np.array(numbers, np.int64).reshape(texts.shape))

    def _unknown(self, text: str) -> int:
        if text == self._mask_token:
            return 0
        if not self._num_oov:
            raise DataError(f"{text!r} is not in the vocabulary", expected="texts that adapt has seen",
                            fix="leave num_oov_indices out, and unknown texts get a number of their own")
        return int(self._has_mask) + text_hash(text) % self._num_oov

    def _texts(self, numbers: np.ndarray) -> Any:
        tokens = self.get_vocabulary()
        if numbers.dtype.kind not in "iu":
            raise DTypeError(f"an input of {numbers.dtype}", expected="integers, each the number of a text",
                             fix="of scores take the largest first: scores.argmax(-1)")
        wrong = numbers[(numbers < 0) | (numbers >= len(tokens))]
        if wrong.size:
            raise OutOfRangeError(f"number {wrong[0]} for {len(tokens)} texts", expected=f"0 to {len(tokens) - 1}",
                                  fix="pass numbers of a layer with the same vocabulary")
        return np.array(tokens, object)[numbers].tolist()


class IntegerLookup(_Lookup):
    """Integers, each a category, as numbers from 0 on by a vocabulary: (...) to integers (...); saved with the model.

    Options are those of `StringLookup`, with `mask_value` in place of a text; unknown integers have at least one
    number, and are -1 when `invert` goes back. It works inside compiled programs.

    ArgumentError for options out of range and a call before `adapt`, DTypeError for floats, DataError for data to adapt
    to that are none.

    >>> import tarazu as tz
    >>> layer = tz.nn.IntegerLookup().adapt([[10, 20], [20, 1000]])
    >>> layer(tz.tensor([20, 10, 1000, 7]))
    Tensor([1, 2, 3, 0], dtype=int64)
    >>> tz.nn.IntegerLookup(vocabulary=[20, 10, 1000], invert=True)(tz.tensor([2, 0]))
    Tensor([10, -1], dtype=int64)
    """

    def __init__(self, max_tokens: int | None = None, *, num_oov_indices: int = 1, mask_value: int | None = None,
                 vocabulary: Sequence[int] | None = None, invert: bool = False, output_mode: str = "int") -> None:
        super().__init__(max_tokens, positive_int("num_oov_indices", num_oov_indices), invert, output_mode)
        self._mask_value, self._has_mask = mask_value, mask_value is not None
        self.known: Tensor | None = None  # in increasing order
        self.ranks: Tensor | None = None  # of these, their positions in the vocabulary
        self.vocabulary: Tensor | None = None
        if vocabulary is not None:
            self._set(vocabulary)

    def adapt(self, data: ArrayLike | Iterable[ArrayLike]) -> Self:
        """Learn the vocabulary from integers in an array, or in an iterable of batches; gives the layer itself.

        DataError for what holds no integers.

        >>> import tarazu as tz
        >>> tz.nn.IntegerLookup(3).adapt([5, 7, 7, 5, 5, 9]).get_vocabulary()
        [-1, 5, 7]
        """
        counts: Counter[int] = Counter()
        for batch in number_batches(data):
            if (batch != np.floor(batch)).any():
                raise DataError("data to adapt to that are no integers", expected="integers, each a category",
                                fix="put numbers into bins first: tz.nn.Discretization")
            values, often = np.unique(batch.astype(np.int64), return_counts=True)
            counts.update(dict(zip(values.tolist(), often.tolist(), strict=True)))
        if self._mask_value is not None:
            counts.pop(self._mask_value, None)
        self._set(sorted(counts, key=lambda value: (-counts[value], value))[:self._most()])
        return self

    def _set(self, vocabulary: Sequence[int]) -> None:
        array = np.asarray(vocabulary)
        if array.ndim != 1 or (array.size and array.dtype.kind not in "iu") or len(np.unique(array)) < array.size:
            raise ArgumentError(f"vocabulary={vocabulary!r}", expected="integers, each once",
                                fix="drop what stands there twice: list(dict.fromkeys(values))")
        array = array.astype(np.int64)
        order = np.argsort(array)
        self.vocabulary, self.known, self.ranks = tensor(array), tensor(array[order]), tensor(order.astype(np.int64))
        keep_vocabulary(self, IntegerLookup, array.tolist())

    def get_vocabulary(self) -> list[int]:
        """The integer of each number, from 0 on, -1 for unknown ones. ArgumentError before `adapt`.

        >>> import tarazu as tz
        >>> tz.nn.IntegerLookup(vocabulary=[7], mask_value=0).get_vocabulary()
        [0, -1, 7]
        """
        if self.vocabulary is None:
            raise self._not_adapted()
        mask = [] if self._mask_value is None else [self._mask_value]
        values: list[int] = self.vocabulary.tolist()
        return [*mask, *[-1] * self._num_oov, *values]

    def forward(self, x: ArrayLike) -> Tensor:
        values = as_value(x)
        if not values.dtype.is_integer:
            raise DTypeError(f"an input of {values.dtype}", expected="integers", fix="cast it: x.astype(tz.int64)")
        if self.vocabulary is None or self.known is None or self.ranks is None:
            raise self._not_adapted()
        values = astype(values, "int64", copy=False)
        return self._values(values) if self._is_inverse else self._result(self._numbers(values, self.known, self.ranks))

    def _numbers(self, values: Tensor, known: Tensor, ranks: Tensor) -> Tensor:
        numbers = add(remainder(values, self._num_oov), int(self._has_mask))
        if known.shape[0]:
            i = searchsorted(known, values) % known.shape[0]
            numbers = where(equal(take(known, i), values), add(take(ranks, i), self._first()), numbers)
        return numbers if self._mask_value is None else where(equal(values, self._mask_value), 0, numbers)

    def _values(self, numbers: Tensor) -> Tensor:
        return take(asarray(np.array(self.get_vocabulary(), np.int64)), numbers)
