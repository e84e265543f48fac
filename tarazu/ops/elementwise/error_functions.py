"""The complement of the error function and the inverse, by approximations; and the inverse of the sigmoid.

Their derivatives are exact: the approximations count as constants, and terms that are 0 carry the gradients.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from tarazu.base import dtypes
from tarazu.ops.elementwise.arithmetic import (
    abs,
    add,
    clip,
    divide,
    maximum,
    multiply,
    negative,
    sqrt,
    square,
    subtract,
    trunc,
)
from tarazu.ops.elementwise.comparison import equal, less, less_equal, where
from tarazu.ops.elementwise.conversion import stop_gradient
from tarazu.ops.elementwise.exponential import exp, log, log1p
from tarazu.ops.elementwise.floats import copysign
from tarazu.ops.elementwise.special import erf
from tarazu.ops.promote import as_float, rounded_like, single
from tarazu.ops.typing import ArrayLike, Tensor

# (1 + 2x) exp(x^2) erfc(x) as Chebyshev polynomials of (x - 3.75) / (x + 3.75), for all x >= 0 (Shepherd and
# Laframboise, 1981), computed at 40 digits
_ERFC = (1.17757893456740175, -0.00459005458064647733, -0.0842491333665179156, 0.0592099399981918905,
         -0.0266586684353057523, 0.00907499767070526509, -0.00241316354041760819, 0.000490775836525808632,
         -0.0000691697330250120637, 4.13902798607301017e-6, 7.74038306619849067e-7, -2.18864010492343957e-7,
         1.07649994656709104e-8, 4.5219598112182869e-9, -7.7544002088313511e-10, -6.31808834088668444e-11,
         2.86879501093066996e-11, 1.94558685457774052e-13, -9.65469674843343318e-13, 3.25254814814879629e-14,
         3.34781194828686101e-14, -1.86456288041876548e-15, -1.25079505306832605e-15, 7.41823525667697474e-17)
_ERFC_TERMS_IN_SINGLE = 12

# Numerators and denominators of the quantiles of the normal distribution, the highest power first: near the median, in
# the tails, and far out in the tails (Wichura, 1988, algorithm AS 241)
_CENTER = ((2.5090809287301226727e+3, 3.3430575583588128105e+4, 6.7265770927008700853e+4, 4.5921953931549871457e+4,
            1.3731693765509461125e+4, 1.9715909503065514427e+3, 1.3314166789178437745e+2, 3.3871328727963666080e+0),
           (5.2264952788528545610e+3, 2.8729085735721942674e+4, 3.9307895800092710610e+4, 2.1213794301586595867e+4,
            5.3941960214247511077e+3, 6.8718700749205790830e+2, 4.2313330701600911252e+1, 1.0))
_TAIL = ((7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e+0,
          3.64784832476320460504e+0, 5.76949722146069140550e+0, 4.63033784615654529590e+0, 1.42343711074968357734e+0),
         (1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
          6.89767334985100004550e-1, 1.67638483018380384940e+0, 2.05319162663775882187e+0, 1.0))
_FAR_TAIL = ((2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
              2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e+0,
              5.46378491116411436990e+0, 6.65790464350110377720e+0),
             (2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5,
              7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1,
              5.99832206555887937690e-1, 1.0))


def erfc(x: ArrayLike) -> Tensor:
    """1 - erf(x), without loss of digits where it is small (Shepherd and Laframboise, 1981).

    Integers become float32 first. DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> f"{tz.erfc(5.0):.4g}", f"{1 - tz.erf(5.0):.4g}"
    ('1.537e-12', '0')
    """
    x = as_float(x)
    near = erf(single(x))
    constant, value = stop_gradient(single(x)), stop_gradient(near)
    tail = _erfc_tail(maximum(constant, 0.5))
    exact = where(less(constant, 0.5), subtract(1, value), tail)
    return rounded_like(subtract(exact, subtract(near, value)), x)


def _erfc_tail(x: Tensor) -> Tensor:
    """erfc of numbers above 0."""
    x = where(less(x, 30), x, where(equal(x, x), 30, x))  # 0 from there on
    terms = _ERFC if x.dtype is dtypes.float64 else _ERFC[:_ERFC_TERMS_IN_SINGLE]
    series = _chebyshev(terms, divide(subtract(x, 3.75), add(x, 3.75)))
    high = multiply(trunc(multiply(x, 16)), 1 / 16)  # whose square is exact
    low = multiply(subtract(x, high), add(x, high))
    power = multiply(exp(negative(square(high))), exp(negative(low)))
    return multiply(divide(series, add(multiply(x, 2), 1)), power)


def _chebyshev(coefficients: Sequence[float], x: Tensor) -> Tensor:
    """The sum of coefficients times Chebyshev polynomials of `x` (Clenshaw, 1955)."""
    twice = multiply(x, 2)
    later: Tensor | float = 0.0
    last: Tensor | float = 0.0
    for coefficient in coefficients[:0:-1]:
        later, last = last, add(subtract(multiply(twice, last), later), coefficient)
    return add(subtract(multiply(x, last), later), coefficients[0])


def erfinv(x: ArrayLike) -> Tensor:
    """The number whose `erf` is `x`: infinite at -1 and 1, where the gradient is 0, and nan beyond (Wichura, 1988).

    Integers become float32 first. DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> f"{tz.erfinv(tz.erf(0.3)):.4f}", tz.erfinv(tz.tensor([0.0, 1.0, 2.0]))
    ('0.3000', Tensor([ 0., inf, nan], dtype=float32))
    """
    x = as_float(x)
    wide = single(x)
    is_inside = less(abs(wide), 1)
    inside = where(is_inside, wide, 0)
    y = _follow(_erfinv(stop_gradient(inside)), inside)
    beyond = where(equal(abs(wide), 1), copysign(math.inf, stop_gradient(wide)), math.nan)
    return rounded_like(where(is_inside, y, beyond), x)


def _erfinv(x: Tensor) -> Tensor:
    """The inverse of `erf` for numbers between -1 and 1: quantiles of the normal distribution over sqrt(2)."""
    factor = math.sqrt(0.5)
    center = multiply(multiply(_ratio(_CENTER, subtract(0.180625, square(multiply(x, 0.5)))), factor / 2), x)
    depth = sqrt(negative(log(multiply(subtract(1, abs(x)), 0.5))))
    tail = where(less_equal(depth, 5), _ratio(_TAIL, subtract(depth, 1.6)), _ratio(_FAR_TAIL, subtract(depth, 5)))
    return where(less_equal(abs(x), 0.85), center, copysign(multiply(tail, factor), x))


def _ratio(polynomials: tuple[Sequence[float], Sequence[float]], x: Tensor) -> Tensor:
    """One polynomial over another (Horner's scheme)."""
    values = []
    for first, second, *rest in polynomials:
        value = add(multiply(x, first), second)
        for coefficient in rest:
            value = add(multiply(value, x), coefficient)
        values.append(value)
    return divide(*values)


def _follow(y: Tensor, x: Tensor) -> Tensor:
    """`y`, a constant whose `erf` is `x`, with its derivatives by `x` up to the third: those of two Newton steps."""
    change = subtract(x, stop_gradient(x))  # 0, of derivative 1
    first = add(y, multiply(change, _slope(y)))
    image = erf(first)
    miss = subtract(subtract(image, stop_gradient(image)), change)
    return subtract(first, multiply(miss, _slope(first)))


def _slope(y: Tensor) -> Tensor:
    """The derivative of the inverse of `erf` where its value is `y`."""
    return multiply(exp(square(y)), math.sqrt(math.pi) / 2)


def logit(x: ArrayLike, eps: float | None = None) -> Tensor:
    """log(x / (1 - x)), the inverse of `sigmoid`; infinite at 0 and 1, nan beyond; with `eps`, x is kept eps away.

    Integers become float32 first. DTypeError for complex numbers.

    >>> import tarazu as tz
    >>> f"{tz.logit(tz.sigmoid(2.0)):.4f}", f"{tz.logit(1.0, 0.25):.4f}"
    ('2.0000', '1.0986')
    """
    x = as_float(x) if eps is None else clip(as_float(x), eps, 1 - eps)
    return subtract(log(x), log1p(negative(x)))
