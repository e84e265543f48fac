"""A look at what a model gives for some rows, before its programs are traced: what comes out, and whether it fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from operator import is_
from typing import TypeVar

from tarazu.ir.interpreter import state
from tarazu.nn.module.mode import in_mode
from tarazu.nn.module.module import Module
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.numpy_threads import one_numpy_thread
from tarazu.runtime.trace.shapes import ShapeTrace

T = TypeVar("T")


def look(model: Module, function: Callable[[], T]) -> T:
    """What `function`, which calls `model`, gives in evaluation mode: shapes of tensors, their numbers mostly not.

    Where shapes are not enough (layers have to see an input, code looks at numbers, a call changes the model) it is
    called eagerly, and so it is where anything raises, so that errors are those of eager calls.

    >>> import tarazu as tz
    >>> model = tz.nn.Dense(2, in_features=3)
    >>> look(model, lambda: model(tz.ones((1, 3)))).shape
    (1, 2)
    """
    with in_mode(model, training=False), no_grad():
        interpreter = state.interpreter
        if not interpreter.is_tracing and not interpreter.notes_lines:
            with suppress(Exception), _unchanged(model), ShapeTrace():  # the eager call says what is wrong
                return function()
        with one_numpy_thread():
            return function()


class _ChangedError(Exception):
    """A call set attributes of the model."""


@contextmanager
def _unchanged(model: Module) -> Iterator[None]:
    """A block after which no module has other attributes than before; _ChangedError where it set some."""
    before = [(module, {**vars(module)}) for _, module in model.named_modules()]
    try:
        yield
    finally:
        changed = [(module, content) for module, content in before if not _holds(vars(module), content)]
        for module, content in changed:
            vars(module).clear()
            vars(module).update(content)
    if changed:
        raise _ChangedError


def _holds(now: dict[str, object], before: dict[str, object]) -> bool:
    now, before = _guarded(now), _guarded(before)
    return len(now) == len(before) and all(map(is_, now, before)) and all(map(is_, now.values(), before.values()))


def _guarded(content: dict[str, object]) -> dict[str, object]:
    """Without what no trace depends on, such as whether a layer was called before."""
    return {name: value for name, value in content.items() if name not in Module.UNGUARDED}
