"""The functions of one and two floats, by name and precision; each is one function of the module per type.

All are within 2 units in the last place. Single precision is computed straight where training needs it and in double
where it is rare; double precision partly by the C library, element after element.
"""

from __future__ import annotations

from collections.abc import Callable

from tarazu.backend.native.math import angles, c_library, exponential, gamma, logarithm, power, trigonometry
from tarazu.backend.native.math.functions import shared, widened
from tarazu.backend.native.math.number import Number

Formula = Callable[..., Number]

SINGLE: dict[str, Formula] = {
    "exp": exponential.exp,
    "expm1": widened(exponential.expm1),
    "log": logarithm.log,
    "log1p": logarithm.log1p,
    "sin": widened(angles.sin),
    "cos": widened(angles.cos),
    "tan": widened(angles.tan),
    "asin": widened(angles.asin),
    "acos": widened(angles.acos),
    "atan": widened(angles.atan),
    "sinh": widened(exponential.sinh),
    "cosh": widened(exponential.cosh),
    "tanh": exponential.tanh,
    "asinh": widened(logarithm.asinh),
    "acosh": widened(logarithm.acosh),
    "atanh": widened(logarithm.atanh),
    "sigmoid": exponential.sigmoid,
    "erf": gamma.erf,
    "lgamma": widened(c_library.lgamma),
    "pow": power.power,
    "atan2": widened(angles.atan2),
}

DOUBLE: dict[str, Formula] = {
    **{name: c_library.by_c_library(name) for name in SINGLE},
    "exp": exponential.exp,
    "expm1": exponential.expm1,
    "log": logarithm.log,
    "log1p": logarithm.log1p,
    "sin": trigonometry.sin,
    "cos": trigonometry.cos,
    "tanh": exponential.tanh,
    "sigmoid": exponential.sigmoid,
    "lgamma": c_library.lgamma,
}


def mathematics(name: str, *inputs: Number) -> Number:
    """The function `name` of registers of float or double."""
    formulas = SINGLE if inputs[0].element == "float" else DOUBLE
    return shared(name, formulas[name], *inputs)


def polygamma(x: Number, order: int) -> Number:
    """The derivative of digamma of that order; computed in double."""
    def formula(y: Number) -> Number:
        return gamma.polygamma(y, order)
    return shared(f"polygamma{order}", formula if x.element == "double" else widened(formula), x)
