"""Products of matrices and tensors."""

from __future__ import annotations

from tarazu.interop.onnx.reading.table import operator
from tarazu.interop.onnx.reading.values import Array
from tarazu.ops.contract import dot_general
from tarazu.ops.contract import matmul as product
from tarazu.ops.einsum import einsum as sum_of_products
from tarazu.ops.elementwise import add, multiply
from tarazu.ops.linalg.solve import det
from tarazu.ops.promote import as_value
from tarazu.runtime.tensor.tensor import Tensor


@operator("MatMul")
def matmul(a: Array, b: Array) -> Tensor:
    """The product of matrices; leading axes broadcast."""
    return product(a, b)


@operator("Gemm")
def gemm(a: Array, b: Array, c: Array | None = None, alpha: float = 1.0, beta: float = 1.0, transA: int = 0,  # noqa: N803
         transB: int = 0, broadcast: int = 1) -> Tensor:  # noqa: N803
    """alpha a b + beta c, of matrices that may be transposed."""
    y = dot_general(as_value(a), as_value(b), ((0 if transA else 1,), (1 if transB else 0,)))
    y = y if alpha == 1 else multiply(y, alpha)
    if c is None or beta == 0:
        return y
    return add(y, c if beta == 1 else multiply(c, beta))


@operator("Einsum")
def einsum(*inputs: Array, equation: str) -> Tensor:
    """Sums of products along named axes."""
    return sum_of_products(equation.replace(" ", ""), *map(as_value, inputs))


@operator("Det")
def determinant(x: Array) -> Tensor:
    """The determinants of matrices."""
    return det(x)
