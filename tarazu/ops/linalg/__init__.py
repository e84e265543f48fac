"""`tz.linalg`: linear algebra under the names of the array API standard's extension.

decompose.py has the decompositions, solve.py linear equations, inverses, determinants and ranks, matrix.py
norms, products, diagonals and traces, distances.py distances of points.
"""

from tarazu.ops.contract import matmul, outer, tensordot
from tarazu.ops.linalg.decompose import EighResult, QRResult, SVDResult, cholesky, eigh, eigvalsh, qr, svd, svdvals
from tarazu.ops.linalg.matrix import cross, diagonal, matrix_norm, trace, vecdot, vector_norm
from tarazu.ops.linalg.solve import SlogdetResult, det, inv, matrix_power, matrix_rank, pinv, slogdet, solve
from tarazu.ops.shape import matrix_transpose

__all__ = [
    "EighResult",
    "QRResult",
    "SVDResult",
    "SlogdetResult",
    "cholesky",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "inv",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "tensordot",
    "trace",
    "vecdot",
    "vector_norm",
]
