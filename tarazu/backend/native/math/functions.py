"""Ways to write a function of registers: once for the whole module, in double precision for single precision, lane by
lane, by the C library, or with a slow path for lanes outside the range of a fast formula."""

from __future__ import annotations

from collections.abc import Callable

from tarazu.backend.native.llvm.function import phi
from tarazu.backend.native.llvm.values import Value, constant
from tarazu.backend.native.math.number import Number

Formula = Callable[..., Number]  # of one or several registers of the same type


def outlined(name: str, formula: Formula, *inputs: Number) -> Number:
    """A call of the module's function `name` for this type, which `formula` writes when it is not there yet."""
    x = inputs[0]
    full = f"{name}.{x.element}{x.lanes or ''}"
    if full not in x.function.module:
        parameters = [(y.value.type, f"x{i}") for i, y in enumerate(inputs)]
        function = x.function.module.function(full, parameters, x.value.type)
        function.ret(formula(*(Number(function, x.target, value) for value in function.parameters.values())).value)
    return x.like(x.function.call(x.value.type, full, *(y.value for y in inputs)))


def in_double(formula: Formula) -> Formula:
    """The function of single precision that computes in double precision and rounds once."""
    def narrow(*inputs: Number) -> Number:
        return formula(*(x.to("fpext", "double") for x in inputs)).to("fptrunc", "float")
    return narrow


def lane_by_lane(formula: Formula, *inputs: Number) -> Number:
    """`formula` of the scalars in each lane, in a loop."""
    x = inputs[0]
    if not x.lanes:
        return formula(*inputs)
    with x.function.loop(0, x.lanes, carried=[constant(x.value.type, 0)]) as loop:
        one = formula(*(y.like(y.function.extract(y.value, loop.index)) for y in inputs))
        loop.next = [x.function.insert(loop.values[0], one.value, loop.index)]
    return x.like(loop.results[0])


def by_c_library(name: str) -> Formula:
    """The function `name` of the C library, whose arguments are of type double, over all lanes."""
    def one(*inputs: Number) -> Number:
        x = inputs[0]
        return x.like(x.function.call("double", name, *(y.value for y in inputs)))

    def apply(*inputs: Number) -> Number:
        return lane_by_lane(one, *inputs)
    return apply


def any_lane(condition: Number) -> Value:
    """An i1: whether the condition holds in some lane."""
    if not condition.lanes:
        return condition.value
    function, whole = condition.function, f"i{condition.lanes}"
    packed = function.emit(whole, f"bitcast {condition.value.type} {condition.value.text} to {whole}")
    return function.compare("icmp ne", packed, constant(whole, 0))


def with_slow_path(fast: Number, is_outside: Number, slow: Callable[[], Number]) -> Number:
    """`fast`, or if the condition holds in any lane the result of `slow` for all lanes, computed only then."""
    function, before = fast.function, fast.function.block
    with function.when(any_lane(is_outside)):
        alternative, inside = slow(), function.block
    return fast.like(function.emit(fast.value.type, phi((fast.value, before), (alternative.value, inside))))
