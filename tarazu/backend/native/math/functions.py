"""Functions of registers: shared by a module, in another precision, lane by lane, or with a rare way out."""

from __future__ import annotations

from collections.abc import Callable

from tarazu.backend.native.llvm.values import Value, constant
from tarazu.backend.native.math.number import Number


def shared(name: str, build: Callable[..., Number], *inputs: Number) -> Number:
    """A call of the module's function `name` for this type, which `build` writes when it is not there yet."""
    x = inputs[0]
    full = f"{name}.{x.element}{x.lanes or ''}"
    if full not in x.function.module:
        made = x.function.module.function(full, [(y.value.type, f"x{i}") for i, y in enumerate(inputs)], x.value.type)
        made.ret(build(*(Number(made, x.target, value) for value in made.parameters.values())).value)
    return x.like(x.function.call(x.value.type, full, *(y.value for y in inputs)))


def widened(build: Callable[..., Number]) -> Callable[..., Number]:
    """The function in single precision that computes in double and rounds once."""
    def narrow(*inputs: Number) -> Number:
        return build(*(x.to("fpext", "double") for x in inputs)).to("fptrunc", "float")
    return narrow


def lane_by_lane(call: Callable[..., Number], *inputs: Number) -> Number:
    """`call` of the scalars in each lane, in a loop."""
    x = inputs[0]
    if not x.lanes:
        return call(*inputs)
    with x.function.loop(0, x.lanes, carried=[constant(x.value.type, 0)]) as loop:
        one = call(*(y.like(y.function.extract(y.value, loop.index)) for y in inputs))
        loop.next = [x.function.insert(loop.values[0], one.value, loop.index)]
    return x.like(loop.results[0])


def any_lane(condition: Number) -> Value:
    """An i1: whether the condition holds in some lane."""
    if not condition.lanes:
        return condition.value
    function, whole = condition.function, f"i{condition.lanes}"
    packed = function.emit(whole, f"bitcast {condition.value.type} {condition.value.text} to {whole}")
    return function.compare("icmp ne", packed, constant(whole, 0))


def in_doubt(usual: Number, condition: Number, other: Callable[[], Number]) -> Number:
    """`usual`, or the result of `other` for all lanes if the condition holds in any of them."""
    function, before = usual.function, usual.function.block
    doubtful = any_lane(condition)
    with function.when(doubtful):
        alternative, inside = other(), function.block
    return usual.like(function.emit(usual.value.type, f"phi {usual.value.type} [ {usual.value.text}, %{before} ], "
                                                      f"[ {alternative.value.text}, %{inside} ]"))


