"""Maps and filters of samples, and functions that are called with a tree or with the parts of a tuple."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import itertools
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from tarazu.base.errors import ArgumentError, DataError, TarazuError
from tarazu.data.dataset.execute import Workers, run
from tarazu.data.dataset.stage import Epoch, Item, Stage
from tarazu.data.dataset.tasks import SKIPPED


class Call:
    """A function of the user: a tuple's parts are its arguments if it needs several; it may take `rng`."""

    def __init__(self, function: Callable[..., Any]) -> None:
        if not callable(function):
            raise ArgumentError(f"a map with {function!r}", expected="a function of a sample",
                                fix="pass a function: .map(lambda sample: ...)")
        self.function = function
        self.name = getattr(function, "__name__", type(function).__name__)
        parameters = _parameters(function)
        self.takes_rng = "rng" in parameters
        needed = [p for name, p in parameters.items() if name != "rng" and p.default is p.empty
                  and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        self.arguments = len(needed)

    def __call__(self, item: Item, **options: Any) -> Any:
        if self.arguments > 1 and isinstance(item, tuple) and len(item) == self.arguments:
            return self.function(*item, **options)
        return self.function(item, **options)


def _parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    try:
        return dict(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # some functions written in C have none
        return {}


class SampleStep(Stage):
    """A function that is called for each sample. `base` is the first stage below that is none of this kind."""

    def __init__(self, parent: Stage, call: Call, workers: Workers, seed: int) -> None:
        self.parents, self.call, self.own_workers, self.seed = (parent,), call, workers, seed
        self.depth: int = parent.depth + 1 if isinstance(parent, SampleStep) else 0

    @property
    def base(self) -> Stage:
        parent = self.parents[0]
        return parent.base if isinstance(parent, SampleStep) else parent

    @property
    def has_filter(self) -> bool:
        """Whether some of the samples of `base` are left out."""
        parent = self.parents[0]
        return isinstance(self, Filter) or (isinstance(parent, SampleStep) and parent.has_filter)

    @property
    def length(self) -> int | None:
        return None if self.has_filter else self.base.length

    @property
    def is_indexed(self) -> bool:
        return self.base.is_indexed and not self.has_filter

    @property
    def can_start(self) -> bool:
        return self.base.can_start and not self.has_filter

    def get(self, number: int, epoch: Epoch) -> Item:
        return self.finish(number, self.base.get(number, epoch), epoch)

    def finish(self, number: int, item: Item, epoch: Epoch) -> Item:
        """What the functions up to this one make of a sample of `base`; SKIPPED if one of them filters it out."""
        parent = self.parents[0]
        if isinstance(parent, SampleStep):
            item = parent.finish(number, item, epoch)
        return SKIPPED if item is SKIPPED else self._after(item, self._result(number, item, epoch))

    def _after(self, item: Item, result: Any) -> Item:
        return result

    def _result(self, number: int, item: Item, epoch: Epoch) -> Any:
        options = {"rng": epoch.random(self.seed, number, self.depth)} if self.call.takes_rng else {}
        try:
            return self.call(item, **options)
        except TarazuError:
            raise
        except Exception as error:
            raise DataError(f"{self.call.name} raised {type(error).__name__} for sample {number}: {error}",
                            expected="a function that takes each sample of the dataset",
                            fix="call it alone on that sample; the error above this one says where it fails") from error

    def items(self, epoch: Epoch, start: int = 0) -> Iterator[tuple[int, Item]]:
        self.prepare()
        first = 0 if self.has_filter else start
        base = self.base
        if base.is_indexed:
            numbers = itertools.count(first) if base.length is None else range(first, base.length)
            tasks: Iterator[tuple[int, Item]] = ((number, None) for number in numbers)
            results = run(_Finish(self, epoch, True), tasks, self.workers)
        else:
            results = run(_Finish(self, epoch, False), base.items(epoch, first), self._workers_above_base())
        return itertools.islice(results, start - first, None)

    def _workers_above_base(self) -> Workers:
        parent = self.parents[0]
        above = parent._workers_above_base() if isinstance(parent, SampleStep) else Workers()
        return Workers(*map(max, zip(self.own_workers, above, strict=True)))

    def on_top_of(self: AnyStep, base: Stage) -> AnyStep:
        """These functions over another base."""
        parent = self.parents[0]
        step = copy.copy(self)
        step.parents = (parent.on_top_of(base) if isinstance(parent, SampleStep) else base,)
        return step


AnyStep = TypeVar("AnyStep", bound=SampleStep)


class Map(SampleStep):
    """What a function gives for each sample."""


class Filter(SampleStep):
    """The samples for which a function is true."""

    def _after(self, item: Item, result: Any) -> Item:
        return item if result else SKIPPED


@dataclasses.dataclass(frozen=True)
class _Finish:
    """What workers call for a step: with the number alone where the base is indexed, else with its sample too."""

    step: SampleStep
    epoch: Epoch
    gets: bool

    def __call__(self, number: int, item: Item) -> Item:
        return self.step.get(number, self.epoch) if self.gets else self.step.finish(number, item, self.epoch)
