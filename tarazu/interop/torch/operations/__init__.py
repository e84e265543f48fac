"""ATen's operations by Tarazu's: a table per family, in whose functions arguments stand as in ATen.

elementwise.py (and the arithmetic of sizes), shapes.py, reductions.py, indexing.py, creation.py, contractions.py
(products and convolutions), pooling.py, images.py, normalization.py, sequences.py (attention and recurrent layers). An
operation is known by its name, with that of its overload where the overloads differ: "softmax.int".
"""

from tarazu.interop.imported import Operation
from tarazu.interop.torch.operations import (
    contractions,
    creation,
    elementwise,
    images,
    indexing,
    normalization,
    pooling,
    reductions,
    sequences,
    shapes,
)

OPERATIONS: dict[str, Operation] = {
    **elementwise.TABLE, **elementwise.SIZES, **shapes.TABLE, **reductions.TABLE, **indexing.TABLE, **creation.TABLE,
    **contractions.TABLE, **pooling.TABLE, **images.TABLE, **normalization.TABLE, **sequences.TABLE}
