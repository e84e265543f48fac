"""What computing costs: of a primitive for one element, and of a nest of loops."""

from __future__ import annotations

import math

from tarazu.backend.native.lowering.loop_nest import Apply, Expression, Load, Nest, Reduction, factors_in_pairs, walk
from tarazu.ir import op as ops

CHEAP = frozenset({ops.NEG, ops.ABS, ops.SIGN, ops.FLOOR, ops.CEIL, ops.ROUND, ops.TRUNC, ops.NOT, ops.ADD, ops.SUB,
                   ops.MUL, ops.MAXIMUM, ops.MINIMUM, ops.EQUAL, ops.NOT_EQUAL, ops.LESS, ops.LESS_EQUAL, ops.GREATER,
                   ops.GREATER_EQUAL, ops.AND, ops.OR, ops.XOR, ops.SHIFT_LEFT, ops.SHIFT_RIGHT, ops.WHERE, ops.CAST,
                   ops.BITCAST, ops.STOP_GRADIENT, ops.IOTA})  # these cost 1, as loading a number does
COSTLY = {ops.DIV: 4, ops.SQRT: 4, ops.FLOOR_DIVIDE: 6, ops.REMAINDER: 6, ops.POW: 30, ops.EXP: 8, ops.LOG: 10,
          ops.TANH: 10, ops.SIGMOID: 10, ops.ERF: 12, ops.SIN: 12, ops.COS: 12}
RARE = 20  # what the others cost
PRODUCT = 0.4  # what a product and its addition cost in a register tile
NANOSECONDS = 0.05  # that a cost of 1 stands for


def cost(op: ops.Op) -> int:
    """What an elementwise primitive costs for one element."""
    return 1 if op in CHEAP else COSTLY.get(op, RARE)


def estimate(nest: Nest) -> float:
    """About how many nanoseconds one thread takes for a nest."""
    inner = sum(PRODUCT if _is_product(r) else _cost(r.value) + 1 for r in nest.reductions)
    outer = _cost(*[store.value for store in nest.stores]) + len(nest.stores)
    kept = math.prod(nest.sizes[:nest.kept])
    return NANOSECONDS * (math.prod(nest.sizes) * inner * bool(nest.reductions) + kept * outer)


def _cost(*expressions: Expression) -> int:
    return sum(1 if isinstance(part, Load) else cost(part.op)
               for part in walk(*expressions) if isinstance(part, Load | Apply))


def _is_product(reduction: Reduction) -> bool:
    """Whether a reduction is a sum of products of two loads."""
    value = reduction.value
    if factors_in_pairs(value) is not None:
        return True
    return (reduction.op is ops.SUM and isinstance(value, Apply) and value.op is ops.MUL
            and all(isinstance(x, Load) for x in value.inputs))
