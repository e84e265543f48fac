"""ATen's products of matrices, linear maps and convolutions; images and kernels come channels last (layout.py)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tarazu.base.dtypes import DType
from tarazu.interop.imported import Operation
from tarazu.ops.contract import matmul
from tarazu.ops.einsum import einsum
from tarazu.ops.elementwise import add, multiply
from tarazu.ops.linalg.distances import cdist
from tarazu.ops.linalg.solve import det, inv, solve
from tarazu.ops.networks import convolution as convolutions
from tarazu.ops.networks.linear import bilinear
from tarazu.ops.shape import matrix_transpose, moveaxis
from tarazu.ops.typing import Tensor

CONVOLUTIONS = (convolutions.conv1d, convolutions.conv2d, convolutions.conv3d)
TRANSPOSED = (convolutions.conv_transpose1d, convolutions.conv_transpose2d, convolutions.conv_transpose3d)


def _linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    product = matmul(x, matrix_transpose(weight) if len(weight.shape) > 1 else weight)
    return product if bias is None else add(product, bias)


def _add_product(x: Tensor, first: Tensor, second: Tensor, beta: float = 1, alpha: float = 1) -> Tensor:
    product = matmul(first, second)
    product = product if alpha == 1 else multiply(product, alpha)
    return product if beta == 0 else add(product, x if beta == 1 else multiply(x, beta))


def _product(x: Tensor, y: Tensor, dtype: DType | None = None) -> Tensor:
    return matmul(x, y)


def _einsum(equation: str, operands: Sequence[Tensor], path: Sequence[int] | None = None) -> Tensor:
    return einsum(equation.replace(" ", ""), *operands)


def _bilinear(x: Tensor, y: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    return bilinear(x, y, moveaxis(weight, 0, -1), bias)


def _distances(x: Tensor, y: Tensor, p: float = 2.0, mode: int | None = None) -> Tensor:
    return cdist(x, y, p)


def _inverse(x: Tensor, check_errors: bool = False) -> tuple[Tensor]:
    return (inv(x),)


def _solution(a: Tensor, b: Tensor, left: bool = True, check_errors: bool = False) -> tuple[Tensor]:
    """X of a X = b or, with `left` False, of X a = b; b is one vector for each matrix where it has an axis less."""
    if len(b.shape) == len(a.shape) - 1 and b.shape == a.shape[:-1]:
        return (solve(a, b[..., None])[..., 0],)
    return (solve(a, b) if left else matrix_transpose(solve(matrix_transpose(a), matrix_transpose(b))),)


def convolution(x: Tensor, kernel: Tensor, bias: Tensor | None, stride: Sequence[int], padding: Sequence[int],
                dilation: Sequence[int], transposed: bool, output_padding: Sequence[int], groups: int) -> Tensor:
    """(batch, *sizes, channels) or, of a single image, (*sizes, channels); kernel (*window, in / groups, out)."""
    axes = len(kernel.shape) - 2
    if len(x.shape) == axes + 1:
        return convolution(x[None], kernel, bias, stride, padding, dilation, transposed, output_padding, groups)[0]
    options: dict[str, Any] = {"stride": _per_axis(stride, axes), "padding": [(n, n) for n in _per_axis(padding, axes)],
               "dilation": _per_axis(dilation, axes), "groups": groups}
    if transposed:
        return TRANSPOSED[axes - 1](x, kernel, bias, output_padding=_per_axis(output_padding, axes), **options)
    return CONVOLUTIONS[axes - 1](x, kernel, bias, **options)


def _per_axis(numbers: Sequence[int], axes: int) -> tuple[int, ...]:
    return tuple(numbers) * axes if len(numbers) == 1 else tuple(numbers)


TABLE: dict[str, Operation] = {
    "linear": _linear, "matmul": matmul, "mm": _product, "bmm": _product, "mv": _product, "dot": _product,
    "addmm": _add_product, "baddbmm": _add_product, "addmv": _add_product, "einsum": _einsum, "bilinear": _bilinear,
    "_cdist_forward": _distances, "cdist": _distances, "convolution": convolution,
    "linalg_inv_ex": _inverse, "_linalg_solve_ex": _solution, "_linalg_det": lambda x: (det(x),),
}
