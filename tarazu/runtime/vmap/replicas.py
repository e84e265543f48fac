"""`tz.replicate`: several copies of a model, with optimizer and random state, that run and train as one program."""

from __future__ import annotations

import copy
import functools
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tarazu.base.errors import ArgumentError, OutOfRangeError, TraceError
from tarazu.ir.node import Node, Symbolic
from tarazu.ops.random.bits import wide_bits
from tarazu.ops.shape import stack
from tarazu.runtime import random
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace_lock import replace_data
from tarazu.runtime.vmap.lane_axes import LaneAxes
from tarazu.runtime.vmap.vmap import run_lanes


class Replicas:
    """Copies of what a function builds, every tensor of which is kept as one stack of all; see `replicate`.

    `replicas[i]` is member i as an object of its own, with the values of now; `len(replicas)` is their number.
    OutOfRangeError for an index out of range.

    >>> import tarazu as tz
    >>> models = tz.replicate(lambda: tz.nn.Dense(2, in_features=3), 4)
    >>> len(models), models[0].weight.shape
    (4, (3, 2))
    """

    def __init__(self, make: Callable[[], Any], seeds: Sequence[int]) -> None:
        built = [_build(make, seed) for seed in seeds]
        self._template = built[0][0]  # what the functions of `map` are traced with
        handles = _tensors(self._template)
        self._stacks = _stacks(built, list(handles))
        self._handles = [*handles.values(), random.default.state]
        for handle in handles.values():
            handle._grad = None

    def rebuild(self, make: Callable[[], Any], seeds: Sequence[int]) -> None:
        """Let all members start anew, from what `make()` builds with other seeds; what `tz.jit` traced serves again.

        ArgumentError unless there is a seed for each member, and tensors of the same names, shapes and dtypes as before
        are built.

        >>> import tarazu as tz
        >>> models = tz.replicate(lambda: tz.nn.Dense(2, in_features=3), 2, seeds=[0, 1])
        >>> first = models[1].weight
        >>> models.rebuild(lambda: tz.nn.Dense(2, in_features=3), seeds=[1, 2])
        >>> bool((models[0].weight == first).all())
        True
        """
        if len(seeds) != len(self):
            raise ArgumentError(f"rebuild: {len(seeds)} seeds for {len(self)} replicas", expected="one seed for each",
                                fix=f"pass for example seeds=range({len(self)})")
        built = [(self._template, random.default.state.detach()), *(_build(make, seed) for seed in seeds)]
        stacks = _stacks(built, list(_tensors(self._template)))
        for x, new in zip(self._stacks, stacks, strict=True):
            x._grad = None
            replace_data(x, new.detach()[1:].raw)

    def values(self, handle: Tensor) -> Tensor:
        """The values that all members have of a tensor of what was built first, stacked: (members, ...).

        ArgumentError for another tensor.

        >>> import tarazu as tz
        >>> layers = []
        >>> models = tz.replicate(lambda: layers.append(tz.nn.Dense(2, in_features=3)) or layers[-1], 4)
        >>> models.values(layers[0].weight).shape
        (4, 3, 2)
        """
        for own, stacked in zip(self._handles, self._stacks, strict=True):
            if own is handle:
                return stacked.detach()
        raise ArgumentError("values of a tensor that is no part of what was built first",
                            expected="a tensor of that", fix="keep what the first call of make gives")

    def map(self, function: Callable[..., Any], in_axes: LaneAxes = None,
            out_axes: LaneAxes = 0) -> Callable[..., Any]:
        """`function(member, *args)` for all members at once, as a function of the `args`.

        `in_axes` and `out_axes` are as for `vmap`, but that by default all members get the same arguments. What the
        function changes in place (parameters, optimizer state, `.grad`, random state) is kept for each member; other
        attributes, such as the training mode, are those of one object, with which the function is traced. `tz.jit` of
        the result traces only once. ArgumentError, ShapeError and TraceError as for `vmap`.

        >>> import tarazu as tz
        >>> models = tz.replicate(lambda: tz.nn.Dense(1, in_features=2), 3)
        >>> models.map(lambda model, x: model(x), in_axes=0)(tz.ones(3, 5, 2)).shape
        (3, 5, 1)
        """
        one = functools.partial(function, self._template)
        one.__name__ = getattr(function, "__name__", type(function).__name__)  # type: ignore[attr-defined]

        @functools.wraps(function)
        def mapped(*args: Any, **kwargs: Any) -> Any:
            members = {id(handle): x for handle, x in zip(self._handles, self._stacks, strict=True)}
            return run_lanes(one, args, kwargs, in_axes, out_axes, len(self), members)
        return mapped

    def __len__(self) -> int:
        return len(self._stacks[0])

    def __getitem__(self, i: int) -> Any:
        if not -len(self) <= i < len(self):
            raise OutOfRangeError(f"member {i} of {len(self)} replicas",
                                  expected=f"an index from {-len(self)} to {len(self) - 1}", fix="use len(replicas)")
        member = copy.deepcopy(self._template)
        for x, stacked in zip(_tensors(member).values(), self._stacks, strict=False):
            replace_data(x, stacked.detach()[i].raw)
            x._grad = None if stacked.grad is None else stacked.grad.detach()[i]
        return member

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))


def replicate(make: Callable[[], Any], n: int, seeds: Sequence[int] | None = None) -> Replicas:
    """`n` copies of what `make()` builds (a module, its optimizer, containers of them) that run as one program.

    Each is built, and later draws its random numbers, as if the global generator had been seeded for it alone: with
    `seeds[i]`, or else with a number that the global generator draws. So n replicas are trained as n single models
    with these seeds would be. ArgumentError unless `n` is a whole number of at least 1 with one seed for each, and when
    `make` does not build the same tensors each time; TraceError inside a traced function.

    >>> import tarazu as tz
    >>> models = tz.replicate(lambda: tz.nn.Dense(2, in_features=3), 4)
    >>> models.map(lambda model, x: model(x))(tz.ones(5, 3)).shape
    (4, 5, 2)
    """
    if not isinstance(n, int) or n < 1:
        raise ArgumentError(f"replicate: n={n!r}", expected="a whole number of at least 1", fix="pass for example n=8")
    if seeds is not None and len(seeds) != n:
        raise ArgumentError(f"replicate: {len(seeds)} seeds for {n} replicas", expected="one seed for each",
                            fix="pass for example seeds=range(n)")
    if isinstance(random.default.state.detach().raw, Node):
        raise TraceError("replicate inside a traced function", expected="replicas that are built before",
                         fix="build them outside, and call their map inside")
    if seeds is None:
        seeds = wide_bits(random.default.next_state(), (n,)).tolist()
    return Replicas(make, seeds)


def _build(make: Callable[[], Any], seed: int) -> tuple[Any, Tensor]:
    """What `make` builds when the global generator starts from `seed`, and the state in which it leaves that one."""
    before = random.default.state.detach()
    try:
        random.seed(seed)
        return make(), random.default.state.detach()
    finally:
        random.default.state.copy_(before)


def _stacks(built: Sequence[tuple[Any, Tensor]], names: Sequence[str]) -> list[Tensor]:
    """The values of the tensors of those names, and of the random states, in all members."""
    tensors = [_tensors(member) for member, _ in built]
    return [_stacked(name, tensors) for name in names] + [stack([state for _, state in built])]


def _stacked(name: str, members: list[dict[str, Tensor]]) -> Tensor:
    """The values that the tensor of that name has in all members."""
    values = [member[name].detach() for member in members if name in member]
    if len(values) < len(members) or len({(x.shape, x.dtype) for x in values}) > 1 or len(set(map(len, members))) > 1:
        raise ArgumentError(f"replicate: the objects that were built differ in {name or 'what they are'}",
                            expected="tensors of the same names, shapes and dtypes each time",
                            fix="let only the numbers in them be random")
    return stack(values)


_NOT_LOOKED_INTO = (type, types.ModuleType, types.FunctionType, types.MethodType)


def _tensors(thing: object) -> dict[str, Tensor]:
    """Every tensor that `thing` holds in its attributes and containers, each once, by path; always in one order."""
    tensors: dict[str, Tensor] = {}
    seen = {id(random.default)}

    def look(path: str, value: object) -> None:
        if id(value) in seen or isinstance(value, _NOT_LOOKED_INTO):
            return
        seen.add(id(value))
        if isinstance(value, Tensor):
            if not isinstance(value.raw, Symbolic):  # which has no values
                tensors[path] = value
        elif isinstance(value, list | tuple):
            for i, item in enumerate(value):
                look(f"{path}[{i}]", item)
        elif isinstance(value, dict):
            for key, item in value.items():
                look(f"{path}[{key!r}]", item)
        else:
            for name, item in getattr(value, "__dict__", {}).items():
                look(f"{path}.{name}", item)

    look("", thing)
    return tensors
