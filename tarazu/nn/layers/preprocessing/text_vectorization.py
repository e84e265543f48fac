"""Texts as numbers, by a vocabulary that the model keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError, DTypeError, OutOfRangeError, ShapeError
from tarazu.nn.layers.preprocessing.batches import Texts, begins_with_text, text_array, texts_in
from tarazu.nn.layers.preprocessing.options import keep_vocabulary, require_name
from tarazu.nn.layers.preprocessing.splitting import SPLITTINGS, STANDARDIZE
from tarazu.nn.module.module import Module
from tarazu.ops.typing import ArrayLike
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor

OUTPUT_MODES = ("int", "multi_hot", "count")


class TextVectorization(Module):
    """Texts to numbers, by a vocabulary that `adapt` learns from training texts; saved with the model.

    A list or array of texts becomes integers (rows, length), padded with 0 at the end, one text (length,). `length` is
    `output_sequence_length`, to which longer texts are cut, or else that of the longest text. `output_mode="multi_hot"`
    gives 1 for each token that a text has, "count" how often, (rows, tokens) in float32: column j is token j + 1, as
    padding has none. Numbers pass unchanged, so that a model that begins with this layer takes texts as well as what
    the layer made of them: `fit`, `evaluate` and `predict` turn texts into numbers before the compiled program.

    `split`: "words" at white space, "characters", "bytes" of UTF-8 (nothing to learn), or "bpe", byte-pair encoding
    (Sennrich, Haddow and Birch, 2016) by the package tokenizers. With words and characters 1 is any token that is
    unknown. `standardize` comes before: "lower_and_strip_punctuation" (usual for words), "lower", "strip_punctuation",
    or None (usual for the rest). `max_tokens` is the largest number of tokens, padding and unknown ones included; the
    most frequent stay. `vocabulary` replaces `adapt`: a list of tokens, or the path of a file with one per line; for
    "bpe" the path of a tokenizer.json, or its text.

    ArgumentError for options out of range, for a call before `adapt`, and where tokenizers is not installed; DTypeError
    for what is neither text nor numbers, ShapeError for texts in several columns.

    >>> import tarazu as tz
    >>> layer = tz.nn.TextVectorization().adapt(["the cat sat", "The cat!"])
    >>> layer(["the cat", "a cat sat there"])
    Tensor([[3, 2, 0, 0],
            [1, 2, 4, 1]], dtype=int64)
    >>> layer.get_vocabulary()
    ['', '[UNK]', 'cat', 'the', 'sat']
    """

    def __init__(self, max_tokens: int | None = None, *, split: str = "words", standardize: str | None = "auto",
                 output_mode: str = "int", output_sequence_length: int | None = None,
                 vocabulary: Sequence[str] | str | None = None) -> None:
        require_name("split", split, [*SPLITTINGS])
        splitting = SPLITTINGS[split]
        if standardize != "auto":
            require_name("standardize", standardize, [*STANDARDIZE])
        require_name("output_mode", output_mode, OUTPUT_MODES)
        if max_tokens is not None and positive_int("max_tokens", max_tokens) < splitting.least_tokens:
            raise ArgumentError(f'max_tokens={max_tokens} with split="{split}"',
                                expected=f"at least {splitting.least_tokens}", fix="leave it out for no limit")
        if output_sequence_length is not None:
            positive_int("output_sequence_length", output_sequence_length)
        self._max_tokens, self._split, self._output_mode = max_tokens, split, output_mode
        self._standardize = splitting.standardize if standardize == "auto" else standardize
        self._length = output_sequence_length
        self._learned: str | None = "" if split == "bytes" else None
        if vocabulary is not None:
            self._keep(splitting.given(vocabulary))

    def adapt(self, texts: Texts) -> Self:
        """Learn the vocabulary from training texts; gives the layer itself. What was there before is replaced.

        `texts` may be a list, an array, a column of a frame, or any iterable of texts or of batches of them, such as a
        file. DataError for what is no text.

        >>> import tarazu as tz
        >>> tz.nn.TextVectorization(split="characters").adapt(["abba"]).get_vocabulary()
        ['', '[UNK]', 'a', 'b']
        """
        change = STANDARDIZE[self._standardize]
        self._keep(SPLITTINGS[self._split].learn(map(change, texts_in(texts)), self._max_tokens))
        return self

    def _keep(self, learned: str) -> None:
        self._learned = learned
        vocabulary = SPLITTINGS[self._split].vocabulary(learned)
        if vocabulary is not None:
            keep_vocabulary(self, TextVectorization, vocabulary)

    def _known(self) -> str:
        if self._learned is None:
            raise ArgumentError("TextVectorization has no vocabulary", expected="one that it learned or was given",
                                fix="call layer.adapt(texts) first, or pass vocabulary=[...]")
        return self._learned

    def get_vocabulary(self) -> list[str]:
        """The token of each number, from 0 on; with "multi_hot" and "count" of each column. ArgumentError before
        `adapt`.

        >>> import tarazu as tz
        >>> tz.nn.TextVectorization(vocabulary=["cat"], output_mode="count").get_vocabulary()
        ['[UNK]', 'cat']
        """
        tokens = SPLITTINGS[self._split].tokens(self._known())
        return tokens if self._output_mode == "int" else tokens[1:]

    @property
    def vocabulary_size(self) -> int:
        """How many numbers or columns there are: what `Embedding` needs to know. ArgumentError before `adapt`.

        >>> import tarazu as tz
        >>> tz.nn.TextVectorization(split="bytes").vocabulary_size
        257
        """
        return len(self.get_vocabulary())

    def decode(self, numbers: ArrayLike) -> list[str] | str:
        """The texts of integers (rows, length), or the text of integers (length,), without the padding.

        Words come back as they were standardized. ArgumentError for a layer that does not give integers, DTypeError and
        OutOfRangeError for numbers that are none of its own.

        >>> import tarazu as tz
        >>> layer = tz.nn.TextVectorization(split="bytes")
        >>> layer.decode(layer(["Größe", "π"]))
        ['Größe', 'π']
        """
        if self._output_mode != "int":
            raise ArgumentError(f'decode with output_mode="{self._output_mode}"', expected="integers in their order",
                                fix='use a layer with output_mode="int"')
        array = np.asarray(numbers)
        if array.dtype.kind not in "iu":
            raise DTypeError(f"decode of {array.dtype}", expected="integers, as the layer gives them",
                             fix="of scores take the largest first: scores.argmax(-1)")
        size = self.vocabulary_size
        wrong = array[(array < 0) | (array >= size)]
        if wrong.size:
            raise OutOfRangeError(f"number {wrong[0]} for {size} tokens", expected=f"numbers from 0 to {size - 1}",
                                  fix="decode numbers of the layer that made them")
        rows = [SPLITTINGS[self._split].text(self._known(), row[row != 0].tolist()) for row in np.atleast_2d(array)]
        return rows if array.ndim > 1 else rows[0]

    def prepare_inputs(self, x: Texts) -> Texts:
        """Texts as numbers, anything else as it is: what `fit`, `evaluate` and `predict` do first.

        >>> import tarazu as tz
        >>> tz.nn.TextVectorization(split="bytes").prepare_inputs(["A"])
        Tensor([[66]], dtype=int64)
        """
        return self(x) if begins_with_text(x) else x

    def forward(self, texts: Texts) -> Tensor:
        array = text_array(texts)
        if array is None:
            return texts if isinstance(texts, Tensor) else asarray(texts)
        if array.ndim > 1 and array.size != len(array):
            raise ShapeError(f"texts of shape {array.shape}", expected="one text in each row: (rows,)",
                             fix="use a layer for each column")
        change = STANDARDIZE[self._standardize]
        rows = SPLITTINGS[self._split].numbers(self._known(), [change(text) for text in array.reshape(-1).tolist()])
        result = self._padded(rows) if self._output_mode == "int" else self._counted(rows)
        return asarray(result if array.ndim else result[0])

    def _padded(self, rows: list[list[int]]) -> np.ndarray:
        length = max(map(len, rows), default=0) if self._length is None else self._length
        result = np.zeros((len(rows), length), np.int64)
        for i, row in enumerate(rows):
            result[i, :len(row)] = row[:length]
        return result

    def _counted(self, rows: list[list[int]]) -> np.ndarray:
        result = np.zeros((len(rows), self.vocabulary_size), np.float32)
        for i, row in enumerate(rows):
            np.add.at(result[i], np.asarray(row, np.int64) - 1, 1)
        return result if self._output_mode == "count" else np.minimum(result, 1)
