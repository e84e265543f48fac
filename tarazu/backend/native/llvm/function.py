"""LLVM IR being written: modules and their functions, with loops and branches as `with` blocks.

Only what the generator needs: opaque pointers, numbers, fixed vectors. Index arithmetic takes Python ints beside values
and folds them, so that static sizes leave no instructions behind.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from tarazu.backend.native.llvm.values import Index, Value, constant, index_text, short_name, vector

BRIEF = "noinline optnone"  # of functions that run so briefly that optimizing them takes longer than it saves


class Module:
    """Functions, declarations and globals by name, in the order in which they were added."""

    def __init__(self) -> None:
        self.functions: dict[str, Function] = {}
        self.declarations: dict[str, str] = {}
        self.globals: dict[str, str] = {}
        self._first: dict[tuple[str, str], str] = {}  # the functions that may be shared, by all of their code

    def shared(self, function: Function) -> str:
        """The name of the function that does the same as `function`, which was just written: the first such is kept."""
        code = function.head.replace(f"@{function.name}(", "@("), "\n".join(function.lines)
        first = self._first.setdefault(code, function.name)
        if first != function.name:
            del self.functions[function.name]
        return first

    def function(self, name: str, parameters: Sequence[tuple[str, str]], result: str = "void", *,
                 linkage: str = "internal", attributes: str = "") -> Function:
        """A new function; `parameters` are pairs of type (with attributes) and name."""
        function = self.functions[name] = Function(self, name, parameters, result, linkage, attributes)
        return function

    def __contains__(self, name: str) -> bool:
        return name in self.functions

    def text(self, attributes: str = "nounwind") -> str:
        """The whole module; `attributes` are those of every function in it."""
        bodies = [function.text() for function in self.functions.values()]
        return "\n".join([*self.declarations.values(), *self.globals.values(), *bodies,
                          f"attributes #0 = {{ {attributes} }}", ""])


class Loop:
    """A loop being written: inside, `index` and the carried `values` of the iteration, whose body sets `next`, the
    values of the next iteration; afterwards `results`, the last ones."""

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
        """The name of a new register."""
        self._count += 1
        return f"%v{self._count}"

    def label(self, hint: str) -> str:
        """The name of a new block."""
        self._count += 1
        return f"{hint}{self._count}"

    def emit(self, type_: str, right: str) -> Value:
        """The register, of type `type_`, that the instruction `right` gives."""
        name = self.fresh()
        self.lines.append(f"  {name} = {right}")
        return Value(name, type_)

    def do(self, line: str) -> None:
        """Write an instruction without a result."""
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

    def call(self, result: str, name: str, *arguments: Value) -> Value:
        """A call; a function that the module does not have is declared as one from outside."""
        listed = ", ".join(f"{a.type} {a.text}" for a in arguments)
        if name not in self.module.functions:
            self.module.declarations.setdefault(
                name, f"declare {result} @{name}({', '.join(a.type for a in arguments)})")
        if result == "void":
            self.do(f"call void @{name}({listed})")
            return Value("", "void")
        return self.emit(result, f"call {result} @{name}({listed})")

    def intrinsic(self, name: str, *arguments: Value, result: str = "") -> Value:
        """A call of `llvm.name.<type>`, the type being that of the first argument."""
        type_ = arguments[0].type
        return self.call(result or type_, f"llvm.{name}.{short_name(type_)}", *arguments)

    def invert(self, condition: Value) -> Value:
        """The negation of an i1, or of a vector of them."""
        return self.op("xor", condition, constant(condition.type, True))

    def fma(self, a: Value, b: Value, c: Value) -> Value:
        """a b + c with one rounding."""
        return self.intrinsic("fma", a, b, c)

    # Vectors

    def splat(self, value: Value, lanes: int) -> Value:
        """`value` in every lane; itself for 0 lanes."""
        if not lanes:
            return value
        type_ = vector(value.type, lanes)
        if value.number is not None:
            return constant(type_, value.number)
        first = self.emit(type_, f"insertelement {type_} poison, {value.type} {value.text}, i64 0")
        return self.emit(type_, f"shufflevector {type_} {first.text}, {type_} poison, <{lanes} x i32> zeroinitializer")

    def shuffle(self, a: Value, b: Value, lanes: Sequence[int]) -> Value:
        """The elements of the lanes `lanes`, counted through `a` and then through `b`."""
        mask = ", ".join(f"i32 {lane}" for lane in lanes)
        return self.emit(vector(a.element, len(lanes)),
                         f"shufflevector {a.type} {a.text}, {b.type} {b.text}, <{len(lanes)} x i32> <{mask}>")

    def extract(self, value: Value, lane: Index) -> Value:
        return self.emit(value.element, f"extractelement {value.type} {value.text}, i64 {index_text(lane)}")

    def insert(self, value: Value, element: Value, lane: Index) -> Value:
        return self.emit(value.type, f"insertelement {value.type} {value.text}, {element.type} {element.text}, "
                                     f"i64 {index_text(lane)}")

    # Memory

    def offset(self, pointer: Value, index: Index, element: str = "i8") -> Value:
        """The pointer `index` elements further."""
        if isinstance(index, int) and index == 0:
            return pointer
        return self.emit("ptr", f"getelementptr {element}, ptr {pointer.text}, i64 {index_text(index)}")

    def load(self, type_: str, pointer: Value, align: int, mask: Value | None = None) -> Value:
        """Load a value; in lanes where `mask` is false nothing is read, and they are 0."""
        if mask is None:
            return self.emit(type_, f"load {type_}, ptr {pointer.text}, align {align}")
        name = f"llvm.masked.load.{short_name(type_)}.p0"
        self.module.declarations.setdefault(name, f"declare {type_} @{name}(ptr, {mask.type}, {type_})")
        return self.emit(type_, f"call {type_} @{name}(ptr align {align} {pointer.text}, {mask.type} {mask.text}, "
                                f"{type_} zeroinitializer)")

    def store(self, value: Value, pointer: Value, align: int, mask: Value | None = None) -> None:
        """Store a value; in lanes where `mask` is false nothing is written."""
        if mask is not None and (lane := _only_lane(mask)) is not None:
            # By itself: LLVM 22 makes a wider store of a narrowed vector of which a single lane is written.
            self.store(self.extract(value, lane), self.offset(pointer, lane, value.element), align)
            return
        if mask is None:
            self.do(f"store {value.type} {value.text}, ptr {pointer.text}, align {align}")
            return
        name = f"llvm.masked.store.{short_name(value.type)}.p0"
        self.module.declarations.setdefault(name, f"declare void @{name}({value.type}, ptr, {mask.type})")
        self.do(f"call void @{name}({value.type} {value.text}, ptr align {align} {pointer.text}, "
                f"{mask.type} {mask.text})")

    def prefetch(self, pointer: Value, *, write: bool) -> None:
        """Fetch the cache line at `pointer` into the cache, to be read only or to be written too."""
        keep, data = constant("i32", 3), constant("i32", 1)
        self.call("void", "llvm.prefetch.p0", pointer, constant("i32", write), keep, data)

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
        """`x`, a Python int or a value, as a value."""
        return constant("i64", x) if isinstance(x, int) else x

    # Control

    @contextlib.contextmanager
    def loop(self, start: Index, stop: Index, step: int = 1, carried: Sequence[Value] = ()) -> Iterator[Loop]:
        """`for index in range(start, stop, step)`, with values that are carried from iteration to iteration.

        Of a loop with known bounds and a single iteration only the body is written; one without any is an error.
        """
        length = stop - start if isinstance(start, int) and isinstance(stop, int) else None
        if length is not None and 0 < length <= step:
            loop = Loop(start, carried)
            yield loop
            loop.results = list(loop.next)
            return
        head, end, before = self.label("loop"), self.label("done"), self.block
        if length is not None:
            assert length > 0, "a loop without iterations"
            self.do(f"br label %{head}")
        else:
            enter = self.emit("i1", f"icmp slt i64 {index_text(start)}, {index_text(stop)}")
            self.do(f"br i1 {enter.text}, label %{head}, label %{end}")
        self.start(head)
        index = Value(self.fresh(), "i64")
        loop = Loop(index, [Value(self.fresh(), value.type) for value in carried])
        top = len(self.lines)
        yield loop
        following = self.emit("i64", f"add nsw i64 {index.text}, {step}")
        again = self.emit("i1", f"icmp slt i64 {following.text}, {index_text(stop)}")
        last = self.block
        self.do(f"br i1 {again.text}, label %{head}, label %{end}")
        rows = [(index, self.index(start), following), *zip(loop.values, carried, loop.next, strict=True)]
        self.lines[top:top] = [f"  {value.text} = {phi((first, before), (later, last))}"
                               for value, first, later in rows]
        self.start(end)
        loop.results = loop.next if length is not None else [
            self.emit(first.type, phi((first, before), (later, last)))
            for first, later in zip(carried, loop.next, strict=True)]

    @contextlib.contextmanager
    def when(self, condition: Value) -> Iterator[None]:
        """A block that is run only if `condition`, an i1, holds."""
        inside, end = self.label("then"), self.label("after")
        self.do(f"br i1 {condition.text}, label %{inside}, label %{end}")
        self.start(inside)
        yield
        self.do(f"br label %{end}")
        self.start(end)


def phi(*incoming: tuple[Value, str]) -> str:
    """The phi instruction: of pairs (value, block), the value of the block that control comes from."""
    pairs = ", ".join([f"[ {value.text}, %{block} ]" for value, block in incoming])
    return f"phi {incoming[0][0].type} {pairs}"


def _only_lane(mask: Value) -> int | None:
    """The lane of a constant mask that is true, if it is the only one."""
    return mask.numbers.index(True) if len(mask.numbers) == mask.lanes and sum(mask.numbers) == 1 else None
