"""Models of other capacities: hidden layers of other widths, more of them, or what a function of a setting makes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias, TypeGuard, cast

from tarazu.base.errors import ArgumentError
from tarazu.nn.module.module import Module
from tarazu.study.experiment.changes import Change, deeper, hidden_layers, wider
from tarazu.study.experiment.experiment import Build, Experiment

Setting: TypeAlias = float | str  # what a capacity curve is over: a number mostly, or a name
BuildOf: TypeAlias = Callable[[Setting], Module]
WIDTHS = (1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8)  # times the width of hidden layers
DEPTHS = (0, 1, 2, 3)  # hidden layers more
WIDEST = 1 << 20


class Width(NamedTuple):
    """The change of hidden layers to `factor` times their width."""

    factor: float

    def __call__(self, model: Module) -> Module | None:
        return model if self.factor == 1 else wider(model, self.factor, WIDEST)


class Depth(NamedTuple):
    """The change to so many hidden layers `more`, each like the last."""

    more: int

    def __call__(self, model: Module) -> Module | None:
        for _ in range(self.more):
            changed = deeper(model)
            if changed is None:
                return None
            model = changed
        return model


class Capacity(NamedTuple):
    """A setting of the curve, and the experiment and the change that make its fits."""

    setting: Setting
    experiment: Experiment
    change: Change | None


def takes_setting(build: Build | BuildOf) -> TypeGuard[BuildOf]:
    """Whether `build` is a function of a setting: whether it has an argument without a default.

    >>> takes_setting(lambda width: None), takes_setting(lambda: None)
    (True, False)
    """
    if isinstance(build, Module) or not callable(build):
        return False
    parameters = inspect.signature(build).parameters.values()
    return any(parameter.default is parameter.empty and parameter.kind in
               (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD) for parameter in parameters)


def capacities(experiment: Experiment, settings: Sequence[Setting] | None, by: str) -> list[Capacity]:
    """Those of an experiment's own model by widths or depths; ArgumentError where it cannot be changed so.

    Of the default settings those that give no other model than a former one are left out.
    """
    if by not in ("width", "depth"):
        raise ArgumentError(f"by={by!r} with a build that takes no setting", expected='"width" or "depth"',
                            fix="let build take the setting: def build(setting): ...")
    model = experiment.build()
    if not hidden_layers(model):
        raise ArgumentError(f"capacity_curve of {type(model).__name__} without hidden layers that can be changed",
                            expected="a Sequential model with layers that have units or filters",
                            fix="pass settings=[...] and a build that takes one of them: def build(setting): ...")
    made, seen = [], set()
    for setting in settings or (WIDTHS if by == "width" else DEPTHS):
        change = _change(setting, by)
        text = repr(change(experiment.build()) or model)
        if settings or text not in seen:
            seen.add(text)
            made.append(Capacity(setting, experiment, change if text != repr(model) else None))
    return made


def _change(setting: Setting, by: str) -> Change:
    # mypy takes a NamedTuple with __call__ for no function
    if by == "width" and isinstance(setting, int | float) and setting > 0:
        return cast(Change, Width(setting))
    if by == "depth" and isinstance(setting, int) and setting >= 0:
        return cast(Change, Depth(setting))
    expected = "factors above 0" if by == "width" else "whole numbers of hidden layers more, 0 or above"
    raise ArgumentError(f"a setting {setting!r} for {by}", expected=expected,
                        fix="leave them out for the default, or let build take the setting")
