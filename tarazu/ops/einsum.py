"""Sums of products in the notation of Einstein: a letter per axis, summed over where the result does not name it."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any, NamedTuple

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ops.contract import dot_general
from tarazu.ops.create import arange
from tarazu.ops.elementwise import multiply
from tarazu.ops.indexing.index import gather
from tarazu.ops.promote import as_number, as_value, promote_all
from tarazu.ops.reduce import sum
from tarazu.ops.shape import permute_dims, reshape
from tarazu.ops.typing import Tensor

# The axes that an ellipsis stands for get names, counted from the right, that are no letters
_ELLIPSIS = "".join(chr(0x2460 + i) for i in range(20))


class _Factor(NamedTuple):
    """A tensor with a letter for each of its axes, each letter once."""

    value: Tensor
    letters: str


def einsum(equation: str, *operands: Any) -> Any:
    """The sum of products that `equation` says, such as "ij,jk->ik" for a matrix product.

    A letter names an axis of each operand that has it; letters that the result does not name are summed over, and one
    that an operand has twice takes its diagonal. `...` stands for axes that broadcast. Without `->` the result has
    the letters that occur once, in alphabetic order. Pairs are contracted one by one, the cheapest first.

    >>> import tarazu as tz
    >>> tz.einsum("ij,ij->i", tz.ones(2, 3), tz.ones(2, 3))
    Tensor([3., 3.], dtype=float32)
    """
    values = [as_number(x) for x in promote_all([as_value(x) for x in operands], "einsum")]
    terms, wanted = _parsed(equation, values)
    sizes = _sizes(equation, terms, values)
    factors = [_squeezed(_diagonal(_Factor(x, term)), sizes) for x, term in zip(values, terms, strict=True)]
    while len(factors) > 1:
        first, second = _cheapest(factors, wanted, sizes)
        left, right = factors[first], factors[second]
        factors = [one for i, one in enumerate(factors) if i not in (first, second)]
        factors.append(_contract(left, right, set(wanted).union(*(one.letters for one in factors))))
    value, letters = _summed(factors[0], set(wanted))
    return permute_dims(value, [letters.index(letter) for letter in wanted])


def _parsed(equation: str, values: list[Tensor]) -> tuple[list[str], str]:
    """The letters of each operand and of the result, with the ellipses written out."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    letters = (left + right).replace("...", "").replace(",", "")
    if len(terms) != len(values) or (letters and not letters.isalpha()):
        raise ArgumentError(f"einsum: {equation!r} for {len(values)} operands",
                            expected="letters for the axes of each operand, with commas between operands",
                            fix='write for example "ij,jk->ik"')
    written = [_written_out(term, len(x.shape), equation) for term, x in zip(terms, values, strict=True)]
    longest = max((term.count(letter) and i + 1 for term in written for i, letter in enumerate(_ELLIPSIS)), default=0)
    dots = _ELLIPSIS[:longest][::-1]
    counts = Counter(letter for term in written for letter in term)
    once = "".join(sorted(letter for letter, count in counts.items() if count == 1 and letter not in _ELLIPSIS))
    wanted = right.replace("...", dots) if arrow else dots + once
    if len(set(wanted)) != len(wanted) or not set(wanted) <= set(counts):
        raise ArgumentError(f"einsum: the result {right!r} of {equation!r}",
                            expected="letters of the operands, each once", fix="name each axis of the result once")
    return written, wanted


def _written_out(term: str, rank: int, equation: str) -> str:
    before, dots, after = term.partition("...")
    missing = rank - len(before) - len(after)
    if missing < 0 or (missing and not dots) or "." in after:
        raise ShapeError(f"einsum: {term!r} in {equation!r} for a tensor with {rank} axes",
                         expected="a letter for each axis, or ... for the rest", fix="check the shapes of the operands")
    return before + _ELLIPSIS[:missing][::-1] + after


def _sizes(equation: str, terms: list[str], values: list[Tensor]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for term, x in zip(terms, values, strict=True):
        for letter, size in zip(term, x.shape, strict=True):
            known = sizes.setdefault(letter, size)
            if known == 1:
                sizes[letter] = size
            elif size not in (known, 1):
                name = letter if letter not in _ELLIPSIS else "..."
                raise ShapeError(f"einsum: sizes {known} and {size} for {name!r} in {equation!r}",
                                 expected="one size for each letter", fix="check the shapes of the operands")
    return sizes


def _diagonal(factor: _Factor) -> _Factor:
    """The diagonal over the axes that share a letter."""
    value, letters = factor
    repeated = next((letter for letter in letters if letters.count(letter) > 1), None)
    if repeated is None:
        return factor
    axes = [i for i, letter in enumerate(letters) if letter == repeated]
    places = arange(max(value.shape[i] for i in axes))
    indexed = {i: places if value.shape[i] > 1 else arange(1) for i in axes}
    return _diagonal(_Factor(gather(value, indexed), repeated + letters.replace(repeated, "")))


def _squeezed(factor: _Factor, sizes: dict[str, int]) -> _Factor:
    """Without the axes of size 1 that broadcast to more."""
    kept = [i for i, letter in enumerate(factor.letters) if factor.value.shape[i] == sizes[letter]]
    shape = [factor.value.shape[i] for i in kept]
    letters = "".join(factor.letters[i] for i in kept)
    return factor if letters == factor.letters else _Factor(reshape(factor.value, shape), letters)


def _cheapest(factors: list[_Factor], wanted: str, sizes: dict[str, int]) -> tuple[int, int]:
    """The pair whose product is the smallest, in elements, against the two that it replaces."""
    def growth(pair: tuple[int, int]) -> int:
        first, second = (set(factors[i].letters) for i in pair)
        others = set(wanted).union(*(one.letters for i, one in enumerate(factors) if i not in pair))
        result = (first | second) & others
        return _count(result, sizes) - _count(first, sizes) - _count(second, sizes)
    return min(((i, j) for j in range(len(factors)) for i in range(j)), key=growth)


def _count(letters: set[str], sizes: dict[str, int]) -> int:
    return math.prod(sizes[letter] for letter in letters)


def _contract(left: _Factor, right: _Factor, needed: set[str]) -> _Factor:
    """The product of two factors, summed over the letters that nobody needs any more."""
    left, right = (_summed(one, needed | set(other.letters)) for one, other in ((left, right), (right, left)))
    shared = [letter for letter in left.letters if letter in right.letters]
    if not shared:
        return _outer(left, right)
    batch = [letter for letter in shared if letter in needed]
    contract = [letter for letter in shared if letter not in needed]
    axes = [tuple(tuple(map(side.letters.index, letters)) for side in (left, right)) for letters in (contract, batch)]
    free = [letter for letter in left.letters + right.letters if letter not in shared]
    return _Factor(dot_general(left.value, right.value, axes[0], axes[1]), "".join([*batch, *free]))  # type: ignore[arg-type]


def _outer(left: _Factor, right: _Factor) -> _Factor:
    spread = reshape(left.value, left.value.shape + (1,) * len(right.letters))
    return _Factor(multiply(spread, right.value), left.letters + right.letters)


def _summed(factor: _Factor, kept: set[str]) -> _Factor:
    axes = [i for i, letter in enumerate(factor.letters) if letter not in kept]
    if not axes:
        return factor
    return _Factor(sum(factor.value, axes, dtype=factor.value.dtype), "".join(c for c in factor.letters if c in kept))
