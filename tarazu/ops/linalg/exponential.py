"""The exponential of matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tarazu.base import dtypes
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ops import elementwise as e
from tarazu.ops.contract import matmul
from tarazu.ops.control_flow.composite import composite
from tarazu.ops.control_flow.loops import while_loop
from tarazu.ops.linalg.matrix import matrix_norm
from tarazu.ops.linalg.solve import adjoint, identity_like, require_square
from tarazu.ops.promote import as_float, cast, rounded_like, single
from tarazu.ops.reduce import max
from tarazu.ops.shape import concat
from tarazu.ops.typing import ArrayLike, Tensor

# Higham, "The scaling and squaring method for the matrix exponential revisited" (2005): coefficients of the Pade
# approximants, and the norms up to which they are precise, in single precision (degree 7) and double (degree 13)
_SINGLE = (17297280.0, 8648640.0, 1995840.0, 277200.0, 25200.0, 1512.0, 56.0, 1.0), 3.925724783138660
_DOUBLE = (64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0,
           10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0,
           1.0), 5.371920351148152
_MOST_SQUARINGS = 1024  # norms beyond 2 ** 1024 are infinite


def matrix_exp(x: ArrayLike) -> Tensor:
    """The exponential of square matrices, (..., n, n): 1 + x + x @ x / 2 + x @ x @ x / 6 and so on.

    By scaling, a Pade approximant and repeated squaring (Higham, 2005); the gradient is a block of the exponential of
    [[x', g], [0, x']] (Najfeld and Havel, 1995). Integers become float32; half precision is computed in float32.
    ShapeError when `x` is not square.

    >>> import tarazu as tz
    >>> tz.linalg.matrix_exp(tz.tensor([[0.0, 3.0], [0.0, 0.0]]))
    Tensor([[1., 3.],
            [0., 1.]], dtype=float32)
    """
    x = as_float(require_square(x, "matrix_exp"))
    return rounded_like(_matrix_exp(single(x)), x) if 0 not in x.shape else x


def _matrix_exp_cotangents(cotangents: Sequence[Tensor], outputs: Sequence[Tensor], inputs: Sequence[Tensor],
                           needed: Sequence[bool]) -> list[Tensor | None]:
    """The upper right block, linear in g, which is scaled so that it does not decide how often to square."""
    g, x = cotangents[0], adjoint(inputs[0])
    largest = max(e.abs(g), (-2, -1), keepdims=True)
    scale = cast(e.stop_gradient(e.where(e.greater(largest, 0), largest, 1)), g.dtype)
    zeros = e.multiply(identity_like(x), 0)
    block = concat([concat([x, e.divide(g, scale)], -1), concat([zeros, x], -1)], -2)
    size = x.shape[-1]
    return [e.multiply(_matrix_exp(block)[..., :size, size:], scale)]


@composite("matrix_exp", gradient=_matrix_exp_cotangents)
def _matrix_exp(x: Tensor) -> Tensor:
    coefficients, bound = _SINGLE if x.dtype in (dtypes.float32, dtypes.complex64) else _DOUBLE
    norm = matrix_norm(x, ord=1, keepdims=True)
    halvings = e.ceil(e.divide(e.log(e.divide(norm, bound)), math.log(2)))
    is_large = e.logical_and(e.greater(norm, bound), e.isfinite(norm))
    halvings = e.where(is_large, e.clip(halvings, 0, _MOST_SQUARINGS), 0)
    result = _pade(e.multiply(x, cast(e.pow(2.0, e.negative(halvings)), x.dtype)), coefficients)
    most = max(halvings)

    def square(carry: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        count, power = carry
        return e.add(count, 1), e.where(e.less(count, halvings), matmul(power, power), power)

    return while_loop(lambda carry: e.less(carry[0], most), square, (e.multiply(most, 0), result))[1]


def _pade(x: Tensor, coefficients: Sequence[float]) -> Tensor:
    """(odd + even) / (even - odd): the even and the odd part of a polynomial over that of -x."""
    squared = matmul(x, x)
    power = identity_like(x)
    even, odd = e.multiply(power, coefficients[0]), e.multiply(power, coefficients[1])
    for i in range(2, len(coefficients), 2):
        power = matmul(power, squared) if i > 2 else squared
        even = e.add(even, e.multiply(power, coefficients[i]))
        odd = e.add(odd, e.multiply(power, coefficients[i + 1]))
    odd = matmul(x, odd)
    return bind(ops.SOLVE, e.subtract(even, odd), e.add(even, odd))
