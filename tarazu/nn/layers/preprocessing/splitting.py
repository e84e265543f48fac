"""From texts to numbers and back: by words, characters, bytes, or parts of words that byte-pair encoding has learned.

0 is padding. What is learned is one text of JSON, so that a saved model can hold it. Every way to split has `learn`,
`given`, `vocabulary`, `numbers`, `text` and `tokens`.
"""

from __future__ import annotations

import functools
import json
import re
import string
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

from tarazu.base.errors import ArgumentError, FileFormatError
from tarazu.base.extras import require

PADDING, UNKNOWN = "", "[UNK]"
_PUNCTUATION = re.compile(f"[{re.escape(string.punctuation)}‘’‚‛“”„‟«»‹›…–—¡¿、。]")


def strip_punctuation(text: str) -> str:
    """The text without its punctuation marks."""
    return _PUNCTUATION.sub("", text)


STANDARDIZE: dict[str | None, Callable[[str], str]] = {
    "lower_and_strip_punctuation": lambda text: strip_punctuation(text).lower(), "lower": str.lower,
    "strip_punctuation": strip_punctuation, None: str}


class Splitting(Protocol):
    """A way from texts to numbers; `learned` is what `learn` gave."""

    standardize: str | None  # what is done to texts before, unless the caller says otherwise
    least_tokens: int

    def learn(self, texts: Iterable[str], max_tokens: int | None) -> str:
        """What there is to know of the training texts."""

    def given(self, vocabulary: Sequence[str] | str) -> str:
        """The same from a vocabulary that the caller has."""

    def vocabulary(self, learned: str) -> Sequence[str] | str | None:
        """From which `given` makes it again; None where there is none."""

    def numbers(self, learned: str, texts: Sequence[str]) -> list[list[int]]:
        """The numbers of each text."""

    def text(self, learned: str, numbers: Sequence[int]) -> str:
        """The text that has these numbers, of which none is padding."""

    def tokens(self, learned: str) -> list[str]:
        """The token of each number from 0 on."""


class ByVocabulary:
    """By a list of tokens: 0 is padding, 1 any token that is not in it, the others follow from the most frequent on.

    Of equally frequent ones the first in the alphabet comes first.
    """

    least_tokens = 3  # beside padding and unknown ones

    def __init__(self, split: Callable[[str], list[str]], between: str, standardize: str | None) -> None:
        self._split, self._between, self.standardize = split, between, standardize

    def learn(self, texts: Iterable[str], max_tokens: int | None) -> str:
        counts = Counter(token for text in texts for token in self._split(text))
        most = None if max_tokens is None else max_tokens - 2
        return json.dumps(most_frequent(counts, most), ensure_ascii=False)

    def given(self, vocabulary: Sequence[str] | str) -> str:
        return json.dumps(checked_vocabulary(vocabulary), ensure_ascii=False)

    def vocabulary(self, learned: str) -> list[str]:
        tokens: list[str] = json.loads(learned)
        return tokens

    def numbers(self, learned: str, texts: Sequence[str]) -> list[list[int]]:
        known = numbers_of(learned)
        return [[known.get(token, 1) for token in self._split(text)] for text in texts]

    def text(self, learned: str, numbers: Sequence[int]) -> str:
        tokens = self.tokens(learned)
        return self._between.join([tokens[number] for number in numbers])

    def tokens(self, learned: str) -> list[str]:
        return [PADDING, UNKNOWN, *json.loads(learned)]


def most_frequent(counts: Counter[str], most: int | None) -> list[str]:
    """The tokens from the most frequent on, and where they are equally frequent in order."""
    return sorted(counts, key=lambda token: (-counts[token], token))[:most]


@functools.lru_cache(maxsize=32)
def numbers_of(learned: str) -> dict[str, int]:
    """The number of each token of a learned list, from 2 on."""
    return {token: i for i, token in enumerate(json.loads(learned), 2)}


def checked_vocabulary(vocabulary: Sequence[str] | str) -> list[str]:
    """The tokens, each once, without those for padding and for unknown tokens; a str is the path of a file with a token
    per line. ArgumentError for what is no list of texts and for a token that stands there twice.
    """
    if isinstance(vocabulary, str):
        vocabulary = Path(vocabulary).read_text(encoding="utf-8").splitlines()
    tokens = list(vocabulary)
    wrong = next((token for token in tokens if not isinstance(token, str)), None)
    if wrong is not None:
        raise ArgumentError(f"a vocabulary with {wrong!r}", expected="texts", fix="write each token as a str")
    if tokens[:2] == [PADDING, UNKNOWN]:
        tokens = tokens[2:]
    twice = [token for token, count in Counter(tokens).items() if count > 1]
    if twice:
        raise ArgumentError(f"a vocabulary that has {twice[0]!r} more than once", expected="each token once",
                            fix="drop the others: list(dict.fromkeys(tokens))")
    return tokens


class ByBytes:
    """By the bytes of UTF-8: each plus 1. There is nothing to learn, and no text that has no numbers."""

    standardize: str | None = None
    least_tokens = 257

    def learn(self, texts: Iterable[str], max_tokens: int | None) -> str:
        return ""

    def given(self, vocabulary: Sequence[str] | str) -> str:
        raise ArgumentError('a vocabulary for split="bytes"', expected="none: bytes are the numbers",
                            fix='leave it out, or split by "words" or "characters"')

    def vocabulary(self, learned: str) -> None:
        return None

    def numbers(self, learned: str, texts: Sequence[str]) -> list[list[int]]:
        return [[byte + 1 for byte in text.encode("utf-8", "surrogatepass")] for text in texts]

    def text(self, learned: str, numbers: Sequence[int]) -> str:
        return bytes([number - 1 for number in numbers]).decode("utf-8", "replace")

    def tokens(self, learned: str) -> list[str]:
        return [PADDING, *[f"<0x{byte:02X}>" for byte in range(256)]]


class ByPairs:
    """By byte-pair encoding (Sennrich, Haddow and Birch, 2016) of bytes: the ids of `tokenizers`, each plus 1."""

    standardize: str | None = None
    least_tokens = 257  # padding, and the bytes, of which all texts can be made

    def learn(self, texts: Iterable[str], max_tokens: int | None) -> str:
        package = _tokenizers()
        alphabet = package.pre_tokenizers.ByteLevel
        tokenizer = package.Tokenizer(package.models.BPE())
        tokenizer.pre_tokenizer = alphabet(add_prefix_space=False)
        tokenizer.decoder = package.decoders.ByteLevel()
        trainer = package.trainers.BpeTrainer(vocab_size=(max_tokens or 30_000) - 1, show_progress=False,
                                              initial_alphabet=alphabet.alphabet(), special_tokens=[])
        tokenizer.train_from_iterator(texts, trainer)
        return str(tokenizer.to_str())

    def given(self, vocabulary: Sequence[str] | str) -> str:
        if not isinstance(vocabulary, str):
            raise ArgumentError('a list as vocabulary for split="bpe"', expected="the path of a tokenizer.json",
                                fix="adapt(texts) learns one; tokenizers.Tokenizer.save writes one")
        kind = _tokenizers().Tokenizer
        try:
            return str((kind.from_str if vocabulary.startswith("{") else kind.from_file)(vocabulary).to_str())
        except Exception as error:  # tokenizers raises nothing more special
            raise FileFormatError(f"not a tokenizer: {error}", path=vocabulary, expected="a tokenizer.json",
                                  fix="write it by tokenizer.save(path) of the package tokenizers") from None

    def vocabulary(self, learned: str) -> str:
        return learned

    def numbers(self, learned: str, texts: Sequence[str]) -> list[list[int]]:
        encoded = _tokenizer(learned).encode_batch(list(texts), add_special_tokens=False)
        return [[number + 1 for number in one.ids] for one in encoded]

    def text(self, learned: str, numbers: Sequence[int]) -> str:
        return str(_tokenizer(learned).decode([number - 1 for number in numbers]))

    def tokens(self, learned: str) -> list[str]:
        numbers = _tokenizer(learned).get_vocab()
        return [PADDING, *sorted(numbers, key=numbers.__getitem__)]


def _tokenizers() -> Any:
    """The package, whose modules have no types."""
    return require("tokenizers", 'split="bpe"', "text")


@functools.lru_cache(maxsize=8)
def _tokenizer(learned: str) -> Any:
    return _tokenizers().Tokenizer.from_str(learned)


SPLITTINGS: dict[str, Splitting] = {
    "words": ByVocabulary(str.split, " ", "lower_and_strip_punctuation"), "characters": ByVocabulary(list, "", None),
    "bytes": ByBytes(), "bpe": ByPairs()}
