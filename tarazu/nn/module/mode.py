"""The mode that a module is in, training or evaluation, for the call that is under way.

`model.train()` and `model.eval()` set a mode that all threads see. Training and prediction need a mode for one call
only: they put a model into it with `in_mode`, which keeps the modes in a context variable. Other threads that use the
model at the same time do not see them.

That a jitted function is traced again where the mode is another is not decided here: who reads `Module.training` in a
traced function notes a guard (runtime/trace/guards.py), which `jit` tests at each call.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import NamedTuple, Protocol


class ModuleLike(Protocol):
    """What this file needs of a module, whose file imports this one."""

    _is_training: bool

    def named_modules(self) -> Iterator[tuple[str, ModuleLike]]:
        """The module and all below it, with their paths."""

    def train(self, mode: bool = True) -> object:
        """Put the module and all below it into a mode."""


class _Mode(NamedTuple):
    module: ModuleLike  # kept alive, so that its id stays its own
    is_training: bool


# The modes in the innermost `in_mode` block around the running code, by the ids of the modules.
_modes: ContextVar[Mapping[int, _Mode]] = ContextVar("_modes", default=MappingProxyType({}))


def mode_of(module: ModuleLike) -> bool:
    """Whether the module is in training mode here."""
    mode = _modes.get().get(id(module))
    return module._is_training if mode is None else mode.is_training


def set_mode(modules: Iterable[ModuleLike], is_training: bool) -> None:
    """Put the modules into a mode: until the end of the `in_mode` block where there is one for them, else for good."""
    modes, changed = _modes.get(), {}
    for module in modules:
        if id(module) in modes:
            changed[id(module)] = _Mode(module, is_training)
        else:
            module._is_training = is_training
    if changed:
        _modes.set({**modes, **changed})


def share_mode(parent: ModuleLike, modules: Iterable[ModuleLike]) -> None:
    """Put modules that `parent` has just made into its mode, which may be that of an `in_mode` block."""
    modes = _modes.get()
    if id(parent) in modes:
        _modes.set({**modes, **{id(module): _Mode(module, mode_of(parent)) for module in modules}})
    else:
        set_mode(modules, mode_of(parent))


class EvaluationMode:
    """A block in which some modules are in evaluation mode; unlike `in_mode` it asks no model which they are."""

    __slots__ = ("_inside", "_token")

    def __init__(self, inside: Mapping[int, _Mode]) -> None:
        self._inside = inside

    @staticmethod
    def modes_of(modules: Iterable[ModuleLike]) -> Mapping[int, _Mode]:
        """What the block takes, which may serve for any number of blocks."""
        return {id(module): _Mode(module, False) for module in modules}

    def __enter__(self) -> None:
        outer = _modes.get()
        self._token = _modes.set({**outer, **self._inside} if outer else self._inside)

    def __exit__(self, *_: object) -> None:
        _modes.reset(self._token)


@contextlib.contextmanager
def in_mode(model: ModuleLike, *, training: bool) -> Iterator[None]:
    """A block in which `model` and all modules below it are in that mode, for the running code only.

    `train` and `eval` called inside it count until its end.
    """
    inside = {id(module): _Mode(module, mode_of(module)) for _, module in model.named_modules()}
    token = _modes.set({**_modes.get(), **inside})
    try:
        model.train(training)
        yield
    finally:
        _modes.reset(token)
