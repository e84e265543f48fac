"""Functions of single elements: arithmetic, comparison, logic, the functions of mathematics. Shapes broadcast.

A file per family: arithmetic, comparison (and logic), selection (what a condition replaces), bitwise, exponential,
trigonometric, special, error_functions, complex (parts of complex numbers), floats (sign and magnitude), conversion (to
other dtypes).

>>> import tarazu as tz
>>> tz.maximum(tz.tensor([1.0, 5.0]), 3)
Tensor([3., 5.], dtype=float32)
"""

from tarazu.ops.elementwise.arithmetic import (
    abs,
    add,
    ceil,
    clip,
    divide,
    floor,
    floor_divide,
    maximum,
    minimum,
    multiply,
    negative,
    positive,
    pow,
    reciprocal,
    remainder,
    round,
    rsqrt,
    sign,
    sqrt,
    square,
    subtract,
    trunc,
)
from tarazu.ops.elementwise.bitwise import (
    bitwise_and,
    bitwise_invert,
    bitwise_left_shift,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
)
from tarazu.ops.elementwise.comparison import (
    equal,
    greater,
    greater_equal,
    isclose,
    isfinite,
    isinf,
    isnan,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    not_equal,
    truth,
    where,
)
from tarazu.ops.elementwise.complex import abs_square, angle, conj, imag, real
from tarazu.ops.elementwise.conversion import astype, bitcast, stop_gradient
from tarazu.ops.elementwise.error_functions import erfc, erfinv, logit
from tarazu.ops.elementwise.exponential import exp, exp2, expm1, log, log1p, log2, log10, logaddexp, logaddexp2
from tarazu.ops.elementwise.floats import copysign, fmod, hypot, nextafter, signbit
from tarazu.ops.elementwise.selection import (
    divide_no_nan,
    heaviside,
    lerp,
    masked_fill,
    nan_to_num,
    saturate_cast,
)
from tarazu.ops.elementwise.special import digamma, erf, lgamma, polygamma, sigmoid, sinc
from tarazu.ops.elementwise.trigonometric import (
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cos,
    cosh,
    deg2rad,
    rad2deg,
    sin,
    sinh,
    tan,
    tanh,
)
