"""What a function can reach, as a key: where two functions have equal keys, a trace of one is a trace of the other.

The key has the classes of objects and how they refer to each other, functions by their code, numbers and text by their
values, and of tensors shapes and dtypes, as their values are inputs of a program. Only objects of Tarazu's own classes
are described: what a user's code does may also depend on its globals, which `jit` takes for constants.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Iterable, Sequence
from enum import Enum
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from tarazu.base.dtypes import DType
from tarazu.base.spelling import is_ours
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.attributes import GuardedAttributes, is_plain
from tarazu.transform.gradient.tape import USER, Leaf

MOST_BYTES = 2**16  # of an array of NumPy in a key
_SAME = (ModuleType, BuiltinFunctionType, type, np.ufunc, np.dtype, DType, Enum)  # equal where they are one object
_context: list[Callable[[], object]] = []


class Unknown(Exception):
    """The function reaches something of which nobody knows what its trace depends on."""


def follow(read: Callable[[], object]) -> None:
    """Say that traces may depend on what `read` gives, beside what their functions reach: it becomes a root."""
    _context.append(read)


class Likeness:
    """What `roots` reach: `key` is equal for what is alike, and `objects` are then in the same order.

    Which of the `arguments` are among the objects is in the key too.

    Numbers and text that are attributes of a `GuardedAttributes` are not in the key: whoever reads one notes a guard.
    Unknown is raised for objects that are not described.
    """

    def __init__(self, roots: Iterable[object], arguments: Sequence[object] = ()) -> None:
        self.objects: list[Any] = []
        self._numbers: dict[int, int] = {}  # of the objects, by their ids
        self._key: list[Any] = []  # hashable
        for root in (*roots, *[read() for read in _context]):
            self._add(root)
        places = {id(x): i for i, x in enumerate(arguments)}
        self.key: Hashable = (*self._key, *[(self._numbers.get(id(x)), places[id(x)]) for x in arguments])

    def number(self, x: object) -> int:
        """The place of `x` among the objects; Unknown where it is none of them."""
        found = self._numbers.get(id(x))
        if found is None:
            raise Unknown
        return found

    def _add(self, x: Any) -> None:
        if is_plain(x):
            self._key += (type(x), repr(x) if isinstance(x, float | complex | tuple | np.generic) else x)
        elif isinstance(x, _SAME):
            self._key += (type(x), x)
        elif id(x) in self._numbers:
            self._key.append(self._numbers[id(x)])
        else:
            self._numbers[id(x)] = len(self.objects)
            self.objects.append(x)  # which keeps it alive, and its id its own
            _RULES.get(type(x), Likeness._add_object)(self, x)

    def _add_all(self, kind: Any, parts: Iterable[object]) -> None:
        self._key.append(kind)
        for part in parts:
            self._add(part)
        self._key.append(None)  # no part has a key of that

    def _add_object(self, x: Any) -> None:
        kind: Any = type(x)
        if not _is_ours(kind):
            raise Unknown
        if isinstance(x, Tensor):
            self._add_tensor(x)
        elif isinstance(x, tuple):  # a named tuple
            self._add_all(kind, x)
        elif _is_all_attributes(kind):
            content = _content(x) if isinstance(x, GuardedAttributes) else vars(x)
            self._key.append(tuple(content))
            self._add_all(kind, content.values())
        else:
            raise Unknown

    def _add_tensor(self, x: Tensor) -> None:
        entry = x.tape_entry
        is_leaf = type(entry) is Leaf and entry.mask == USER and entry.notes is None
        if type(x.raw) is not np.ndarray or not (entry is None or is_leaf):
            raise Unknown
        self._key += (type(x), x.raw.shape, x.raw.dtype, is_leaf and entry.handle is x, entry is None)
        self._add(x._grad)

    def _add_array(self, x: np.ndarray) -> None:
        if x.nbytes > MOST_BYTES or x.dtype.hasobject:
            raise Unknown
        self._key += (np.ndarray, x.shape, x.dtype, x.tobytes())

    def _add_set(self, x: set[Any]) -> None:
        if not all(map(is_plain, x)):
            raise Unknown
        self._key += (set, frozenset((type(part), repr(part)) for part in x))

    def _add_function(self, x: FunctionType) -> None:
        if not is_ours(x.__globals__.get("__name__") or ""):  # `__module__` may be that of a function that it wraps
            raise Unknown
        self._key += (FunctionType, id(x.__code__))  # which its module keeps alive
        cells = [cell.cell_contents for cell in x.__closure__ or ()]
        if cells or x.__defaults__ or x.__kwdefaults__ or x.__dict__:
            self._add_all(FunctionType, (x.__defaults__, x.__kwdefaults__, x.__dict__, *cells))


def _content(x: GuardedAttributes) -> dict[str, Any]:
    """The attributes that a trace may depend on and that no guard is noted of."""
    unguarded = type(x).UNGUARDED
    return {name: value for name, value in vars(x).items() if name not in unguarded and not is_plain(value)}


@functools.cache
def _is_ours(kind: type) -> bool:
    """Whether the class and those that it is made of are Tarazu's or built in. Compiled functions are no one's."""
    if kind.__module__.startswith(__package__):
        return False
    return all(is_ours(each.__module__) or each.__module__ in ("builtins", "typing") for each in kind.__mro__)


class _Empty:
    """An object that has attributes and nothing else."""


@functools.cache
def _is_all_attributes(kind: type) -> bool:
    """Whether all that an instance is made of stands in its `__dict__`."""
    return kind.__basicsize__ == _Empty.__basicsize__ and not kind.__itemsize__ and kind.__dictoffset__ != 0


_RULES: dict[type, Callable[[Likeness, Any], None]] = {
    list: lambda to, x: to._add_all(list, x),
    tuple: lambda to, x: to._add_all(tuple, x),
    dict: lambda to, x: to._add_all(dict, (part for item in x.items() for part in item)),
    set: Likeness._add_set,
    np.ndarray: Likeness._add_array,
    FunctionType: Likeness._add_function,
    MethodType: lambda to, x: to._add_all(MethodType, (x.__func__, x.__self__)),
    functools.partial: lambda to, x: to._add_all(functools.partial, (x.func, x.args, x.keywords, x.__dict__)),
}
