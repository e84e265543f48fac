"""Groups of parameters, which have options of their own: by patterns of their paths, or in dicts as torch has them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias, TypeVar

from tarazu.base.errors import ArgumentError
from tarazu.base.spelling import did_you_mean
from tarazu.base.state_dicts import by_patterns
from tarazu.optim.schedules.epochs import Schedule
from tarazu.optim.transformations import Transformation, hyper_parameter
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.attributes import GuardedAttributes

Chain: TypeAlias = Sequence[Transformation] | Callable[..., Sequence[Transformation]]
GroupOptions: TypeAlias = Mapping[str, object]  # "lr", "lr_factor", and what the optimizer's chain is made from
Named: TypeAlias = tuple[str, Tensor]
Params: TypeAlias = Iterable[Tensor] | Iterable[Named] | Iterable[Mapping[str, object]]
Value = TypeVar("Value")


@dataclass
class Given:
    """A parameter as it was given: with its path and with options, where there were any."""

    parameter: Tensor
    path: str = ""
    options: dict[str, object] = field(default_factory=dict)


class Group(GuardedAttributes):
    """Parameters that move alike: by one chain, at a rate that is `lr_factor` times the optimizer's or a schedule's.

    `optimizer.groups` has them. ArgumentError for a factor below 0.

    >>> import tarazu as tz
    >>> w, b = tz.ones(2, requires_grad=True), tz.ones(1, requires_grad=True)
    >>> optimizer = tz.optim.SGD([{"params": [w]}, {"params": [b], "lr": 0.1}], lr=0.5)
    >>> optimizer.groups[1].lr_factor
    Tensor(0.2, dtype=float32)
    """

    def __init__(self, chain: Sequence[Transformation], lr_factor: float = 1.0,
                 schedule: Schedule | None = None) -> None:
        self.chain = tuple(chain)
        self.lr_factor = hyper_parameter("lr_factor", lr_factor, example=0.1)
        self.schedule = schedule

    def __repr__(self) -> str:
        parts = ", ".join(type(part).__name__ for part in self.chain)
        rate = "own schedule" if self.schedule else f"lr_factor={float(self.lr_factor):g}"
        return f"Group({rate}, chain=[{parts}])"


def read_parameters(params: Params) -> list[Given]:
    """The parameters that tensors, pairs (path, tensor) or dicts with "params" hold, each once; ArgumentError else."""
    if isinstance(params, Tensor | Mapping) or not isinstance(params, Iterable):
        what = "a tensor" if isinstance(params, Tensor) else "a dict" if isinstance(params, Mapping) else repr(params)
        raise ArgumentError(f"{what} as the parameters", expected="a list of tensors",
                            fix="pass model.parameters() or [w, b]; a learning rate goes by name: lr=0.01")
    given = [one for item in params for one in _read(item)]
    if not given:
        raise ArgumentError("an optimizer without parameters", expected="at least one tensor",
                            fix="pass model.parameters() of a model that has layers with weights")
    return list({id(one.parameter): one for one in reversed(given)}.values())[::-1]


def _read(item: object) -> list[Given]:
    if isinstance(item, Mapping):
        if "params" not in item:
            raise ArgumentError(f"a group of parameters with the keys {', '.join(map(str, item))}",
                                expected='a dict with "params"', fix='write {"params": model.parameters(), "lr": 0.01}')
        inner = item["params"]
        options = {name: value for name, value in item.items() if name != "params"}
        members = read_parameters([inner] if isinstance(inner, Tensor) else inner)
        return [Given(one.parameter, one.path, options) for one in members]
    path, parameter = item if isinstance(item, tuple) and len(item) == 2 else ("", item)
    if not isinstance(parameter, Tensor) or not parameter.dtype.is_float:
        what = f"tensor of {parameter.dtype}" if isinstance(parameter, Tensor) else type(parameter).__name__
        raise ArgumentError(f"a {what} as parameter", expected="float tensors",
                            fix="pass model.parameters(), or a list of tensors with requires_grad=True")
    return [Given(parameter, str(path))]


def of_parameters(what: str, rules: Mapping[str, Value], paths: Sequence[str]) -> list[list[Value]]:
    """`by_patterns` for the paths of parameters.

    ArgumentError where paths are not known, and for a pattern that nothing matches.
    """
    if rules and not all(paths):
        raise ArgumentError(f"{what} by patterns of paths, and parameters without paths",
                            expected="parameters with their paths in the model",
                            fix="pass model.named_parameters() in place of model.parameters(), or leave them out and "
                                "give the optimizer to model.compile")
    return by_patterns(rules, paths, what)


def require_mapping(what: str, rules: object, example: str) -> None:
    """ArgumentError unless `rules` is a dict by text."""
    if not isinstance(rules, Mapping) or not all(isinstance(pattern, str) for pattern in rules):
        raise ArgumentError(f"{what}={rules!r}", expected="a dict by patterns of paths", fix=f"for example {example}")


def merged(options: Sequence[GroupOptions]) -> dict[str, object]:
    """All options together; where several give one, the first does."""
    return {name: value for one in reversed(options) for name, value in one.items()}


def with_factor(options: GroupOptions, rate: float | None) -> GroupOptions:
    """The options with a number as "lr" turned into "lr_factor"; `rate` is the optimizer's, None for a schedule.

    ArgumentError unless they are a dict, for a rate below 0, and where it is no multiple of the optimizer's.
    """
    if not isinstance(options, Mapping):
        raise ArgumentError(f"{options!r} as the options of a group", expected="a dict",
                            fix='for example {"weight_decay": 0}')
    if options.get("lr") is None or callable(options["lr"]):
        return options
    own = float(hyper_parameter("lr", options["lr"], example=0.001))
    if not rate:
        of = "a schedule" if rate is None else "the learning rate 0"
        raise ArgumentError(f"a group with lr={own:g} of an optimizer with {of}",
                            expected="a multiple of it, or a schedule of the group's own",
                            fix='write for example {"lr_factor": 0.1}')
    return {**{name: value for name, value in options.items() if name != "lr"}, "lr_factor": own / rate}


def make_group(options: GroupOptions, front: Sequence[Transformation],
               makes_chain: Callable[..., Sequence[Transformation]] | None, base: Sequence[Transformation]) -> Group:
    """The group of the options: `front` and the parts that they make, or without any for these, the optimizer's `base`.

    ArgumentError for options that are not known, and values out of their range.
    """
    own = {name: value for name, value in options.items() if name not in ("lr", "lr_factor")}
    known = ["lr", "lr_factor", *(makes_chain.keywords if isinstance(makes_chain, partial) else [])]
    for name in own:
        if name not in known:
            raise ArgumentError(f"option {name!r} of a group of parameters", expected=f"one of {', '.join(known)}",
                                fix=did_you_mean(name, known))
    factor = float(hyper_parameter("lr_factor", options.get("lr_factor", 1.0), example=0.1))
    schedule = options.get("lr")
    return Group([*front, *makes_chain(**own)] if own and makes_chain else base, factor,
                 schedule if callable(schedule) else None)
