"""`tz.jit`: trace a function once for each signature, compile the graph, and run that from then on."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

import numpy as np

from tarazu.backend.base import DonatingProgram
from tarazu.base.device import Device, Layout, Mesh
from tarazu.base.errors import ArgumentError
from tarazu.base.pytree import Structure, flatten, flatten_call
from tarazu.base.settings import log
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.interpreter import state
from tarazu.ir.node import Node
from tarazu.ir.origin import Origin
from tarazu.ir.types import TensorType
from tarazu.runtime.autograd.autograd import with_gradients
from tarazu.runtime.compile import JITTED, need_native, simplified
from tarazu.runtime.device import FollowsDevice, common_device, device_of, place_of
from tarazu.runtime.jit.captured_names import names_of_captured
from tarazu.runtime.jit.compiled import (
    Argument,
    Compiled,
    GradientOf,
    Outside,
    Result,
    Update,
    is_tracked,
    running_place,
    signature,
)
from tarazu.runtime.jit.signature_text import CacheInfo, describe, in_words, reasons
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.captures import KEPT, Change
from tarazu.runtime.trace.trace import Trace
from tarazu.runtime.trace_lock import tracing, wait_for_trace
from tarazu.transform.gradient.notes import hooks_of
from tarazu.transform.gradient.tape import EVERYTHING, USER, Leaf, tape_state


class Counter:
    """How many functions have been traced and compiled in this process; a needless retrace shows here."""

    traces = 0


class Call(NamedTuple):
    """A call of a jitted function."""

    compiled: Compiled  # its signature
    tensors: list[Tensor]  # among the arguments
    captured: list[Any]  # the data of tensors from outside

    def inputs(self) -> list[Any]:
        """What the program takes."""
        return [*map(wait_for_trace, self.tensors), *self.captured]


def _fitting(candidates: list[Compiled], tensors: list[Tensor]) -> Call | None:
    for compiled in candidates:
        if (captured := compiled.captured(tensors)) is not None:
            return Call(compiled, tensors, captured)
    return None


class Jit:
    """A function that is traced once for each signature of its arguments and then runs as a compiled program.

    Tensors and arrays among the arguments, in nested containers too, may change their values from call to call; new
    shapes or dtypes, and other values of everything else, are a new signature. Tensors from outside that the function
    reads or changes in place (parameters, optimizer state, random state, `.grad`) take part; other effects happen
    only while tracing.

    >>> import tarazu as tz
    >>> double = tz.jit(lambda x: x * 2)
    >>> double(tz.tensor([1.0, 2.0]))
    Tensor([2., 4.], dtype=float32)
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.label = getattr(function, "__name__", type(function).__name__)
        self._compiled: dict[Hashable, list[Compiled]] = {}
        self._retraces: list[str] = []

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else _Method(self, instance)

    @property
    def traces(self) -> int:
        """How many signatures have been traced so far."""
        return sum(map(len, self._compiled.values()))

    @property
    def changes(self) -> list[Tensor]:
        """The tensors from outside whose values calls have changed so far."""
        updates = [update for known in self._compiled.values() for compiled in known for update in compiled.updates]
        return list({id(update.place.handle): update.place.handle for update in updates
                     if isinstance(update.place, Outside) and update.value is not None}.values())

    @property
    def graph(self) -> Graph:
        """The graph of the last traced signature, as it is compiled."""
        if not self._compiled:
            raise ArgumentError(f"{self.label} has no graph yet", expected="a function that was called",
                                fix="call it once first")
        return simplified(list(self._compiled.values())[-1][-1].graph)

    def native_text(self) -> str:
        """What the native program of the last traced signature does, step by step.

        For each kernel: its loops, tile and share of threads, the buffers and bytes that it touches and its
        operations; barriers where they stand; the bodies of loops and branches indented; sums at the end. Memory of
        the program's own is shown by its offset in bytes: @128. A DeviceError follows where jitted functions do not
        run on the native backend.

        >>> import tarazu as tz
        >>> double = tz.jit(lambda x: x * 2)
        >>> _ = double(tz.ones(2))
        >>> print(double.native_text())  # doctest: +ELLIPSIS
        k0_map 2: mul  (1 item, thread 0)
          x -> output 0; 2 flop, reads 8 B, writes 8 B
        in all: 2 flop, reads 8 B, writes 8 B
        1 kernels, 0 barriers, ...
        """
        from tarazu.backend.native.inspect.schedule_text import schedule_text

        need_native(f"{self.label}.native_text()")
        return schedule_text(self.graph)

    def cache_info(self) -> CacheInfo:
        """What has been traced and how often it has run; `print` shows a line per signature.

        >>> import tarazu as tz
        >>> double = tz.jit(lambda x: x * 2)
        >>> _ = double(tz.ones(2)), double(tz.ones(2)), double(tz.ones(3))
        >>> print(double.cache_info())
        <lambda>: 3 calls, 2 traced
          x float32[2]: 2 calls
          x float32[3]: 1 call
        """
        every = [compiled for candidates in self._compiled.values() for compiled in candidates]
        rows = tuple((in_words(compiled.call), compiled.uses) for compiled in every)
        return CacheInfo(self.label, len(rows), sum(uses for _, uses in rows), rows)

    def retraces(self) -> str:
        """Why the function was traced again, a line for each time; `TARAZU_LOG=jit` prints them as they happen.

        >>> import tarazu as tz
        >>> double = tz.jit(lambda x: x * 2)
        >>> _ = double(tz.ones(2)), double(tz.ones(3))
        >>> double.retraces()
        'argument x: float32[2] became float32[3]'
        """
        return "\n".join(self._retraces)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if isinstance(state.interpreter, Trace):
            return self.function(*args, **kwargs)  # a part of the surrounding trace
        compiled, tensors, captured = self.fitting(args, kwargs)
        return compiled.run(tensors, captured)

    def fitting(self, args: tuple, kwargs: dict[str, Any]) -> Call:
        """Such a call; its signature is traced if it is new."""
        leaves, structure = flatten_call(args, kwargs)
        tensors, key = self._sort_out(leaves)
        candidates = self._candidates((structure, key, tape_state.ignored & USER, state.interpreter.notes_lines))
        found = _fitting(candidates, tensors)
        if found is None:
            with tracing:
                found = _fitting(candidates, tensors)
                if found is None:
                    self._note_retrace(describe(self.function, leaves, structure), tensors, candidates)
                    candidates.append(compiled := self._compile(leaves, structure, tensors))
                    found = Call(compiled, tensors, compiled.first_captured(tensors))
        return found

    def _candidates(self, key: Hashable) -> list[Compiled]:
        try:
            return self._compiled.get(key) or self._compiled.setdefault(key, [])
        except TypeError as error:
            raise ArgumentError(f"{self.label}: an argument of a type that cannot be compared: {error}",
                                expected="tensors, arrays, and hashable Python values",
                                fix="pass it as a tensor, or let the function read it from outside") from None

    def _note_retrace(self, call: dict[str, str], tensors: list[Tensor], candidates: list[Compiled]) -> None:
        before = [compiled for known in self._compiled.values() for compiled in known]
        if not before:
            log("jit", f"{self.label} is traced for {in_words(call)}")
            return
        self._retraces.append("; ".join(reasons(call, tensors, before, candidates)))
        log("jit", f"{self.label} is traced again: {self._retraces[-1]}")

    def _sort_out(self, leaves: list[Any]) -> tuple[list[Tensor], tuple]:
        """The tensors among the leaves, and what of all leaves is part of the signature."""
        tensors: list[Tensor] = []
        key: list[tuple[Any, ...]] = []
        for i, leaf in enumerate(leaves):
            if isinstance(leaf, np.ndarray):
                leaf = leaves[i] = state.interpreter.place(state.interpreter.constant(leaf, None), None)
            if isinstance(leaf, Tensor):
                tensors.append(leaf)
                hooks = hooks_of(leaf.tape_entry)
                key.append((leaf.raw.shape, leaf.dtype, is_tracked(leaf), leaf._grad is None, hooks))
            else:
                key.append((type(leaf), repr(leaf) if isinstance(leaf, float | complex) else leaf))  # -0.0 is not 0.0
        return tensors, tuple(key)

    def _compile(self, leaves: list[Any], structure: Structure, tensors: list[Tensor]) -> Compiled:
        Counter.traces += 1
        with Trace(ignored=EVERYTHING if tape_state.ignored & USER else 0) as trace:
            known = running_place([wait_for_trace(x) for x in tensors])
            trace.places[:] = [known] if known is not None else []
            proxies = [_proxy(trace, x) for x in tensors]
            parameters = [proxy.raw for proxy in proxies]
            rest = iter(proxies)
            args, kwargs = structure.rebuild([next(rest) if isinstance(leaf, Tensor) else leaf for leaf in leaves])
            names = names_of_captured(self.function, args)
            found, result_structure = flatten(self.function(*args, **kwargs))
            recipe = _Recipe(trace, proxies)
            results = recipe.results(found)
            updates = recipe.updates()
        captured = [item for item in trace.captured.values() if item[0] not in recipe.proxies]
        call = describe(self.function, leaves, structure)
        _name(parameters, [name for name, leaf in zip(call, leaves, strict=False) if isinstance(leaf, Tensor)])
        _name([node for _, node, _ in captured], [recipe.name(handle, names) for handle, _, _ in captured])
        graph = Graph(parameters + [node for _, node, _ in captured], recipe.outputs)
        handles = [*tensors, *[handle for handle, _, _ in captured]]
        place = _place(trace, [x.raw for x in handles if not isinstance(x, FollowsDevice)])
        return Compiled(JITTED + self.label, graph, tuple([recipe.place(handle) for handle, _, _ in captured]),
                        tuple([signature(handle) for handle, _, _ in captured]), tuple(trace.guards), tuple(results),
                        result_structure, tuple(updates), recipe.program(graph, place), recipe.is_differentiable,
                        place, call)


class _Method(functools.partial):
    """A jitted method of an object: shows what its function shows."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.func, name)


def _proxy(trace: Trace, x: Tensor) -> Tensor:
    proxy = Tensor(trace.builder.parameter(TensorType(tuple(x.shape), x.dtype)))
    if signature(x)[1]:
        proxy.tape_entry = Leaf(USER, proxy)
        proxy.tape_entry.notes = x.tape_entry.node.notes if x.is_leaf else None
    proxy._grad = x._grad
    if x._grad is not None:
        trace.grad_owner[id(x._grad)] = proxy
    trace.expose(proxy)
    trace.arguments[id(x)] = x
    return proxy


def _place(trace: Trace, raws: list[Any]) -> Device | Mesh | None:
    """Where the program runs; DeviceError where inputs and code name two places."""
    place = place_of(raws)
    for named in trace.places:
        place = common_device(place, named)
    return place if place is not None else running_place(raws)


def _name(parameters: list[Node], names: list[str]) -> None:
    for node, name in zip(parameters, names, strict=True):
        node.origin = Origin(name=name)


class _Recipe:
    """Collects what a trace puts out, and where each part goes."""

    def __init__(self, trace: Trace, proxies: list[Tensor]) -> None:
        self.trace, self.proxies = trace, _IdentitySet(proxies)
        self.outputs: list[Node] = []
        self.state = 0  # the number of the first output that is no result
        self.is_differentiable = False

    def place(self, handle: Tensor) -> Any:
        owner = self.trace.grad_owner.get(id(handle))
        if owner is not None:
            return GradientOf(self.place(owner))
        position = self.proxies.position(handle)
        return Outside(handle) if position is None else Argument(position)

    def name(self, handle: Tensor, names: dict[int, str]) -> str:
        """What people call a handle from outside."""
        owner = self.trace.grad_owner.get(id(handle))
        if owner is not None:
            return f"{self.name(owner, names)}.grad"
        return names.get(id(handle), "outside")

    def results(self, leaves: list[Any]) -> list[Any]:
        found = [self.result(leaf) if isinstance(leaf, Tensor) else leaf for leaf in leaves]
        self.state = len(self.outputs)
        return found

    def program(self, graph: Graph, place: Device | Mesh | None) -> Any:
        """What computes the outputs; calls that no gradient flows through renew the state in memory of their own."""
        found = state.interpreter.compile(graph, place)
        can_donate = not self.is_differentiable and self.state < len(self.outputs)
        return found.donating(self.state) if can_donate and isinstance(found, DonatingProgram) else found

    def result(self, x: Tensor) -> Result:
        node, entry = self.trace.read(x)
        self.outputs.append(node)
        is_differentiable = entry is not None and entry.is_alive and x.dtype.is_inexact
        self.is_differentiable |= is_differentiable
        return Result(len(self.outputs) - 1, is_differentiable)

    def updates(self) -> list[Update]:
        found = []
        for change in self.trace.changes():
            gradient = change.grad if change.grad is KEPT or change.grad is None else self.result(change.grad)
            value = None if change.raw is None else self.result(Tensor(self.staying(change), change.tape_entry))
            found.append(Update(self.place(change.handle), value, gradient))
        return found

    def staying(self, change: Change) -> Node:
        """The new value of a handle. On a mesh it stays as the handle lies: elsewhere it would be a new signature."""
        mesh = self.trace.device
        if not isinstance(mesh, Mesh):
            return change.raw
        before = device_of(self.trace.before(change.handle))
        where = before if isinstance(before, Layout) else Layout(mesh)
        return self.trace.builder.add(ops.PLACE, [change.raw], {"where": where})


class _IdentitySet:
    """Tensors by identity, as `==` on tensors compares elements."""

    def __init__(self, tensors: list[Tensor]) -> None:
        self._position = {id(x): i for i, x in enumerate(tensors)}

    def position(self, x: Tensor) -> int | None:
        return self._position.get(id(x))

    def __contains__(self, x: Tensor) -> bool:
        return id(x) in self._position


def jit(function: Callable[..., Any]) -> Jit:
    """Compile `function` for each signature of its arguments; see `Jit`. A decorator."""
    return Jit(function)


def trace(function: Callable[..., Any], *, backward: bool = False) -> Callable[..., Graph]:
    """A function that gives, for arguments, the graph that `jit` would run.

    With `backward` the graph has the way back too: the gradients of the sum of all float results with respect to the
    float tensors among the arguments and to what outside requires grad.

    >>> import tarazu as tz
    >>> print(tz.trace(lambda x: (x * 2).sum())(tz.ones(3)))
    graph(%0: float32[3]):
      %1: float32[3] = mul %0 2.0
      %2: float32[] = sum %1 axes=(0,)
      return %2
    """
    def traced(*args: Any, **kwargs: Any) -> Graph:
        jitted = Jit(with_gradients(function) if backward else function)
        leaves, structure = flatten((args, kwargs))
        tensors, _ = jitted._sort_out(leaves)
        return simplified(jitted._compile(leaves, structure, tensors).graph)
    return traced
