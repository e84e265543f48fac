"""`tz.linalg`: linear algebra under the names of the array API standard's extension, and more as in NumPy and SciPy.

decompose.py has the decompositions, solve.py linear equations, inverses, determinants and ranks, triangular.py
triangular equations and LU, least_squares.py least squares and condition numbers, exponential.py the exponential,
products.py products of many matrices, matrix.py norms, products, diagonals and traces, similarity.py lengths and angles
and distances.py distances of points (which are in `tz` itself).
"""

from tarazu.ops.contract import matmul, outer, tensordot
from tarazu.ops.linalg.decompose import (
    EighResult,
    EigResult,
    QRResult,
    SVDResult,
    cholesky,
    eig,
    eigh,
    eigvals,
    eigvalsh,
    qr,
    svd,
    svdvals,
)
from tarazu.ops.linalg.exponential import matrix_exp
from tarazu.ops.linalg.least_squares import LstsqResult, cond, lstsq
from tarazu.ops.linalg.matrix import cross, diagonal, kron, matrix_norm, norm, trace, vecdot, vector_norm
from tarazu.ops.linalg.products import multi_dot
from tarazu.ops.linalg.solve import SlogdetResult, det, inv, logdet, matrix_power, matrix_rank, pinv, slogdet, solve
from tarazu.ops.linalg.triangular import LUFactors, LUResult, lu, lu_factor, lu_solve, solve_triangular
from tarazu.ops.shape import matrix_transpose

__all__ = [
    "EigResult",
    "EighResult",
    "LUFactors",
    "LUResult",
    "LstsqResult",
    "QRResult",
    "SVDResult",
    "SlogdetResult",
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "inv",
    "kron",
    "logdet",
    "lstsq",
    "lu",
    "lu_factor",
    "lu_solve",
    "matmul",
    "matrix_exp",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "multi_dot",
    "norm",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensordot",
    "trace",
    "vecdot",
    "vector_norm",
]


def __dir__() -> list[str]:
    return __all__
