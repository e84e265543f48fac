"""What a call of a jitted function looked like, in words, and why it did not fit what had been traced before."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tarazu.base.device import CPU
from tarazu.base.pytree import Structure
from tarazu.runtime.jit.compiled import Compiled, Description, signature
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.guards import broken_guards


class CacheInfo(NamedTuple):
    """What a jitted function keeps: its name, how often each signature that was traced has run, what those were."""

    name: str
    traces: int
    calls: int
    signatures: tuple[tuple[str, int], ...]  # in words, and the number of calls

    def __str__(self) -> str:
        head = f"{self.name}: {_calls(self.calls)}, {self.traces} traced"
        return "\n".join([head, *[f"  {text}: {_calls(calls)}" for text, calls in self.signatures]])


def _calls(count: int) -> str:
    return f"{count} call{'' if count == 1 else 's'}"


def describe(function: Callable[..., Any], leaves: list[Any], structure: Structure) -> Description:
    """Each leaf of (args, kwargs) by its name."""
    args, kwargs = structure.children
    positional = _positional_names(function, len(args.children))
    names = [*_leaf_names(args, positional), *_leaf_names(kwargs, None)]
    by_name = {name: _leaf_text(leaf) for name, leaf in zip(names, leaves, strict=True)}
    return {**by_name, **{f"the structure of {name}": text for name, text in _containers(args, positional)}}


def _positional_names(function: Callable[..., Any], count: int) -> list[str]:
    """The names of the function's first positional parameters; of a module those of its `forward`."""
    try:
        parameters = list(inspect.signature(getattr(function, "forward", function)).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [names[i] if i < len(names) else f"number {i}" for i in range(count)]


def _leaf_names(structure: Structure, children: list[str] | None, path: str = "") -> Iterator[str]:
    """The names of the leaves of a container; `children` are those of its own elements, where they are not its keys."""
    if structure.kind is None:
        yield path
    keys = children or [str(key) for key in structure.keys] or getattr(structure.kind, "_fields", None)
    for i, child in enumerate(structure.children):
        name = keys[i] if keys else str(i)
        yield from _leaf_names(child, None, f"{path}.{name}" if path else name)


def _containers(args: Structure, names: list[str]) -> Iterator[tuple[str, str]]:
    """The arguments that are no leaf, whose nesting is part of the signature."""
    for name, child in zip(names, args.children, strict=True):
        if child.kind is not None:
            keys = f" with keys {', '.join(map(str, child.keys))}" if child.keys else f" of {len(child.children)}"
            yield name, "None" if child.kind is type(None) else f"{child.kind.__name__}{keys}"


def _leaf_text(leaf: object) -> str:
    if not isinstance(leaf, Tensor):
        return repr(leaf)
    type_, is_tracked = signature(leaf)
    return f"{type_}{' that requires grad' if is_tracked else ''}{' with a gradient' if leaf._grad is not None else ''}"


def in_words(description: Description) -> str:
    """A signature on one line."""
    return ", ".join(f"{name} {text}" for name, text in description.items()) or "no arguments"


def reasons(description: Description, tensors: list[Tensor], before: list[Compiled],
            candidates: list[Compiled]) -> list[str]:
    """Why a call fits none of the traced signatures: what differs from the nearest of them."""
    if candidates:  # the arguments are as they were; something outside is not
        return min((_changes_outside(compiled, tensors) for compiled in reversed(candidates)), key=len)
    nearest = min((compiled.description for compiled in reversed(before)),
                  key=lambda other: len(_differences(other, description)))
    return (_differences(nearest, description)
            or ["gradients are recorded now and were not before, or the other way round"])


def _differences(old: Description, new: Description) -> list[str]:
    changed = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return [_difference(name, old.get(name), new.get(name)) for name in changed]


def _difference(name: str, old: str | None, new: str | None) -> str:
    if old is None:
        return f"argument {name}: {new} came in"
    if new is None:
        return f"argument {name}: {old} is gone"
    return f"argument {name}: {old} became {new}"


def _changes_outside(compiled: Compiled, tensors: list[Tensor]) -> list[str]:
    changes = [*broken_guards(compiled.guards), *[guard.change() for guard in compiled.attributes.broken()]]
    if changes:
        return changes
    for source, name, (type_, was_tracked) in compiled.captured:
        new_type, is_tracked = signature(source.find(tensors))
        if new_type != type_:
            changes.append(f"captured tensor {name}: {type_} became {new_type}")
        elif is_tracked != was_tracked:
            changes.append(f"captured tensor {name} ({type_}): it {'now' if is_tracked else 'no longer'} requires grad")
    device_now = compiled.device_for(compiled.inputs(tensors))
    return changes or [f"it ran on {compiled.device or CPU} and runs now on {device_now or CPU}"]
