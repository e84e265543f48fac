"""`tz.jit`: trace a function once for each signature, compile the graph, and run that from then on."""

from __future__ import annotations

import functools
import threading
import weakref
from collections.abc import Callable, Hashable
from operator import is_
from typing import Any, NamedTuple

import numpy as np

from tarazu.backend.base import DonatingProgram, FreeableProgram, Program, Renewed
from tarazu.base.errors import ArgumentError
from tarazu.base.pytree import flatten, flatten_call
from tarazu.base.settings import log
from tarazu.ir.graph import Graph
from tarazu.ir.interpreter import state
from tarazu.ir.types import Data
from tarazu.runtime.autograd.autograd import with_gradients
from tarazu.runtime.collection import no_collection
from tarazu.runtime.compile import JITTED, compile_in_full, need_native, simplified
from tarazu.runtime.jit.attribute_values import AttributeValues
from tarazu.runtime.jit.compiled import Compiled, Description, Lent, is_tracked
from tarazu.runtime.jit.input_source import Captured
from tarazu.runtime.jit.shared_traces import traced_once
from tarazu.runtime.jit.signature_text import CacheInfo, describe, in_words, reasons
from tarazu.runtime.jit.traced_call import CallArguments, TracedCall, renewed_state, trace_call
from tarazu.runtime.tensor.creation import to_array
from tarazu.runtime.tensor.row_table import RowTable, traced_type
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace_lock import tracing
from tarazu.transform.gradient.notes import hooks_of
from tarazu.transform.gradient.tape import USER, tape_state


class Counter:
    """How many functions have been traced and compiled in this process; a needless retrace shows here."""

    traces = 0


class MatchedCall(NamedTuple):
    """A call of a jitted function, and the signature that fits it."""

    compiled: Compiled
    arguments: list[Tensor]  # the tensors among them
    inputs: list[Data]  # what the program takes: the data of the arguments, and of what was captured


class NewCall(NamedTuple):
    """A call of a jitted function that no signature fits."""

    arguments: CallArguments
    signature: Hashable
    candidates: list[Compiled]  # those that have the same signature and do not fit


def _first_match(candidates: list[Compiled], arguments: list[Tensor]) -> MatchedCall | None:
    for compiled in candidates:
        inputs = compiled.match(arguments)
        if inputs is not None:
            return MatchedCall(compiled, arguments, inputs)
    return None


class _LikeCall:
    """A call with tensors that have no gradients, and other values. One like it, that is with tensors of their types
    and the very same values, has its signature, which takes longer to put together and to look up."""

    def __init__(self, args: tuple, candidates: list[Compiled]) -> None:
        self.candidates = candidates  # what was compiled for the signature
        self._ignored = tape_state.ignored & USER
        self._parts = [(_NO_VALUE, x.raw.shape, x.raw.dtype) if isinstance(x, Tensor) else (x, (), None) for x in args]

    def tensors(self, args: tuple) -> list[Tensor] | None:
        """The tensors among the arguments; None for a call that is not like this one."""
        if len(args) != len(self._parts) or tape_state.ignored & USER != self._ignored:
            return None
        tensors = []
        for x, (value, shape, dtype) in zip(args, self._parts, strict=True):
            if x is not value:
                if x.__class__ is not Tensor or x.tape_entry is not None or x._grad is not None:
                    return None
                raw = x.raw
                if raw.dtype is not dtype or raw.shape != shape:
                    return None
                tensors.append(x)
        return tensors


_NO_VALUE = object()  # is no argument


def _like_call(args: tuple, leaves: list[Any], candidates: list[Compiled]) -> _LikeCall | None:
    """The call, unless there is more to look at among its arguments; `leaves` are what was made of these."""
    is_flat = len(args) == len(leaves) and all(map(is_, args, leaves)) and not state.interpreter.notes_lines
    is_plain = is_flat and all(x.__class__ is Tensor and x.tape_entry is None and x._grad is None
                               for x in args if isinstance(x, Tensor))
    return _LikeCall(args, candidates) if is_plain else None


class Jit:
    """A function that is traced once for each signature of its arguments and then runs as a compiled program.

    Tensors and arrays among the arguments, in nested containers too, may change their values from call to call; new
    shapes or dtypes, and other values of everything else, are a new signature. Tensors from outside that the function
    reads or changes in place (parameters, optimizer state, random state, `.grad`) take part, and so do attributes of
    modules that it assigns tensors to, `self.state = new`; other effects happen only while tracing. Attributes of
    modules and optimizers that it reads are part of the signature too; other Python values from outside, such as global
    variables, are constants. TraceWarning (`tz.TraceWarning`) for an attribute of which more than four values were
    compiled, and for random numbers of Python or NumPy, which would be the same in each call.

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
        self._attribute_values = AttributeValues()
        self._last: _LikeCall | None = None
        self._turns = threading.RLock()  # of calls that change something, from what they read until it is changed

    def __get__(self, instance: Any, owner: type | None = None) -> Jit | JittedMethod:
        return self if instance is None else JittedMethod(self, instance)

    @property
    def traces(self) -> int:
        """How many signatures have been traced so far.

        >>> import tarazu as tz
        >>> double = tz.jit(lambda x: x * 2)
        >>> _ = double(tz.ones(2)), double(tz.ones(3)), double(tz.ones(3))
        >>> double.traces
        2
        """
        return sum(map(len, self._compiled.values()))

    @property
    def changes(self) -> list[Tensor]:
        """The tensors from outside whose values calls have changed so far.

        >>> import tarazu as tz
        >>> count = tz.tensor(0)
        >>> step = tz.jit(lambda: count.add_(1))
        >>> _ = step(), step()
        >>> step.changes
        [Tensor(2, dtype=int64)]
        """
        updates = [update for compiled in self._all_compiled() for update in compiled.outputs.updates]
        changed = [update.target.handle for update in updates
                   if isinstance(update.target, Captured) and update.value is not None]
        return list({id(handle): handle for handle in changed}.values())

    @property
    def graph(self) -> Graph:
        """The graph of the last signature, as it is compiled; ArgumentError before the first call.

        >>> import tarazu as tz
        >>> double = tz.jit(lambda x: x * 2)
        >>> _ = double(tz.ones(2))
        >>> print(double.graph)
        graph(%0: float32[2]):
          %1: float32[2] = mul %0 2.0
          return %1
        """
        every = self._all_compiled()
        if not every:
            raise ArgumentError(f"{self.label} has no graph yet", expected="a function that was called",
                                fix="call it once first")
        return simplified(every[-1].graph)

    def native_text(self, threads: int | None = None) -> str:
        """What the native program of the last traced signature does, step by step.

        For each kernel: its loops, tile and share of threads, the buffers and bytes that it touches and its
        operations; barriers where they stand; the bodies of loops and branches indented; sums at the end. Memory of
        the program's own is shown by its offset in bytes: @128. With `threads` it is the plan for a machine of so many
        cores like these: how each kernel is divided among them, and how much faster they can be at most. DeviceError
        where jitted functions do not run on the native backend, ArgumentError where `threads` is not a whole number
        from 1 to 1024.

        >>> import tarazu as tz
        >>> double = tz.jit(lambda x: x * 2)
        >>> _ = double(tz.ones(2))
        >>> print(double.native_text())  # doctest: +ELLIPSIS
        k0_map 2: mul  (1 item, thread 0)
          x -> output 0; 2 flop, reads 8 B, writes 8 B
        in all: 2 flop, reads 8 B, writes 8 B
        1 kernels, 0 barriers, ...
        """
        from tarazu.backend.native.inspect.schedule_text import plan_text, schedule_text

        need_native(f"{self.label}.native_text()")
        graph = self.graph
        renewed = self._all_compiled()[-1].renewed
        return schedule_text(graph, renewed=renewed) if threads is None else plan_text(graph, threads, renewed)

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
        rows = tuple((in_words(compiled.description), compiled.uses) for compiled in self._all_compiled())
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
        if state.interpreter.is_tracing:
            return self.function(*args, **kwargs)  # a part of the surrounding trace
        with self._turns:
            call = self._find(args, kwargs)
            if isinstance(call, MatchedCall) and call.compiled.has_state:
                return call.compiled.run(call.arguments, call.inputs)
        if isinstance(call, MatchedCall):
            return call.compiled.run(call.arguments, call.inputs)
        compiled, arguments, _ = self._traced(call)  # others have turns meanwhile: who traces holds no lock
        with self._turns:
            return compiled.run(arguments, compiled.inputs(arguments))

    def match(self, args: tuple, kwargs: dict[str, Any]) -> MatchedCall:
        """Such a call with the signature that fits it, which is traced and compiled if it is new."""
        call = self._find(args, kwargs)
        return call if isinstance(call, MatchedCall) else self._traced(call)

    def _find(self, args: tuple, kwargs: dict[str, Any]) -> MatchedCall | NewCall:
        """Such a call with the signature that fits it, where there is one."""
        last = self._last
        if last is not None and not kwargs and not state.interpreter.notes_lines:
            tensors = last.tensors(args)
            if tensors is not None and (matched := _first_match(last.candidates, tensors)) is not None:
                return matched
        return self._find_signature(args, kwargs)

    def _find_signature(self, args: tuple, kwargs: dict[str, Any]) -> MatchedCall | NewCall:
        """As `_find`, by all that is part of a signature."""
        leaves, structure = flatten_call(args, kwargs)
        tensors, key = _tensors_and_key(leaves)
        signature = structure, key, tape_state.ignored & USER, state.interpreter.notes_lines
        candidates = self._candidates(signature)
        self._last = None if kwargs else _like_call(args, leaves, candidates)
        matched = _first_match(candidates, tensors)
        return NewCall(CallArguments(leaves, structure, tensors), signature, candidates) if matched is None else matched

    def _traced(self, call: NewCall) -> MatchedCall:
        """A call once its signature is traced and compiled."""
        tensors = call.arguments.tensors
        with tracing:  # another thread may have traced it in the meantime
            matched = _first_match(call.candidates, tensors)
            if matched is None:
                compiled = self._compile(call.arguments, call.signature, call.candidates)
                call.candidates.append(compiled)
                matched = MatchedCall(compiled, tensors, compiled.inputs(tensors))
        return matched

    def _all_compiled(self) -> list[Compiled]:
        return [compiled for candidates in self._compiled.values() for compiled in candidates]

    def _candidates(self, key: Hashable) -> list[Compiled]:
        """What was compiled for calls whose arguments have that key."""
        try:
            return self._compiled.get(key) or self._compiled.setdefault(key, [])
        except TypeError as error:
            raise ArgumentError(f"{self.label}: an argument of a type that cannot be compared: {error}",
                                expected="tensors, arrays, and hashable Python values",
                                fix="pass it as a tensor, or let the function read it from outside") from None

    def _compile(self, arguments: CallArguments, signature: Hashable, candidates: list[Compiled]) -> Compiled:
        """A new signature, that of a call with these arguments; `candidates` have the same one and do not fit."""
        description = describe(self.function, arguments.leaves, arguments.structure)
        self._note_retrace(description, arguments.tensors, candidates)
        with no_collection():
            return self._compiled_for(arguments, description, signature)

    def _compiled_for(self, arguments: CallArguments, description: Description, signature: Hashable) -> Compiled:
        traced = traced_once(lambda: self.trace_for(arguments, description), self.function, arguments, signature)
        renewed = renewed_state(traced) if _has_state(traced) else ()
        program = self.program_for(traced, renewed)
        compiled = Compiled(label=JITTED + self.label, description=description, graph=traced.graph,
                            captured=traced.captured, guards=traced.guards, attributes=traced.attributes,
                            outputs=traced.outputs, device=traced.device, renewed=renewed,
                            program=_for_one_caller(program, traced))
        if isinstance(program, FreeableProgram):  # others may run it too, and it is kept for more of its kind
            weakref.finalize(compiled, program.free_memory).atexit = False
        return compiled

    def program_for(self, traced: TracedCall, renewed: Renewed) -> Program:
        """What runs the graph of such a call; it may write the new values of `renewed` state where the old ones lie."""
        return state.interpreter.compile(traced.graph, traced.device, renewed)

    def _note_retrace(self, description: Description, tensors: list[Tensor], candidates: list[Compiled]) -> None:
        before = self._all_compiled()
        if not before:
            log("jit", f"{self.label} is traced for {in_words(description)}")
            return
        self._retraces.append("; ".join(reasons(description, tensors, before, candidates)))
        log("jit", f"{self.label} is traced again: {self._retraces[-1]}")
        self._attribute_values.note(candidates)

    def trace_for(self, arguments: CallArguments, description: Description) -> TracedCall:
        """The graph of a call with these arguments, and what goes with it."""
        Counter.traces += 1
        names = [name for name, leaf in zip(description, arguments.leaves, strict=False) if isinstance(leaf, Tensor)]
        return trace_call(self.function, arguments, names)


class JitInFull(Jit):
    """A function that was called often before it was jitted: LLVM may take its time at once."""

    def program_for(self, traced: TracedCall, renewed: Renewed) -> Program:
        is_plain = traced.device is None
        return compile_in_full(traced.graph, renewed) if is_plain else super().program_for(traced, renewed)


def _tensors_and_key(leaves: list[Any]) -> tuple[list[Tensor], tuple]:
    """The tensors among the leaves of a call, and what of all leaves is part of its signature.

    Arrays among the leaves are made tensors.
    """
    tensors: list[Tensor] = []
    key: list[tuple[Any, ...]] = []
    for i, leaf in enumerate(leaves):
        if isinstance(leaf, np.ndarray):
            leaf = leaves[i] = state.interpreter.to_device(Lent(to_array(leaf, None)), None)
        if isinstance(leaf, Tensor):
            tensors.append(leaf)
            entry = leaf.tape_entry
            on_tape = None if entry is None else (is_tracked(leaf), hooks_of(entry))
            shape = traced_type(leaf).shape if isinstance(leaf, RowTable) else leaf.raw.shape
            key.append((shape, leaf.dtype, leaf._grad is None, on_tape))
        else:
            key.append((type(leaf), repr(leaf) if isinstance(leaf, float | complex) else leaf))  # -0.0 is not 0.0
    return tensors, tuple(key)


def _has_state(traced: TracedCall) -> bool:
    """Whether there is state whose new value may be put into memory of earlier one: no gradient flows through."""
    return traced.first_state < len(traced.graph.outputs) and not traced.outputs.differentiable


def _for_one_caller(program: Program, traced: TracedCall) -> Program:
    """The program, where there is state with memory of its own for that."""
    return program.donating(traced.first_state) if _has_state(traced) and isinstance(program, DonatingProgram) \
        else program


class JittedMethod(functools.partial):
    """A jitted method of an object: shows what its function shows."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.func, name)


def jit(function: Callable[..., Any]) -> Jit:
    """A decorator that compiles `function` for each signature of its arguments; see `Jit`.

    Called inside another traced function it becomes part of that one. ArgumentError, in the call, for an argument that
    is neither a tensor nor an array and not hashable, TraceError for what a graph cannot hold, such as a Python
    condition on a traced tensor.

    >>> import tarazu as tz
    >>> @tz.jit
    ... def distance(x, y):
    ...     return tz.sqrt(((x - y) ** 2).sum())
    >>> distance(tz.tensor([0.0, 3.0]), tz.tensor([4.0, 0.0]))
    Tensor(5., dtype=float32)
    """
    return Jit(function)


def trace(function: Callable[..., Any], *, backward: bool = False) -> Callable[..., Graph]:
    """A function that gives, for arguments, the graph that `jit` would run.

    With `backward` the graph has the backward pass too: the gradients of the sum of all float results with respect to
    the float tensors among the arguments and to what outside requires grad. TraceError for what a graph cannot hold.

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
        tensors, _ = _tensors_and_key(leaves)
        description = describe(jitted.function, leaves, structure)
        return simplified(jitted.trace_for(CallArguments(leaves, structure, tensors), description).graph)
    return traced
