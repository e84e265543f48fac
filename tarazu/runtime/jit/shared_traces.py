"""Traces that serve for other functions too: those that reach what is alike (likeness.py), as two fits of one model do.

What a trace has of the objects of its function, handles and owners of attributes, is kept as their numbers, so that the
objects may go, and is looked up among those of the function that takes it.
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

from tarazu.ir.interpreter import state
from tarazu.runtime.jit.compiled import Result
from tarazu.runtime.jit.input_source import Captured, GradientOf, InputSource
from tarazu.runtime.jit.likeness import Likeness, Unknown
from tarazu.runtime.jit.traced_call import CallArguments, TracedCall
from tarazu.runtime.trace.attributes import AttributeGuard, AttributeGuards, Deleted, is_plain, is_same, parts_of
from tarazu.runtime.trace.guards import Guard, guards_hold
from tarazu.transform.gradient.tape import tape_state

MOST = 256  # traces that are kept; the one that was used least recently goes first
Place = Callable[[Any], Any]  # the number for an object, or the object for a number


class _Attribute(NamedTuple):
    """An attribute that a trace read: the number of its owner, and its value where it is a number or text."""

    owner: int
    name: str
    value: Any  # Deleted for all else, which is alike


class _Kept(NamedTuple):
    """A trace with numbers in place of objects."""

    traced: TracedCall
    attributes: tuple[_Attribute, ...]


_kept: OrderedDict[Hashable, list[_Kept]] = OrderedDict()


def traced_once(trace: Callable[[], TracedCall], function: Callable[..., Any], arguments: CallArguments,
                signature: Hashable) -> TracedCall:
    """What `trace` gives for `function`; where one that reaches the like of it was traced, the same for its objects.

    `signature` is that of the call. A trace that had effects beside its result is no other function's.
    """
    try:
        here = _likeness(function, arguments)
        key = (signature, here.key)
        for kept in _kept.get(key, ()):
            if (found := _for_objects(kept, here.objects)) is not None:
                _kept.move_to_end(key)
                return found
    except (Unknown, TypeError, ValueError):  # also of what has no hash, or of a variable without a value yet
        return trace()
    traced = trace()
    try:
        if not traced.has_effects and _likeness(function, arguments).key == here.key:
            _kept.setdefault(key, []).append(_by_number(traced, here))
            if len(_kept) > MOST:
                _kept.popitem(last=False)
    except (Unknown, TypeError, ValueError):
        pass
    return traced


def _likeness(function: Callable[..., Any], arguments: CallArguments) -> Likeness:
    """What the function reaches. Unknown where tensors among the arguments are more than values."""
    if state.interpreter.notes_lines or tape_state.depth or tape_state.is_forward:
        raise Unknown
    if any(x.tape_entry is not None or x._grad is not None for x in arguments.tensors):
        raise Unknown
    return Likeness([function], arguments.tensors)


def _by_number(traced: TracedCall, here: Likeness) -> _Kept:
    """The trace, to be kept. Unknown where it has an object that is not reached, or results with gradients."""
    results = traced.outputs.results
    if traced.device is not None or traced.outputs.differentiable or not all(
            isinstance(x, Result) or is_plain(x) for x in results):
        raise Unknown
    attributes = [_Attribute(here.number(guard.owner), guard.name, guard.value if is_plain(guard.value) else Deleted)
                  for guard in traced.attributes.guards]
    return _Kept(_moved(traced, here.number, AttributeGuards()), tuple(attributes))


def _for_objects(kept: _Kept, objects: list[Any]) -> TracedCall | None:
    """The trace for these objects; None where one has another number or text than was read."""
    attributes = []
    for place, name, expected in kept.attributes:
        owner = objects[place]
        value = getattr(owner, name, Deleted)
        if not (is_same(value, expected) if is_plain(expected) else not is_plain(value)):
            return None
        parts = parts_of(value)
        attributes.append(AttributeGuard(owner, name, value, None if parts is None else tuple(parts)))
    traced = _moved(kept.traced, objects.__getitem__, AttributeGuards(attributes))
    return traced if guards_hold(traced.guards) else None


def _moved(traced: TracedCall, place: Place, attributes: AttributeGuards) -> TracedCall:
    """The trace with what `place` gives in place of each object."""
    captured = [one._replace(source=_moved_source(one.source, place)) for one in traced.captured]
    updates = [one._replace(target=_moved_source(one.target, place)) for one in traced.outputs.updates]
    return traced._replace(captured=tuple(captured), guards=tuple([_moved_guard(one, place) for one in traced.guards]),
                           attributes=attributes, outputs=traced.outputs._replace(updates=tuple(updates)))


def _moved_source(source: InputSource, place: Place) -> InputSource:
    if isinstance(source, GradientOf):
        return GradientOf(_moved_source(source.owner, place))
    return Captured(place(source.handle)) if isinstance(source, Captured) else source


def _moved_guard(guard: Guard, place: Place) -> Guard:
    """The same guard of another object. Unknown for one that reads anything but one object."""
    read = guard.read
    if not isinstance(read, functools.partial) or len(read.args) != 1 or read.keywords:
        raise Unknown
    return guard._replace(read=functools.partial(read.func, place(read.args[0])))
