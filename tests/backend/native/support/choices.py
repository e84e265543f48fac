"""Where random decisions come from: a seed, or hypothesis, which then can shrink what was decided."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st


class Choices:
    """Decisions by whole numbers below a limit; 0 is the simplest, towards which hypothesis shrinks."""

    def __init__(self, below: Callable[[int], int]) -> None:
        self.below = below

    def between(self, low: int, high: int) -> int:
        return low + self.below(high - low + 1)

    def chance(self, percent: int) -> bool:
        return self.below(100) >= 100 - percent

    def one_of(self, options: Sequence[Any]) -> Any:
        return options[self.below(len(options))]

    def weighted(self, options: dict[Any, int]) -> Any:
        place = self.below(sum(options.values()))
        for option, weight in options.items():
            place -= weight
            if place < 0:
                return option
        raise AssertionError("weights are positive")

    def some_of(self, options: Sequence[Any], at_least: int = 0) -> list[Any]:
        """A subset in its order."""
        found = [option for option in options if self.chance(50)]
        return found if len(found) >= at_least else list(options[:at_least])

    def shuffled(self, options: Sequence[Any]) -> list[Any]:
        rest, found = list(options), []
        while rest:
            found.append(rest.pop(self.below(len(rest))))
        return found


def from_seed(seed: int) -> Choices:
    return Choices(random.Random(seed).randrange)


def from_hypothesis(draw: Callable[[Any], int]) -> Choices:
    return Choices(lambda limit: draw(st.integers(0, limit - 1)))
