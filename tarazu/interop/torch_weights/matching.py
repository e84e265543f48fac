"""Which layer of a state is which of a model: by equal names, else by position and shape."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from tarazu.interop.torch_weights.kinds import Variant
from tarazu.interop.torch_weights.slots import Slot, renamed
from tarazu.interop.torch_weights.units import Unit

Pairs: TypeAlias = "dict[int, int]"  # the number of a unit for that of a slot


@dataclass(frozen=True)
class Match:
    """A layer of the model, that of the state, the variant that says how, and what told them."""

    slot: Slot
    unit: Unit
    variant: Variant
    by: str


@dataclass(frozen=True)
class Matching:
    """The matches in the order of the model, and what is left over on both sides."""

    matches: tuple[Match, ...]
    slots: tuple[Slot, ...]
    units: tuple[Unit, ...]
    is_ambiguous: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left over."""
        return not (self.slots or self.units)


class Matcher:
    """Slots and units, and which of them fit by the names and shapes of their tensors."""

    def __init__(self, slots: Sequence[Slot], units: Sequence[Unit], arrays: Mapping[str, np.ndarray],
                 names: Mapping[str, str]) -> None:
        self.slots, self.units, self.names = slots, units, names
        self.renamed = {i for i, slot in enumerate(slots) if renamed(slot.path, names) != slot.path}
        self._shapes = [unit.shapes(arrays) for unit in units]
        self._known: dict[tuple[int, int], bool] = {}

    def fits(self, i: int, j: int) -> bool:
        """Whether slot `i` may be unit `j`."""
        if (i, j) not in self._known:
            self._known[i, j] = any(self.slots[i].fits(variant, self._shapes[j]) for variant in self.slots[i].variants)
        return self._known[i, j]

    def fitting(self, i: int, j: int) -> list[Variant]:
        """The variants in which slot `i` is unit `j`."""
        return self.slots[i].fitting(self._shapes[j])


def match(matcher: Matcher, *, tells_order: bool, strict: bool) -> Matching:
    """All by names; else all by position; else what is told by names, and of the rest what position and shape tell.

    Layers that the user has given names are matched by these alone. Where a part will do (not `strict`) and names tell
    most of it, shapes add nothing: a head of another task may happen to have the size of the new one.
    """
    named = _by_names(matcher)
    if len(named) == len(matcher.slots):
        return _matching(matcher, named, {})
    fixed = {i: j for i, j in named.items() if i in matcher.renamed}
    told = {i: j for i, j in named.items() if i in fixed or _is_worded(matcher.slots[i].path)}
    if not strict and 2 * len(told) >= len(matcher.slots):
        return _matching(matcher, told, {})
    placed = _by_position(matcher, fixed, tells_order=tells_order)
    if placed is not None:
        return _matching(matcher, fixed, placed)
    placed, is_ambiguous = _by_shape(matcher, told, tells_order=tells_order)
    if len(told) + len(placed) < len(named):
        return _matching(matcher, named, {})
    return _matching(matcher, told, placed, is_ambiguous=is_ambiguous)


def _matching(matcher: Matcher, named: Pairs, placed: Pairs, *, is_ambiguous: bool = False) -> Matching:
    pairs = {**named, **placed}
    found = [(i, pairs[i], matcher.fitting(i, pairs[i])) for i in sorted(pairs)]
    votes = [fitting[0].inputs_first for i, _, fitting in found if len({v.inputs_first for v in fitting}) == 1
             and any(other.inputs_first for other in matcher.slots[i].variants)]
    inputs_first = sum(votes) > len(votes) / 2  # square weights do not tell: those that do decide
    matches = [Match(matcher.slots[i], matcher.units[j],
                     next((v for v in fitting if v.inputs_first is inputs_first), fitting[0]),
                     "names" if i in named else "position and shape") for i, j, fitting in found]
    return Matching(tuple(matches), tuple(x for i, x in enumerate(matcher.slots) if i not in pairs),
                    tuple(x for j, x in enumerate(matcher.units) if j not in pairs.values()), is_ambiguous)


# By names


def _by_names(matcher: Matcher) -> Pairs:
    """Slots whose path, in this or that form, one unit has: as it is, else with parts in front there, else here."""
    by_path, by_ending = defaultdict(list), defaultdict(list)
    for j, unit in enumerate(matcher.units):
        by_path[unit.path].append(j)
        for ending in _endings(unit.path):
            by_ending[ending].append(j)
    found: Pairs = {}
    taken: set[int] = set()
    for table, forms in ((by_path, _itself), (by_ending, _itself), (by_path, _endings)):
        for i, slot in enumerate(matcher.slots):
            paths = [form for path in paths_of(slot, matcher.names) for form in forms(path)] if i not in found else []
            for path in paths:
                free = [j for j in table.get(path, ()) if j not in taken and matcher.fits(i, j)]
                if len(free) == 1:
                    found[i] = free[0]
                    taken.add(free[0])
                    break
    return found


def paths_of(slot: Slot, names: Mapping[str, str]) -> list[str]:
    """The paths under which a state may have a layer: the user's, our own, torch's for this kind of layer."""
    given = renamed(slot.path, names)
    if given != slot.path:
        return [given]
    paths = [slot.path, slot.torch_path, slot.torch_path.partition("#")[0]]
    listed = re.fullmatch(r"(.*)\.(\d+)#l0(_reverse)?", slot.torch_path)  # a list of layers, in torch one of several
    return list(dict.fromkeys([*paths, *([f"{listed[1]}#l{listed[2]}{listed[3] or ''}"] if listed else [])]))


def _itself(path: str) -> list[str]:
    return [path]


def _endings(path: str) -> list[str]:
    """What is left of a path without one or more of its first parts, where that is more than numbers.

    >>> _endings("bert.layer.0")
    ['layer.0']
    """
    parts = path.split(".")
    return [ending for start in range(1, len(parts)) if _is_worded(ending := ".".join(parts[start:]))]


def _is_worded(path: str) -> bool:
    """Whether a path has more than numbers, which say no more than the position."""
    return any(not part.isdigit() for part in path.split("."))


# By position and shape


def _by_position(matcher: Matcher, fixed: Pairs, *, tells_order: bool) -> Pairs | None:
    """Each slot with the unit of its place, where they all fit; None where they do not."""
    slots, units = _rest(matcher, fixed)
    if len(slots) != len(units) or len(fixed) < len(matcher.renamed) or not all(map(matcher.fits, slots, units)):
        return None
    pairs = dict(zip(slots, units, strict=True))
    return pairs if tells_order or not _depend_on_order(matcher, slots, units) else None


def _depend_on_order(matcher: Matcher, slots: list[int], units: list[int]) -> bool:
    """Whether units that are alike are told apart by words, which files sort by the alphabet, and not by numbers."""
    for i in slots:
        patterns = {re.sub(r"\d+", "#", matcher.units[j].path) for j in units if matcher.fits(i, j)}
        if len(patterns) > 1:
            return True
    return False


def _by_shape(matcher: Matcher, told: Pairs, *, tells_order: bool) -> tuple[Pairs, bool]:
    """Slots and units that fit nothing else; and, where the order is known, the longest common sequence of the rest.

    Also whether there are some that fit but cannot be told from others.
    """
    slots, units = _rest(matcher, told)
    fits = {i: [j for j in units if matcher.fits(i, j)] for i in slots}
    wanted = {j: [i for i in slots if matcher.fits(i, j)] for j in units}
    alone = {i: js[0] for i, js in fits.items() if len(js) == 1 and len(wanted[js[0]]) == 1}
    slots, units = [i for i in slots if i not in alone], [j for j in units if j not in alone.values()]
    pairs = {**alone, **(_common_sequence(matcher, slots, units) if tells_order else {})}
    in_order = [pairs[i] for i in sorted(pairs)]
    if tells_order and in_order == sorted(in_order):
        return pairs, False
    return alone, any(fits[i] for i in slots)


def _rest(matcher: Matcher, pairs: Pairs) -> tuple[list[int], list[int]]:
    taken = set(pairs.values())
    return ([i for i in range(len(matcher.slots)) if i not in pairs and i not in matcher.renamed],
            [j for j in range(len(matcher.units)) if j not in taken])


def _common_sequence(matcher: Matcher, slots: list[int], units: list[int]) -> Pairs:
    """The longest sequence of pairs that fit, in the order of both."""
    longest = [[0] * (len(units) + 1) for _ in range(len(slots) + 1)]
    for a in reversed(range(len(slots))):
        for b in reversed(range(len(units))):
            both = longest[a + 1][b + 1] + 1 if matcher.fits(slots[a], units[b]) else 0
            longest[a][b] = max(both, longest[a + 1][b], longest[a][b + 1])
    pairs, a, b = {}, 0, 0
    while a < len(slots) and b < len(units):
        if matcher.fits(slots[a], units[b]) and longest[a][b] == longest[a + 1][b + 1] + 1:
            pairs[slots[a]] = units[b]
            a, b = a + 1, b + 1
        elif longest[a + 1][b] >= longest[a][b + 1]:
            a += 1
        else:
            b += 1
    return pairs
