"""Values of LLVM IR: the text of a register or constant with its type; constants know their numbers."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Value(NamedTuple):
    """A register or a constant, with its LLVM type."""

    text: str
    type: str
    numbers: tuple[float, ...] = ()  # of a constant: one for all lanes, or one for each; of a register: none

    @property
    def number(self) -> float | None:
        """The number that a constant has in every lane; None for registers, and for constants whose lanes differ."""
        return self.numbers[0] if len(self.numbers) == 1 else None

    @property
    def lanes(self) -> int:
        """The number of elements of a vector; 0 for a scalar."""
        return int(self.type[1:].split(" ", 1)[0]) if self.type[0] == "<" else 0

    @property
    def element(self) -> str:
        """The type of one element."""
        return element_of(self.type)


Index = int | Value  # an i64: a number that is known while the code is written, or a register

NULL = Value("null", "ptr")


def vector(element: str, lanes: int) -> str:
    """The type of `lanes` elements; of the element itself for 0."""
    return f"<{lanes} x {element}>" if lanes else element


def element_of(type_: str) -> str:
    """The type of one element of a vector, or a scalar type itself."""
    return type_[1:-1].split(" x ", 1)[1] if type_[0] == "<" else type_


def constant(type_: str, number: float) -> Value:
    """The same number in every lane of `type_`, rounded to what the type has."""
    element = element_of(type_)
    number = _represented(element, number)
    text = _literal(element, number)
    return Value(f"splat ({element} {text})" if type_[0] == "<" else text, type_, (number,))


def constants(element: str, numbers: Sequence[float]) -> Value:
    """A vector with a number of its own in each lane."""
    represented = tuple([_represented(element, number) for number in numbers])
    text = ", ".join([f"{element} {_literal(element, number)}" for number in represented])
    return Value(f"<{text}>", vector(element, len(numbers)), represented)


def _represented(element: str, number: float) -> float:
    """A number as the scalar type `element` holds it: a bool, an integer, or a float, rounded where necessary."""
    if element == "i1":
        return bool(number)
    if element[0] == "i":
        return int(number)
    with np.errstate(over="ignore"):
        return float(np.float32(number)) if element == "float" else float(number)


def _literal(element: str, number: float) -> str:
    """A number of the scalar type `element` as LLVM writes it: floats as the bits of a double."""
    if element == "i1":
        return "true" if number else "false"
    return str(number) if element[0] == "i" else f"0x{struct.unpack('<Q', struct.pack('<d', number))[0]:016X}"


def index_text(x: Index) -> str:
    """An index as it stands in instructions."""
    return str(x) if isinstance(x, int) else x.text


_SHORT = {"float": "f32", "double": "f64", "i1": "i1", "i8": "i8", "i16": "i16", "i32": "i32", "i64": "i64"}


def short_name(type_: str) -> str:
    """A type as it stands in the names of intrinsics: `v16f32` for `<16 x float>`."""
    value = Value("", type_)
    return f"v{value.lanes}{_SHORT[value.element]}" if value.lanes else _SHORT[type_]
