"""LLVM IR as text: modules, functions and values, with loops and branches as `with` blocks.

Only what the generator needs: opaque pointers, numbers, fixed vectors. Index arithmetic takes Python ints beside values
and folds them, so that static sizes leave no instructions behind.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np


class Value(NamedTuple):
    """A register or a literal, with its LLVM type."""

    text: str
    type: str

    @property
    def lanes(self) -> int:
        """The number of elements of a vector; 0 for a scalar."""
        return int(self.type[1:].split(" ", 1)[0]) if self.type[0] == "<" else 0

    @property
    def element(self) -> str:
        """The type of one element."""
        return self.type[1:-1].split(" x ", 1)[1] if self.type[0] == "<" else self.type


Index = int | Value  # an i64, or one that is known


def vector(element: str, lanes: int) -> str:
    """The type of `lanes` elements; of the element itself for 0."""
    return f"<{lanes} x {element}>" if lanes else element


def literal(type_: str, number: float) -> str:
    """A number as LLVM writes it for the scalar type `type_`."""
    if type_ == "i1":
        return "true" if number else "false"
    if type_.startswith("i"):
        return str(int(number))
    if type_ == "half":
        return f"0xH{np.float16(number).view(np.uint16):04X}"
    with np.errstate(over="ignore"):
        value = float(np.float32(number)) if type_ == "float" else float(number)
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


def constant(type_: str, number: float) -> Value:
    """The same number in every lane of `type_`."""
    if type_[0] != "<":
        return Value(literal(type_, number), type_)
    element = type_[1:-1].split(" x ", 1)[1]
    return Value(f"splat ({element} {literal(element, number)})", type_)


def constants(element: str, numbers: Sequence[float]) -> Value:
    """A vector with a number of its own in each lane."""
    return Value(f"<{', '.join(f'{element} {literal(element, number)}' for number in numbers)}>",
                 vector(element, len(numbers)))


def index_text(x: Index) -> str:
    return str(x) if isinstance(x, int) else x.text


class Module:
    """Functions and what they declare, in the order in which they were made; a name is taken once."""

    def __init__(self) -> None:
        self.functions: dict[str, Function] = {}
        self.declarations: dict[str, str] = {}
        self.globals: dict[str, str] = {}

    def function(self, name: str, parameters: Sequence[tuple[str, str]], result: str = "void", *,
                 linkage: str = "internal", attributes: str = "") -> Function:
        """A new function; `parameters` are pairs of type (with attributes) and name."""
        made = self.functions[name] = Function(self, name, parameters, result, linkage, attributes)
        return made

    def __contains__(self, name: str) -> bool:
        return name in self.functions

    def text(self, attributes: str = "nounwind") -> str:
        """The whole module; `attributes` belong to every function in it."""
        bodies = [function.text() for function in self.functions.values()]
        return "\n".join([*self.declarations.values(), *self.globals.values(), *bodies,
                          f"attributes #0 = {{ {attributes} }}", ""])


class Loop:
    """A loop being written: `index` and `values` inside; set `next` there; `results` afterwards."""

    def __init__(self, index: Index, values: Sequence[Value]) -> None:
        self.index, self.values, self.next, self.results = index, list(values), list(values), list(values)


class Function:
    """A function being written, instruction by instruction."""

    def __init__(self, module: Module, name: str, parameters: Sequence[tuple[str, str]], result: str, linkage: str,
                 attributes: str) -> None:
        self.module, self.name, self.result = module, name, result
        self.head = (f"define {linkage} {result} @{name}({', '.join(f'{t} %{n}' for t, n in parameters)}) "
                     f"#0 {attributes}".rstrip())
        self.parameters = {n: Value(f"%{n}", t.split(" ", 1)[0] if t[0] != "<" else t) for t, n in parameters}
        self.lines: list[str] = []
        self.block = "entry"
        self._count = 0

    def text(self) -> str:
        return "\n".join([f"{self.head} {{", "entry:", *self.lines, "}"])

    # The bare instructions

    def fresh(self) -> str:
        self._count += 1
        return f"%v{self._count}"

    def label(self, hint: str) -> str:
        self._count += 1
        return f"{hint}{self._count}"

    def emit(self, type_: str, right: str) -> Value:
        """`right` as an instruction whose result has type `type_`."""
        name = self.fresh()
        self.lines.append(f"  {name} = {right}")
        return Value(name, type_)

    def do(self, line: str) -> None:
        """An instruction without a result."""
        self.lines.append(f"  {line}")

    def start(self, label: str) -> None:
        """Begin the block `label`."""
        self.lines.append(f"{label}:")
        self.block = label

    def ret(self, value: Value | None = None) -> None:
        self.do("ret void" if value is None else f"ret {value.type} {value.text}")

    def op(self, name: str, *values: Value) -> Value:
        """An arithmetic instruction such as `fadd`, with flags before the type: `op("fadd reassoc", a, b)`."""
        return self.emit(values[0].type, f"{name} {values[0].type} {', '.join(v.text for v in values)}")

    def compare(self, predicate: str, a: Value, b: Value) -> Value:
        """`icmp` or `fcmp`, as in `compare("fcmp olt", a, b)`."""
        return self.emit(vector("i1", a.lanes), f"{predicate} {a.type} {a.text}, {b.text}")

    def select(self, condition: Value, a: Value, b: Value) -> Value:
        return self.emit(a.type, f"select {condition.type} {condition.text}, {a.type} {a.text}, {b.type} {b.text}")

    def convert(self, name: str, value: Value, element: str) -> Value:
        """A conversion such as `fpext`, `sitofp` or `bitcast` to the element type `element`."""
        to = vector(element, value.lanes)
        return self.emit(to, f"{name} {value.type} {value.text} to {to}")

    def call(self, result: str, name: str, *arguments: Value, attributes: str = "") -> Value:
        """A call; of a function outside the module when it is not in it."""
        listed = ", ".join(f"{a.type} {a.text}" for a in arguments)
        if name not in self.module.functions:
            self.module.declarations.setdefault(
                name, f"declare {result} @{name}({', '.join(a.type for a in arguments)}) {attributes}".rstrip())
        if result == "void":
            self.do(f"call void @{name}({listed})")
            return Value("", "void")
        return self.emit(result, f"call {result} @{name}({listed})")

    def intrinsic(self, name: str, *arguments: Value, result: str = "") -> Value:
        """A call of `llvm.name.<type>`, the type being that of the first argument."""
        type_ = arguments[0].type
        return self.call(result or type_, f"llvm.{name}.{short_name(type_)}", *arguments)

    def fma(self, a: Value, b: Value, c: Value) -> Value:
        """a b + c with one rounding."""
        return self.intrinsic("fma", a, b, c)

    # Vectors

    def splat(self, value: Value, lanes: int) -> Value:
        """`value` in every lane; itself for 0 lanes."""
        if not lanes:
            return value
        type_ = vector(value.type, lanes)
        if value.text[0] not in "%":
            return Value(f"splat ({value.type} {value.text})", type_)
        first = self.emit(type_, f"insertelement {type_} poison, {value.type} {value.text}, i64 0")
        return self.emit(type_, f"shufflevector {type_} {first.text}, {type_} poison, <{lanes} x i32> zeroinitializer")

    def shuffle(self, a: Value, b: Value, places: Sequence[int]) -> Value:
        """The elements at `places` of the elements of `a` followed by those of `b`."""
        chosen = ", ".join(f"i32 {place}" for place in places)
        return self.emit(vector(a.element, len(places)),
                         f"shufflevector {a.type} {a.text}, {b.type} {b.text}, <{len(places)} x i32> <{chosen}>")

    def extract(self, value: Value, place: Index) -> Value:
        return self.emit(value.element, f"extractelement {value.type} {value.text}, i64 {index_text(place)}")

    def insert(self, value: Value, element: Value, place: Index) -> Value:
        return self.emit(value.type, f"insertelement {value.type} {value.text}, {element.type} {element.text}, "
                                     f"i64 {index_text(place)}")

    # Memory

    def offset(self, pointer: Value, index: Index, element: str = "i8") -> Value:
        """The pointer `index` elements further."""
        if isinstance(index, int) and index == 0:
            return pointer
        return self.emit("ptr", f"getelementptr {element}, ptr {pointer.text}, i64 {index_text(index)}")

    def load(self, type_: str, pointer: Value, align: int, mask: Value | None = None) -> Value:
        """Where `mask` is false, nothing is read and the lane is 0."""
        if mask is None:
            return self.emit(type_, f"load {type_}, ptr {pointer.text}, align {align}")
        name = f"llvm.masked.load.{short_name(type_)}.p0"
        self.module.declarations.setdefault(name, f"declare {type_} @{name}(ptr, {mask.type}, {type_})")
        return self.emit(type_, f"call {type_} @{name}(ptr align {align} {pointer.text}, {mask.type} {mask.text}, "
                                f"{type_} zeroinitializer)")

    def store(self, value: Value, pointer: Value, align: int, mask: Value | None = None) -> None:
        """Where `mask` is false, nothing is written."""
        if mask is not None and mask.text.count("true") == 1:
            # By itself: LLVM 22 makes a wider store of a narrowed vector of which a single lane is written.
            lane = mask.text.split(", ").index(next(one for one in mask.text.split(", ") if "true" in one))
            element = self.extract(value, lane)
            self.store(element, self.offset(pointer, lane, value.element), align)
            return
        if mask is None:
            self.do(f"store {value.type} {value.text}, ptr {pointer.text}, align {align}")
            return
        name = f"llvm.masked.store.{short_name(value.type)}.p0"
        self.module.declarations.setdefault(name, f"declare void @{name}({value.type}, ptr, {mask.type})")
        self.do(f"call void @{name}({value.type} {value.text}, ptr align {align} {pointer.text}, "
                f"{mask.type} {mask.text})")

    def prefetch(self, pointer: Value) -> None:
        """Ask for the cache line at `pointer`, which will be read and written; nothing else happens."""
        self.module.declarations.setdefault("llvm.prefetch.p0", "declare void @llvm.prefetch.p0(ptr, i32, i32, i32)")
        self.do(f"call void @llvm.prefetch.p0(ptr {pointer.text}, i32 1, i32 3, i32 1)")

    # Index arithmetic, in i64

    def add(self, a: Index, b: Index) -> Index:
        if isinstance(a, int) and isinstance(b, int):
            return a + b
        if isinstance(a, int) and a == 0:
            return b
        if isinstance(b, int) and b == 0:
            return a
        return self.emit("i64", f"add i64 {index_text(a)}, {index_text(b)}")

    def subtract(self, a: Index, b: Index) -> Index:
        if isinstance(a, int) and isinstance(b, int):
            return a - b
        if isinstance(b, int) and b == 0:
            return a
        return self.emit("i64", f"sub i64 {index_text(a)}, {index_text(b)}")

    def multiply(self, a: Index, b: Index) -> Index:
        if isinstance(a, int) and isinstance(b, int):
            return a * b
        known = a if isinstance(a, int) else b if isinstance(b, int) else None
        if known == 0:
            return 0
        if known == 1:
            return b if isinstance(a, int) else a
        return self.emit("i64", f"mul i64 {index_text(a)}, {index_text(b)}")

    def divide(self, a: Index, b: Index) -> Index:
        """The quotient of numbers of at least 0."""
        if isinstance(a, int) and isinstance(b, int):
            return a // b
        if isinstance(b, int) and b == 1:
            return a
        return self.emit("i64", f"udiv i64 {index_text(a)}, {index_text(b)}")

    def remainder(self, a: Index, b: Index) -> Index:
        """The remainder of numbers of at least 0."""
        if isinstance(a, int) and isinstance(b, int):
            return a % b
        if isinstance(b, int) and b == 1:
            return 0
        return self.emit("i64", f"urem i64 {index_text(a)}, {index_text(b)}")

    def minimum(self, a: Index, b: Index) -> Index:
        """The smaller of two signed numbers."""
        if isinstance(a, int) and isinstance(b, int):
            return min(a, b)
        return self.call("i64", "llvm.smin.i64", self.index(a), self.index(b))

    def maximum(self, a: Index, b: Index) -> Index:
        """The larger of two signed numbers."""
        if isinstance(a, int) and isinstance(b, int):
            return max(a, b)
        return self.call("i64", "llvm.smax.i64", self.index(a), self.index(b))

    def index(self, x: Index) -> Value:
        """`x` as a value."""
        return Value(str(x), "i64") if isinstance(x, int) else x

    # Control

    @contextlib.contextmanager
    def loop(self, start: Index, stop: Index, step: int = 1, carried: Sequence[Value] = ()) -> Iterator[Loop]:
        """`for index in range(start, stop, step)`, with values that go from turn to turn.

        A loop of known bounds that turns just once leaves its body behind, one that never turns must not be written.
        """
        known = isinstance(start, int) and isinstance(stop, int)
        if known and start < stop <= start + step:  # type: ignore[operator]
            loop = Loop(start, carried)
            yield loop
            loop.results = list(loop.next)
            return
        head, end, before = self.label("loop"), self.label("done"), self.block
        if known:
            assert start < stop, "a loop that never turns"  # type: ignore[operator]
            self.do(f"br label %{head}")
        else:
            enter = self.emit("i1", f"icmp slt i64 {index_text(start)}, {index_text(stop)}")
            self.do(f"br i1 {enter.text}, label %{head}, label %{end}")
        self.start(head)
        loop = Loop(Value(self.fresh(), "i64"), [Value(self.fresh(), value.type) for value in carried])
        place = len(self.lines)
        yield loop
        following = self.emit("i64", f"add nsw i64 {index_text(loop.index)}, {step}")
        again = self.emit("i1", f"icmp slt i64 {following.text}, {index_text(stop)}")
        last = self.block
        self.do(f"br i1 {again.text}, label %{head}, label %{end}")
        turns = [(loop.index, self.index(start), following), *zip(loop.values, carried, loop.next, strict=True)]
        self.lines[place:place] = [
            f"  {index_text(value)} = phi {first.type} [ {first.text}, %{before} ], [ {later.text}, %{last} ]"
            for value, first, later in turns]
        self.start(end)
        loop.results = list(loop.next)
        if not known:
            loop.results = [self.emit(first.type, f"phi {first.type} [ {first.text}, %{before} ], "
                                                  f"[ {later.text}, %{last} ]")
                            for first, later in zip(carried, loop.next, strict=True)]

    @contextlib.contextmanager
    def when(self, condition: Value) -> Iterator[None]:
        """What is done only if `condition`, an i1, holds."""
        inside, end = self.label("then"), self.label("after")
        self.do(f"br i1 {condition.text}, label %{inside}, label %{end}")
        self.start(inside)
        yield
        self.do(f"br label %{end}")
        self.start(end)


_SHORT = {"float": "f32", "double": "f64", "half": "f16", "i1": "i1", "i8": "i8", "i16": "i16", "i32": "i32",
          "i64": "i64"}


def short_name(type_: str) -> str:
    """A type as it stands in the names of intrinsics: `v16f32` for `<16 x float>`."""
    value = Value("", type_)
    return f"v{value.lanes}{_SHORT[value.element]}" if value.lanes else _SHORT[type_]
