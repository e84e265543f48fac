"""Einstein summation: products of tensors with a letter for each axis, summed over the letters that the result lacks.

The equation is parsed into letters for each operand, repeated letters become diagonals, then the operands are
contracted in pairs, the pair first whose product is the smallest.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import NamedTuple

from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ops.contract import AxisPairs, dot_general
from tarazu.ops.create import arange
from tarazu.ops.elementwise import multiply
from tarazu.ops.indexing.index import gather
from tarazu.ops.promote import as_number, as_value, promote_all
from tarazu.ops.reduce import sum
from tarazu.ops.shape import permute_dims, reshape
from tarazu.ops.typing import ArrayLike, Tensor

# Names of the axes that an ellipsis stands for, counted from the right: characters that are no letters
_ELLIPSIS = "".join(chr(0x2460 + i) for i in range(20))


class _Factor(NamedTuple):
    """A tensor with a letter for each of its axes, each letter once."""

    value: Tensor
    letters: str


def einsum(equation: str, *operands: ArrayLike) -> Tensor:
    """The sum of products that `equation` says, such as "ij,jk->ik" for a matrix product.

    A letter names an axis of each operand that has it; letters that the result does not name are summed over, and one
    that an operand has twice takes its diagonal. `...` stands for axes that broadcast. Without `->` the result has
    the letters that occur once, in alphabetic order. The operands are contracted in pairs, the pair first whose product
    is the smallest. ArgumentError for an equation that does not fit the number of operands or names a result axis that
    they lack, ShapeError for letters that do not fit the axes or their sizes.

    >>> import tarazu as tz
    >>> tz.einsum("ij,jk->ik", tz.tensor([[1, 2], [3, 4]]), tz.tensor([[0, 1], [1, 0]]))
    Tensor([[2, 1],
            [4, 3]], dtype=int64)
    >>> tz.einsum("ii", tz.tensor([[1, 2], [3, 4]]))
    Tensor(5, dtype=int64)
    """
    values = [as_number(x) for x in promote_all([as_value(x) for x in operands], "einsum")]
    terms, result = _parsed(equation, values)
    sizes = _sizes(equation, terms, values)
    factors = [_squeezed(_diagonal(_Factor(x, term)), sizes) for x, term in zip(values, terms, strict=True)]
    while len(factors) > 1:
        first, second = _cheapest(factors, result, sizes)
        left, right = factors[first], factors[second]
        factors = [one for i, one in enumerate(factors) if i not in (first, second)]
        factors.append(_contract(left, right, set(result).union(*(one.letters for one in factors))))
    value, letters = _summed(factors[0], set(result))
    return permute_dims(value, [letters.index(letter) for letter in result])


def _parsed(equation: str, values: list[Tensor]) -> tuple[list[str], str]:
    """The letters of each operand and of the result, with letters in place of each ellipsis."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    letters = (left + right).replace("...", "").replace(",", "")
    if len(terms) != len(values) or (letters and not letters.isalpha()):
        raise ArgumentError(f"einsum: {equation!r} for {len(values)} operands",
                            expected="letters for the axes of each operand, with commas between operands",
                            fix='write for example "ij,jk->ik"')
    expanded = [_expanded(term, len(x.shape), equation) for term, x in zip(terms, values, strict=True)]
    longest = max((term.count(letter) and i + 1 for term in expanded for i, letter in enumerate(_ELLIPSIS)), default=0)
    dots = _ELLIPSIS[:longest][::-1]
    counts = Counter(letter for term in expanded for letter in term)
    once = "".join(sorted(letter for letter, count in counts.items() if count == 1 and letter not in _ELLIPSIS))
    result = right.replace("...", dots) if arrow else dots + once
    if len(set(result)) != len(result) or not set(result) <= set(counts):
        raise ArgumentError(f"einsum: the result {right!r} of {equation!r}",
                            expected="letters of the operands, each once", fix="name each axis of the result once")
    return expanded, result


def _expanded(term: str, rank: int, equation: str) -> str:
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
    positions = arange(max(value.shape[i] for i in axes))
    indices = {i: positions if value.shape[i] > 1 else arange(1) for i in axes}
    return _diagonal(_Factor(gather(value, indices), repeated + letters.replace(repeated, "")))


def _squeezed(factor: _Factor, sizes: dict[str, int]) -> _Factor:
    """Without the axes of size 1 that broadcast to more."""
    kept = [i for i, letter in enumerate(factor.letters) if factor.value.shape[i] == sizes[letter]]
    shape = [factor.value.shape[i] for i in kept]
    letters = "".join(factor.letters[i] for i in kept)
    return factor if letters == factor.letters else _Factor(reshape(factor.value, shape), letters)


def _cheapest(factors: list[_Factor], result: str, sizes: dict[str, int]) -> tuple[int, int]:
    """The pair whose product has the fewest elements, less those of the two factors that it replaces."""
    def growth(pair: tuple[int, int]) -> int:
        first, second = (set(factors[i].letters) for i in pair)
        others = set(result).union(*(one.letters for i, one in enumerate(factors) if i not in pair))
        product = (first | second) & others
        return _count(product, sizes) - _count(first, sizes) - _count(second, sizes)
    return min(((i, j) for j in range(len(factors)) for i in range(j)), key=growth)


def _count(letters: set[str], sizes: dict[str, int]) -> int:
    return math.prod(sizes[letter] for letter in letters)


def _contract(left: _Factor, right: _Factor, needed: set[str]) -> _Factor:
    """The product of two factors, summed over the letters that neither the result nor another factor has."""
    left, right = (_summed(one, needed | set(other.letters)) for one, other in ((left, right), (right, left)))
    shared = [letter for letter in left.letters if letter in right.letters]
    if not shared:
        return _outer(left, right)
    batch = [letter for letter in shared if letter in needed]
    contract = [letter for letter in shared if letter not in needed]
    free = [letter for letter in left.letters + right.letters if letter not in shared]
    product = dot_general(left.value, right.value, _axes(left, right, contract), _axes(left, right, batch))
    return _Factor(product, "".join([*batch, *free]))


def _axes(left: _Factor, right: _Factor, letters: list[str]) -> AxisPairs:
    """The axes that the letters name in both factors."""
    return tuple(map(left.letters.index, letters)), tuple(map(right.letters.index, letters))


def _outer(left: _Factor, right: _Factor) -> _Factor:
    column = reshape(left.value, left.value.shape + (1,) * len(right.letters))
    return _Factor(multiply(column, right.value), left.letters + right.letters)


def _summed(factor: _Factor, kept: set[str]) -> _Factor:
    axes = [i for i, letter in enumerate(factor.letters) if letter not in kept]
    if not axes:
        return factor
    return _Factor(sum(factor.value, axes, dtype=factor.value.dtype), "".join(c for c in factor.letters if c in kept))
