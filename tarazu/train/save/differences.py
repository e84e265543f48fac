"""Where a model is not as its constructors leave it: it is compared, attribute by attribute, with one made anew."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import pickle
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from tarazu.nn.module.module import Module
from tarazu.optim.optimizer import Optimizer
from tarazu.runtime.jit.jit import Jit
from tarazu.runtime.random import Generator
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.train.save.structure import NOT_SAVED, Changes

MISSING = object()


def differences(model: Module, twin: Module) -> Changes:
    """The attributes, by the paths of layers in `model`, that are others in `twin`.

    Tensors are the same when class, shape and dtype are and they stand in the same positions; their elements are not
    compared. Layers are the same when class, arguments and all attributes are, and they stand in the same positions.
    """
    comparison = _Comparison(model)
    comparison.same(model, twin)
    return comparison.changes


def alike(model: Module, twin: Module, own: object, other: object) -> bool:
    """Whether two models are the same but for the elements of their tensors, and what belongs to each is the same."""
    comparison = _Comparison(model)
    return comparison.same(model, twin) and not comparison.changes and comparison.same(own, other)


class _Comparison:
    def __init__(self, model: Module) -> None:
        self.changes: Changes = {}
        self._paths = {id(module): path for path, module in model.named_modules()}
        self._tensors = {id(x) for _, x in model.named_tensors()}
        self._partners: dict[int, object] = {}  # in the twin, by the ids of modules, tensors and other objects
        self._taken: set[int] = set()  # their ids

    def same(self, own: Any, other: Any) -> bool:
        """Whether two values are the same, as far as can be seen."""
        if isinstance(own, Jit) and isinstance(other, Jit):
            own, other = own.function, other.function  # the rest are programs
        if type(own) is not type(other):
            return False
        if isinstance(own, Module | Tensor):
            return self._partner(own, other)
        if isinstance(own, list | tuple):
            return len(own) == len(other) and all(map(self.same, own, other))
        if isinstance(own, dict):
            return list(own) == list(other) and all(self.same(own[key], other[key]) for key in own)
        if isinstance(own, np.ndarray | np.generic):
            return _same_elements(own, other)
        if own is other or id(own) in self._partners:
            return own is other or self._partners[id(own)] is other
        if isinstance(own, FunctionType | MethodType | functools.partial):
            return self._same_function(own, other)
        if isinstance(own, Optimizer):  # its state is saved beside the model's
            return self.same([*map(type, own.chain), *own.parameters], [*map(type, other.chain), *other.parameters])
        if isinstance(own, Generator):
            return own.state.tolist() == other.state.tolist()
        return self._same_object(own, other)

    def _partner(self, own: Module | Tensor, other: Any) -> bool:
        """Whether `other` stands for `own` in the twin, which is so from the first position on or not at all."""
        if id(own) in self._partners or id(other) in self._taken:
            return self._partners.get(id(own)) is other
        if isinstance(own, Tensor):
            if own.shape != other.shape or own.dtype is not other.dtype:
                return False
            if id(own) not in self._tensors and not _same_elements(own.numpy(), other.numpy()):
                return False  # the file of tensors does not hold it
        elif not _arguments_alike(own._arguments, other._arguments):
            return False
        self._partners[id(own)] = other
        self._taken.add(id(other))
        if isinstance(own, Module):
            self._compare_attributes(own, other)
        return True

    def _compare_attributes(self, own: Module, other: Module) -> None:
        path = self._paths.get(id(own))
        if path is None:
            return  # not a part of the model, but an argument that it did not keep
        names = [name for name in {**vars(own), **vars(other)} if name not in NOT_SAVED]
        changed = [name for name in names
                   if not self.same(vars(own).get(name, MISSING), vars(other).get(name, MISSING))]
        if changed:
            self.changes[path] = changed

    def _same_function(self, own: Any, other: Any) -> bool:
        if isinstance(own, FunctionType):
            self._partners[id(own)] = other  # a function may stand in its own closure
            return own.__code__ is other.__code__ and self.same(_variables(own), _variables(other))
        if isinstance(own, MethodType):
            return own.__func__ is other.__func__ and self.same(own.__self__, other.__self__)
        return self.same([own.func, own.args, own.keywords], [other.func, other.args, other.keywords])

    def _same_object(self, own: Any, other: Any) -> bool:
        if isinstance(own, type | ModuleType):
            return False
        if isinstance(own, float) and own != own:
            return bool(other != other)
        if type(own).__eq__ is not object.__eq__ and not dataclasses.is_dataclass(own):
            with contextlib.suppress(Exception):  # such as those of tables, which have no single truth
                if isinstance(equal := own == other, bool):
                    return equal
        self._partners[id(own)] = other
        if hasattr(own, "__dict__"):
            return self.same(vars(own), vars(other))
        if dataclasses.is_dataclass(own):
            return all(self.same(getattr(own, x.name), getattr(other, x.name)) for x in dataclasses.fields(own))
        try:
            return pickle.dumps(own) == pickle.dumps(other)
        except Exception:  # such as a lock or an open file: the class is all that can be compared
            return True


def _variables(function: FunctionType) -> list[object]:
    """What a function was made with beside its code: the defaults of its parameters and the variables around it."""
    with contextlib.suppress(ValueError):  # a variable that is not set yet
        return [function.__defaults__, function.__kwdefaults__, *[x.cell_contents for x in function.__closure__ or ()]]
    return []


def _same_elements(own: Any, other: Any) -> bool:
    if own.dtype != other.dtype or own.shape != other.shape:
        return False
    if own.dtype.hasobject:
        return bool(np.array_equal(own, other))
    return bool(own.tobytes() == other.tobytes())


def _arguments_alike(own: Any, other: Any) -> bool:
    """Whether two constructors were given the same; layers and other objects count by their classes."""
    if type(own) is not type(other):
        return isinstance(own, Tensor) and isinstance(other, Tensor)
    if isinstance(own, list | tuple):
        return len(own) == len(other) and all(map(_arguments_alike, own, other))
    if isinstance(own, dict):
        return own.keys() == other.keys() and all(_arguments_alike(own[key], other[key]) for key in own)
    return not isinstance(own, bool | int | float | str) or own == other or own != own
