"""Values as JSON content, and back: numbers, text, containers, arrays, and references to what has a name.

An object of JSON has one key that says what it is, such as {"tuple": [...]}. Modules and tensors of the model are
references, which `structure.py` makes and resolves.
"""

from __future__ import annotations

import base64
import dataclasses
import enum
import functools
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np

from tarazu.base.device import Device
from tarazu.base.dtypes import DType, as_dtype
from tarazu.base.errors import ArgumentError
from tarazu.runtime.random import Generator
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.train.save.names import Finder, Named, NotAllowedError, is_named, is_pure, name_of, require_plain_name

JSON: TypeAlias = Any  # what `json` writes and reads
Reference: TypeAlias = Callable[[Any], JSON]  # gives None for what it does not refer to
Resolve: TypeAlias = Callable[[dict[str, JSON]], Any]  # gives NotImplemented for what is no reference
Note: TypeAlias = Callable[[Named], None]  # called with each class and function that is named

SEQUENCES: dict[str, type[Any]] = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
ARRAYS: dict[str, type] = {"tensor": Tensor, "array": np.ndarray, "scalar": np.generic}
WIDEST, SLACK = 64, 2**24  # bytes in memory, of an array's elements, for each character of the file, and of any array
READABLE = "biufU"  # kinds of dtypes whose elements are written as they are, others as bytes


class CannotBeSavedError(ArgumentError):
    """A value that no file can hold; `value` is it."""

    def __init__(self, value: object) -> None:
        self.value = value
        super().__init__(f"{value!r} cannot be saved")


class Describer:
    """Describes values; `reference` is asked first, and `note` is told the classes and functions that get named."""

    def __init__(self, reference: Reference = lambda value: None, note: Note = lambda thing: None) -> None:
        self._reference, self._note = reference, note

    def name(self, thing: Named) -> str:
        """The name of a class or function."""
        self._note(thing)
        return name_of(thing)

    def describe(self, value: Any) -> JSON:
        """A value as JSON content; CannotBeSavedError for what is of no kind that can be saved."""
        if value is None or type(value) in (bool, int, float, str):
            return value
        content = self._reference(value)
        for describe in (self._container, self._array, self._named, _small):
            if content is None:
                content = describe(value)
        if content is None:
            raise CannotBeSavedError(value)
        return content

    def _container(self, value: Any) -> JSON:
        for key, kind in SEQUENCES.items():
            if type(value) is kind:
                content = [self.describe(item) for item in value]
                return {key: sorted(content, key=repr) if key in ("set", "frozenset") else content}
        if type(value) is not dict:
            return None
        if all(type(key) is str for key in value):
            return {"dict": {key: self.describe(item) for key, item in value.items()}}
        return {"pairs": [[self.describe(key), self.describe(item)] for key, item in value.items()]}

    def _array(self, value: Any) -> JSON:
        key = next((key for key, kind in ARRAYS.items() if isinstance(value, kind)), None)
        if key is None:
            return None
        array = np.asarray(value)
        if array.dtype.hasobject:
            return None
        numbers = array.tolist() if array.dtype.kind in READABLE else base64.b64encode(array.tobytes()).decode()
        return {key: numbers, "dtype": str(array.dtype), "shape": list(array.shape)}

    def _named(self, value: Any) -> JSON:
        if is_named(value):
            return {"function": self.name(value)}
        if isinstance(value, enum.Enum):
            return {"enum": self.name(type(value)), "member": value.name}
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
            fields |= getattr(value, "__dict__", {})
            return {"dataclass": self.name(type(value)), "fields": {key: self.describe(x) for key, x in fields.items()}}
        if type(value) is functools.partial and is_pure(value.func) and not vars(value).keys() - {"__name__"}:
            return {"partial": self.name(value.func), "args": [self.describe(x) for x in value.args],
                    "kwargs": {key: self.describe(x) for key, x in value.keywords.items()}, "named": dict(vars(value))}
        return None


def _small(value: Any) -> JSON:
    """Values of a few other classes."""
    if type(value) is complex:
        return {"complex": [value.real, value.imag]}
    if type(value) in (bytes, bytearray):
        return {type(value).__name__: base64.b64encode(value).decode()}
    if type(value) in (slice, range):
        return {type(value).__name__: [value.start, value.stop, value.step]}
    if isinstance(value, DType):
        return {"tensor dtype": value.name}
    if isinstance(value, np.dtype) and not value.hasobject:
        return {"array dtype": str(value)}
    if type(value) is Device:
        return {"device": value.name}
    return {"generator": value.state.tolist()} if type(value) is Generator else None


class Maker:
    """Makes values from content; `resolve` is asked first, for references, and gives NotImplemented for others."""

    def __init__(self, finder: Finder, resolve: Resolve = lambda content: NotImplemented) -> None:
        self.finder, self._resolve = finder, resolve

    def make(self, content: JSON) -> Any:
        """What was described. NotAllowedError for names that may not be used and for content of no known kind."""
        if not isinstance(content, dict):
            return content
        value = self._resolve(content)
        for make in (self._container, _array, self._named, _small_value):
            if value is NotImplemented:
                value = make(content)
        if value is NotImplemented:
            raise NotAllowedError(f"content of no known kind: {', '.join(content)}")
        return value

    def make_all(self, content: dict[str, JSON]) -> dict[str, Any]:
        """`make` for each value of a dict."""
        return {key: self.make(value) for key, value in content.items()}

    def _container(self, content: dict[str, JSON]) -> Any:
        for key, kind in SEQUENCES.items():
            if key in content:
                return kind([self.make(item) for item in content[key]])
        if "dict" in content:
            return self.make_all(content["dict"])
        return {self.make(k): self.make(v) for k, v in content["pairs"]} if "pairs" in content else NotImplemented

    def _named(self, content: dict[str, JSON]) -> Any:
        if "function" in content:
            return self.finder.find(content["function"])
        if "enum" in content:
            return self.finder.class_of(content["enum"], enum.Enum)[content["member"]]
        if "dataclass" in content:
            return self._dataclass(content)
        if "partial" not in content:
            return NotImplemented
        function = self.finder.find(content["partial"])
        if not is_pure(function):
            raise NotAllowedError(f"arguments for {content['partial']}, which is no function of Tarazu's that computes")
        made = functools.partial(function, *map(self.make, content["args"]), **self.make_all(content["kwargs"]))
        vars(made).update({"__name__": str(content["named"]["__name__"])} if content["named"] else {})
        return made

    def _dataclass(self, content: dict[str, JSON]) -> Any:
        """An object with these fields; its constructor is not called."""
        kind = self.finder.class_of(content["dataclass"], object)
        if not dataclasses.is_dataclass(kind):
            raise NotAllowedError(f"{content['dataclass']} is no dataclass")
        value = object.__new__(kind)
        own = {field.name for field in dataclasses.fields(kind)}
        for name, field in content["fields"].items():
            if name not in own:
                require_plain_name(value, name)
            object.__setattr__(value, name, self.make(field))
        return value


def _array(content: dict[str, JSON]) -> Any:
    key = next((key for key in ARRAYS if key in content), None)
    if key is None:
        return NotImplemented
    numbers, dtype = content[key], np.dtype(content["dtype"])
    is_raw = isinstance(numbers, str) and "shape" in content and dtype.kind not in READABLE
    if not is_raw:
        _require_fair_size(numbers, dtype)
    array = np.frombuffer(base64.b64decode(numbers), dtype).copy() if is_raw else np.array(numbers, dtype)
    array = array.reshape(content.get("shape", array.shape))
    return Tensor(array) if key == "tensor" else array if key == "array" else array[()]


def _require_fair_size(numbers: JSON, dtype: np.dtype) -> None:
    """NotAllowedError, before memory is taken, for elements that are far wider than what the file has for them."""
    elements = list(_leaves(numbers))
    bytes_ = len(elements) * dtype.itemsize
    if dtype.hasobject or (bytes_ > SLACK and bytes_ > WIDEST * sum(len(str(x)) for x in elements)):
        raise NotAllowedError(f"an array of {bytes_:,} bytes of {dtype}", expected="numbers and texts, none far wider "
                              "than it is written")


def _leaves(numbers: JSON) -> Iterator[JSON]:
    if not isinstance(numbers, list):
        yield numbers
        return
    for item in numbers:
        yield from _leaves(item)


def _small_value(content: dict[str, JSON]) -> Any:
    for key, make in _SMALL.items():
        if key in content:
            return make(content[key])
    return NotImplemented


def _generator(state: list[int]) -> Generator:
    generator = Generator()
    generator.load_state_dict({"state": state})
    return generator


_SMALL: dict[str, Callable[[Any], Any]] = {
    "complex": lambda parts: complex(*parts), "bytes": base64.b64decode,
    "bytearray": lambda text: bytearray(base64.b64decode(text)), "slice": lambda ends: slice(*ends),
    "range": lambda ends: range(*ends), "tensor dtype": as_dtype, "array dtype": np.dtype, "device": Device,
    "generator": _generator}
