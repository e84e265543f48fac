"""Registers with operators, so that formulas read as formulas; Python numbers in them take the type of the register."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tarazu.backend.native.llvm.function import Function
from tarazu.backend.native.llvm.target import Target
from tarazu.backend.native.llvm.values import Value, constant

_ORDERED = {"<": ("olt", "slt"), "<=": ("ole", "sle"), ">": ("ogt", "sgt"), ">=": ("oge", "sge")}


class Format(NamedTuple):
    """The layout of a floating-point type of IEEE 754."""

    integer: str  # the integer type of the same width
    fraction_bits: int
    bias: int  # of the exponent
    bytes: int

    @property
    def magic(self) -> float:
        """Adding it rounds small numbers to integers, which then stand in the lowest bits of the sum."""
        return 1.5 * 2.0**self.fraction_bits

    @property
    def magic_bits(self) -> int:
        """The bit pattern of `magic`."""
        return (self.bias + self.fraction_bits) << self.fraction_bits | 1 << (self.fraction_bits - 1)


FORMATS = {"float": Format("i32", 23, 127, 4), "double": Format("i64", 52, 1023, 8)}


class Number:
    """A register of floats or integers, or a constant, in the function being written.

    `<` and its like compare floats or signed integers and do not hold for NaN. Without a target only instructions that
    every processor has are written.
    """

    __slots__ = ("function", "target", "value")

    def __init__(self, function: Function, target: Target | None, value: Value) -> None:
        self.function, self.target, self.value = function, target, value

    @property
    def lanes(self) -> int:
        return self.value.lanes

    @property
    def element(self) -> str:
        return self.value.element

    @property
    def format(self) -> Format:
        return FORMATS[self.element]

    @property
    def is_float(self) -> bool:
        return self.element in FORMATS

    def like(self, value: Value) -> Number:
        """Another register of the same function."""
        return Number(self.function, self.target, value)

    def operand(self, other: Number | float) -> Value:
        """`other` as a value of this type."""
        return other.value if isinstance(other, Number) else constant(self.value.type, other)

    def constant(self, number: float) -> Number:
        """A number in all lanes of this type."""
        return self.like(constant(self.value.type, number))

    def apply(self, instruction: str, *others: Number | float) -> Number:
        """An arithmetic instruction by LLVM's name."""
        return self.like(self.function.op(instruction, self.value, *(self.operand(other) for other in others)))

    def intrinsic(self, name: str, *others: Number | float) -> Number:
        """An intrinsic function `llvm.name` for this type."""
        return self.like(self.function.intrinsic(name, self.value, *(self.operand(other) for other in others)))

    def _arithmetic(self, name: str, other: Number | float) -> Number:
        return self.apply(f"f{name}" if self.is_float else name, other)

    def __add__(self, other: Number | float) -> Number:
        return self._arithmetic("add", other)

    def __sub__(self, other: Number | float) -> Number:
        return self._arithmetic("sub", other)

    def __rsub__(self, other: float) -> Number:
        return self.constant(other) - self

    def __mul__(self, other: Number | float) -> Number:
        return self._arithmetic("mul", other)

    __radd__, __rmul__ = __add__, __mul__

    def __truediv__(self, other: Number | float) -> Number:
        return self.apply("fdiv", other)

    def __rtruediv__(self, other: float) -> Number:
        return self.constant(other) / self

    def __pow__(self, exponent: int) -> Number:
        """By repeated squaring, for an exponent of at least 1; integers wrap around."""
        if exponent == 1:
            return self
        half = self ** (exponent // 2)
        return half * half * self if exponent % 2 else half * half

    def __neg__(self) -> Number:
        return self.apply("fneg") if self.is_float else 0 - self

    def __abs__(self) -> Number:
        return self.intrinsic("fabs") if self.is_float else choose(self < 0, -self, self)

    def __and__(self, other: Number | int) -> Number:
        return self.apply("and", other)

    def __or__(self, other: Number | int) -> Number:
        return self.apply("or", other)

    def __xor__(self, other: Number | int) -> Number:
        return self.apply("xor", other)

    def __invert__(self) -> Number:
        return self.apply("xor", 1 if self.element == "i1" else -1)

    def __lshift__(self, other: Number | int) -> Number:
        return self.apply("shl", other)

    def __rshift__(self, other: Number | int) -> Number:
        """Zeros come in at the top."""
        return self.apply("lshr", other)

    def test(self, predicate: str, other: Number | float) -> Number:
        """A comparison by LLVM's name of the predicate, such as `une` or `ult`."""
        kind = "fcmp" if self.is_float else "icmp"
        return self.like(self.function.compare(f"{kind} {predicate}", self.value, self.operand(other)))

    def _order(self, sign: str, other: Number | float) -> Number:
        of_floats, of_integers = _ORDERED[sign]
        return self.test(of_floats if self.is_float else of_integers, other)

    def __lt__(self, other: Number | float) -> Number:
        return self._order("<", other)

    def __le__(self, other: Number | float) -> Number:
        return self._order("<=", other)

    def __gt__(self, other: Number | float) -> Number:
        return self._order(">", other)

    def __ge__(self, other: Number | float) -> Number:
        return self._order(">=", other)

    def equals(self, other: Number | float) -> Number:
        return self.test("oeq" if self.is_float else "eq", other)

    def differs(self, other: Number | float) -> Number:
        return self.test("une" if self.is_float else "ne", other)

    def is_nan(self) -> Number:
        return self.test("uno", self)

    def times_plus(self, factor: Number | float, term: Number | float) -> Number:
        """self * factor + term, with one rounding where the processor has an instruction for it."""
        return self.intrinsic("fmuladd", factor, term)

    def up_to(self, bound: float) -> Number:
        """The smaller of both; NaN for NaN."""
        return choose(self > bound, self.constant(bound), self)

    def at_least(self, bound: float) -> Number:
        """The larger of both; NaN for NaN."""
        return choose(self < bound, self.constant(bound), self)

    def copysign(self, sign: Number) -> Number:
        """The magnitude with the sign of another number."""
        return self.intrinsic("copysign", sign)

    def sqrt(self) -> Number:
        return self.intrinsic("sqrt")

    def to(self, conversion: str, element: str) -> Number:
        """A conversion by LLVM's name to another element type, as in `x.to("sitofp", "float")`."""
        return self.like(self.function.convert(conversion, self.value, element))

    def bits(self) -> Number:
        """The bit pattern of a float."""
        return self.to("bitcast", self.format.integer)

    def as_float(self) -> Number:
        """The float of this bit pattern."""
        return self.to("bitcast", "float" if self.element == "i32" else "double")


def choose(condition: Number, yes: Number | float, no: Number | float) -> Number:
    """`yes` where the condition holds, elsewhere `no`; at least one of them is a register."""
    typed = yes if isinstance(yes, Number) else no
    assert isinstance(typed, Number)
    return typed.like(typed.function.select(condition.value, typed.operand(yes), typed.operand(no)))


def polynomial(x: Number, coefficients: Sequence[float]) -> Number:
    """sum of coefficients[k] * x^k, by Horner's rule."""
    result: Number | float = coefficients[-1]
    for coefficient in coefficients[-2::-1]:
        result = x.times_plus(result, coefficient)
    assert isinstance(result, Number)
    return result
