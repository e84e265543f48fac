"""Attributes as guards: a trace fits as long as the attributes of modules and optimizers that it read are as they were.

`self.tau` in a `forward` is a Python value: in a traced function it becomes a constant of the graph. So `jit` notes
which attributes of a `GuardedAttributes` a trace reads, and traces again where one has another value.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import threading
from collections.abc import Iterable, Iterator, Sequence
from operator import is_
from types import FunctionType, ModuleType
from typing import Any, ClassVar, NamedTuple

import numpy as np

from tarazu.ir.interpreter import Assigned
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.contents import Contents, can_be_kept
from tarazu.runtime.trace.set_attributes import Deleted, SetAttributes
from tarazu.runtime.trace_lock import tracing

MOST_PARTS = 1000  # larger containers are guarded by identity only, as each call looks at all that is in them
MOST_BYTES = 2**16  # of an array, likewise
_SCALARS = (int, float, complex, str, bytes, type(None), np.generic)
_CONTAINERS = frozenset((list, tuple, dict, np.ndarray))


class _Changes:
    """Every attribute that is set gives `last` another number, so that guards need not look while it stays."""

    numbers = itertools.count()
    last = -1


def last_change() -> int:
    """A number that stays as long as no attribute of a `GuardedAttributes` is set or deleted."""
    return _Changes.last


class GuardedAttributes:
    """A base class: the attributes of an instance that a traced function reads are guards of the trace.

    That one was set is noted here; what is written into `vars(instance)` directly is not seen. Reads are noted by a
    `__getattribute__` that the class has only while a thread traces for `jit`: at other times they cost nothing more.
    """

    UNGUARDED: ClassVar[frozenset[str]] = frozenset()  # names that no trace depends on, or has guards of their own for

    @classmethod
    def _require_known(cls, name: str, value: object) -> None:
        """An error where a new attribute would be ignored."""

    def __setattr__(self, name: str, value: object) -> None:
        if name[0] != "_" and name not in object.__getattribute__(self, "__dict__"):
            type(self)._require_known(name, value)
        if _recording.set_attributes is not None:
            _recording.set_attributes.note(self, name)
        super().__setattr__(name, value)
        _note_change(self, name)

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        _note_change(self, name)


class AttributeGuard(NamedTuple):
    """An attribute that a trace read, its value then, and where that is a container what was in it."""

    owner: GuardedAttributes
    name: str
    value: Any
    parts: Sequence[Any] | None

    @property
    def what(self) -> str:
        """Its name in messages."""
        return f"attribute {self.name} of {type(self.owner).__name__}"

    @property
    def is_watched(self) -> bool:
        """Whether `_Changes` tells when it may be another object."""
        return type(self.owner).__setattr__ is GuardedAttributes.__setattr__ and self.name in vars(self.owner)

    def now(self) -> Any:
        """The value that the attribute has now; `Deleted` without one."""
        return getattr(self.owner, self.name, Deleted)

    def holds(self) -> bool:
        """Whether it has that value still, or an equal one: of numbers, text, and containers of such."""
        now = self.now()
        if self.parts is None:
            return is_same(now, self.value)
        return type(now) is type(self.value) and self.has_parts_of(now)

    def has_parts_of(self, container: object) -> bool:
        """Whether the container has in it what was in this one."""
        then = self.parts
        if type(container) is list and then is not None and len(container) == len(then) \
                and all(map(is_, container, then)):
            return True  # the usual case, without a look at the types of what is in it
        now = parts_of(container)
        if now is None or then is None or len(now) != len(then):
            return False
        return all(map(is_, now, then)) or all(map(is_same, now, then))

    def change(self) -> str:
        """What became of it, in words."""
        before, after = _text(self.value), _text(self.now())
        changed = "it was changed in place" if before == after else f"{before} became {after}"
        return f"{self.what}: {changed}"


class AttributeGuards:
    """The attributes that a trace depends on."""

    def __init__(self, guards: Iterable[AttributeGuard] = ()) -> None:
        self.guards = tuple(guards)
        watched = [guard for guard in self.guards if guard.is_watched]
        self._values = [guard for guard in watched if guard.parts is None]
        self._containers = [guard for guard in watched if guard.parts is not None and can_be_kept(guard.value)]
        seen = {id(guard) for guard in (*self._values, *self._containers)}
        self._others = [guard for guard in self.guards if id(guard) not in seen]
        self._contents: Contents | None = None  # of the containers, when they last held
        self._seen, self._values_hold = -2, True  # `_Changes.last` when those watched were looked at; the outcome

    def hold(self) -> bool:
        """Whether all have the values of then; asked at each call of a jitted function."""
        if _Changes.last != self._seen:
            self._look_at_watched()
        contents = self._contents
        if not self._values_hold or ((contents is None or not contents.are_unchanged()) and not self._hold_anew()):
            return False
        for guard in self._others:  # noqa: SIM110 - in each call, where a generator costs more
            if not guard.holds():
                return False
        return True

    def _look_at_watched(self) -> None:
        """Look at what may be another object since an attribute was set."""
        last = _Changes.last
        self._values_hold = all(guard.holds() for guard in self._values)
        contents = self._contents
        if contents is not None and not all(map(is_, [guard.now() for guard in self._containers], contents.containers)):
            self._contents = None
        self._seen = last

    def _hold_anew(self) -> bool:
        """Whether the containers hold by what is in them; the next call then only looks for the same objects."""
        contents = Contents([guard.now() for guard in self._containers])
        if not all(guard.holds() for guard in self._containers):
            return False
        self._contents = contents
        return True

    def broken(self) -> list[AttributeGuard]:
        """Those that have another value now."""
        return [guard for guard in self.guards if not guard.holds()]


class AttributeReads:
    """The attributes that a function reads while it is traced, and those that it sets."""

    def __init__(self) -> None:
        self._read: dict[tuple[int, str], AttributeGuard] = {}
        self._set: dict[tuple[int, str], GuardedAttributes] = {}  # the owner stays alive, and its id its own
        self._missed: dict[tuple[int, str], GuardedAttributes] = {}  # those that were asked for and not there
        self._generators: dict[str, tuple[Any, Any]] = {}  # by its name: a generator of Python or NumPy, its state
        self._warned = False
        self._looked_at: set[type] = set()  # the classes whose `forward` has been looked at for generators

    def note_read(self, owner: GuardedAttributes, name: str, value: object) -> None:
        key = id(owner), name
        if type(owner) not in self._looked_at:
            self._looked_at.add(type(owner))
            self.note_generators_around(getattr(type(owner), "forward", None))
        if key not in self._read and key not in self._set and _is_state(owner, name, value):
            parts = parts_of(value)
            guard = self._read[key] = AttributeGuard(owner, name, value, None if parts is None else tuple(parts))
            self.note_generators_around(value)
            if isinstance(value, _generators()):
                self._generators[guard.what] = value, _state_of(value)

    def note_missed(self, owner: GuardedAttributes, name: str) -> None:
        self._missed[id(owner), name] = owner

    def note_generators_around(self, function: object) -> None:
        """Note those of Python's and NumPy's generators that are global or nonlocal variables of the function."""
        for name, value in variables_around(function):
            if isinstance(value, _generators()):
                self._generators.setdefault(f"the variable {name}", (value, _state_of(value)))

    def note_set(self, owner: GuardedAttributes, name: str) -> None:
        self._set[id(owner), name] = owner

    def note_warning(self) -> None:
        self._warned = True

    @property
    def has_effects(self) -> bool:
        """Whether the function set an attribute, warned, or let a generator draw that is none of ours."""
        return bool(self._set) or self._warned or bool(self.generators_that_drew())

    def add(self, other: AttributeReads) -> None:
        """Take over what a trace inside this one read and set."""
        self._read = {**{key: guard for key, guard in other._read.items() if key not in self._set}, **self._read}
        self._missed = {**{key: owner for key, owner in other._missed.items() if key not in self._set}, **self._missed}
        self._set |= other._set
        self._warned |= other._warned
        self._generators = {**other._generators, **self._generators}

    def generators_that_drew(self) -> list[str]:
        """Those of Python's and NumPy's generators that were read and then drew numbers, in words."""
        return [what for what, (generator, state) in self._generators.items() if _state_of(generator) != state]

    def was_read(self, owner: GuardedAttributes, name: str) -> bool:
        """Whether an attribute was read, or asked for in vain, before it was set."""
        return (id(owner), name) in self._read or (id(owner), name) in self._missed

    def guards(self, assigned: Iterable[Assigned]) -> AttributeGuards:
        """What was read, but for what the function itself changes: such an effect happens while tracing only.

        Tensors that are `assigned` are state, of which it counts what was there before.
        """
        state = {(id(one.owner), one.name) for one in assigned}
        read = [guard for key, guard in self._read.items() if key in state or (key not in self._set and guard.holds())]
        return AttributeGuards([*read, *[AttributeGuard(owner, key[1], Deleted, None)
                                         for key, owner in self._missed.items() if key in state]])


def variables_around(function: object) -> Iterator[tuple[str, object]]:
    """The global and nonlocal variables that a plain function reads itself, with their names."""
    if isinstance(function, FunctionType):
        code = function.__code__
        yield from ((name, function.__globals__[name]) for name in code.co_names if name in function.__globals__)
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            with contextlib.suppress(ValueError):  # a variable without a value yet
                yield name, cell.cell_contents


class _Recording(threading.local):
    reads: AttributeReads | None = None
    set_attributes: SetAttributes | None = None


_recording = _Recording()


@contextlib.contextmanager
def recorded_reads() -> Iterator[AttributeReads]:
    """A block in which this thread notes what it reads and sets of attributes."""
    outer, reads = _recording.reads, AttributeReads()
    with tracing, NotedGets():
        _recording.reads = reads
        try:
            yield reads
        finally:
            _recording.reads = outer
            if outer is not None:
                outer.add(reads)


class NotedGets:
    """A block of the thread that traces in which the class has the function that notes what is read."""

    depth: ClassVar[int] = 0  # of such blocks in each other

    def __enter__(self) -> None:
        if NotedGets.depth == 0:
            type.__setattr__(GuardedAttributes, "__getattribute__", _get_noting_it)
        NotedGets.depth += 1

    def __exit__(self, *_: object) -> None:
        NotedGets.depth -= 1
        if NotedGets.depth == 0:
            type.__delattr__(GuardedAttributes, "__getattribute__")


def was_read(owner: GuardedAttributes, name: str) -> bool:
    """Whether what is being traced read an attribute before it set it; True where reads are not noted."""
    return _recording.reads is None or _recording.reads.was_read(owner, name)


def exchange_set_attributes(noting: SetAttributes | None) -> SetAttributes | None:
    """Let `noting` be what this thread tells which attributes it sets; gives what it told so far."""
    before, _recording.set_attributes = _recording.set_attributes, noting
    return before


def note_warning() -> None:
    """Say that what is being traced warns, if something is: each function like it has to be traced to warn too."""
    if _recording.reads is not None:
        _recording.reads.note_warning()


def _get_noting_it(self: GuardedAttributes, name: str) -> Any:
    try:
        value = super(GuardedAttributes, self).__getattribute__(name)
    except AttributeError:
        if _recording.reads is not None:
            _recording.reads.note_missed(self, name)
        raise
    if _recording.reads is not None:
        _recording.reads.note_read(self, name, value)
    if value.__class__ in (list, dict) and _recording.set_attributes is not None and _may_be_users(self, name):
        _recording.set_attributes.note_content(self, name, value)
    return value


def _may_be_users(owner: GuardedAttributes, name: str) -> bool:
    """Whether it is no attribute of Python itself, nor a private one of a class of this package."""
    return name[0] != "_" or (not name.startswith("__") and not type(owner).__module__.startswith("tarazu."))


def _note_change(owner: GuardedAttributes, name: str) -> None:
    _Changes.last = next(_Changes.numbers)
    if _recording.reads is not None:
        _recording.reads.note_set(owner, name)


def _is_state(owner: GuardedAttributes, name: str, value: object) -> bool:
    """Whether it is an attribute of the instance, or a number or text of its class: no method and no property."""
    if name.startswith("__") or name in type(owner).UNGUARDED:
        return False
    if name in object.__getattribute__(owner, "__dict__"):
        return True
    return is_plain(value) and next((vars(kind)[name] for kind in type(owner).__mro__ if name in vars(kind)),
                                    Deleted) is value


def is_plain(value: object) -> bool:
    """Whether it is a number, text, None or a tuple of such, whose equality `repr` tells, as it tells 0.0 from -0.0."""
    return isinstance(value, _SCALARS) or (type(value) is tuple and all(map(is_plain, value)))


def is_same(first: object, second: object) -> bool:
    """Whether two values are the same object, or equal numbers or texts of one type."""
    if first is second or type(first) is not type(second):
        return first is second
    return first == second if type(first) is bytes else is_plain(first) and repr(first) == repr(second)


def parts_of(value: object) -> Sequence[Any] | None:
    """What is in a list, a dict, an array or an object of settings such as a dataclass, nested too; None for others."""
    if type(value) is np.ndarray:
        return _parts_of_array(value)
    if type(value) is list:
        flat = value
    elif type(value) is dict:
        flat = [*value, *value.values()]
    elif _is_record(value):
        flat = [*vars(value), *vars(value).values()]
    else:
        return None
    if not _CONTAINERS.isdisjoint(map(type, flat)):
        flat = [part for item in flat for part in _nested(item)]
    return flat if len(flat) <= MOST_PARTS else None


def _parts_of_array(array: np.ndarray) -> Sequence[Any] | None:
    """Dtype, shape and content of a small array of numbers, which may be written to in place."""
    is_small = array.nbytes <= MOST_BYTES and not array.dtype.hasobject
    return [str(array.dtype), array.shape, array.tobytes()] if is_small else None


def _nested(item: object) -> Iterator[object]:
    """The item, or where it is a container its type, its size and what is in it, unless that is too much."""
    parts = parts_of(list(item) if isinstance(item, tuple) else item) if type(item) in _CONTAINERS else None
    if parts is None:
        yield item
    else:
        yield from (type(item), len(parts), *parts)


def _is_record(value: object) -> bool:
    """Whether an object is one of settings, as a dataclass or a namespace: it holds numbers, text, tensors, modules."""
    if isinstance(value, Tensor | GuardedAttributes | ModuleType | FunctionType | type):
        return False
    content = getattr(value, "__dict__", {})
    return bool(content) and all(is_plain(x) or isinstance(x, Tensor | GuardedAttributes) for x in content.values())


@functools.cache
def _generators() -> tuple[type, ...]:
    """The classes of generators of Python and NumPy, whose modules take longer to import than many of ours."""
    from random import Random

    return np.random.Generator, np.random.RandomState, Random


def _state_of(generator: Any) -> str:  # one of `_generators`
    """The state of a generator of Python or NumPy, as text that can be compared."""
    if isinstance(generator, np.random.Generator):
        return repr(generator.bit_generator.state)
    return repr(generator.get_state() if isinstance(generator, np.random.RandomState) else generator.getstate())


def _text(value: object) -> str:
    """A value in words."""
    if value is Deleted:
        return "nothing"
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if is_plain(value) or isinstance(value, list | dict):
        text = repr(value)
        return text if len(text) <= 60 else text[:57] + "..."
    return getattr(value, "__name__", None) or f"a {type(value).__name__}"
