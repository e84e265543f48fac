"""The tables of mathematical functions, by precision; each becomes one function of the module per type of register.

All are within 2 units in the last place. Those of single precision that training needs are computed in it, the others
in double precision. Some of double precision are the C library's, element after element.
"""

from __future__ import annotations

from tarazu.backend.native.math import exponential, gamma, logarithm, power, trigonometry
from tarazu.backend.native.math.functions import Formula, by_c_library, in_double, outlined
from tarazu.backend.native.math.number import Number

SINGLE: dict[str, Formula] = {
    "exp": exponential.exp,
    "expm1": in_double(exponential.expm1),
    "log": logarithm.log,
    "log1p": logarithm.log1p,
    "sin": in_double(trigonometry.single_sin),
    "cos": in_double(trigonometry.single_cos),
    "tan": in_double(trigonometry.single_tan),
    "asin": in_double(trigonometry.single_asin),
    "acos": in_double(trigonometry.single_acos),
    "atan": in_double(trigonometry.single_atan),
    "sinh": in_double(exponential.sinh),
    "cosh": in_double(exponential.cosh),
    "tanh": exponential.tanh,
    "asinh": in_double(logarithm.asinh),
    "acosh": in_double(logarithm.acosh),
    "atanh": in_double(logarithm.atanh),
    "sigmoid": exponential.sigmoid,
    "erf": gamma.erf,
    "lgamma": in_double(gamma.lgamma),
    "pow": power.power,
    "atan2": in_double(trigonometry.single_atan2),
}

DOUBLE: dict[str, Formula] = {
    **{name: by_c_library(name) for name in SINGLE},
    "exp": exponential.exp,
    "expm1": exponential.expm1,
    "log": logarithm.log,
    "log1p": logarithm.log1p,
    "sin": trigonometry.sin,
    "cos": trigonometry.cos,
    "tanh": exponential.tanh,
    "sigmoid": exponential.sigmoid,
    "lgamma": gamma.lgamma,
}


def mathematics(name: str, *inputs: Number) -> Number:
    """The function `name` for registers of float or double."""
    formulas = SINGLE if inputs[0].element == "float" else DOUBLE
    return outlined(name, formulas[name], *inputs)


def polygamma(x: Number, order: int) -> Number:
    """The derivative of digamma of that order, computed in double precision."""
    def formula(y: Number) -> Number:
        return gamma.polygamma(y, order)
    return outlined(f"polygamma{order}", formula if x.element == "double" else in_double(formula), x)
