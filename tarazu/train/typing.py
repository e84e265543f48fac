"""Types in the signatures of training: what `fit` and its relatives take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np

from tarazu.base.device import Device, Layout, Mesh
from tarazu.ops.typing import ArrayLike

Batches: TypeAlias = Iterable[tuple[ArrayLike, ArrayLike]]  # a stream of (inputs, targets)
Validation: TypeAlias = "tuple[ArrayLike, ArrayLike] | Batches | None"
Devices: TypeAlias = "str | Device | Mesh | Layout | Sequence[str | Device] | None"
Verbose: TypeAlias = int | str  # "auto", 0 or 1
RowIndex: TypeAlias = "slice | np.ndarray"  # which rows of an array
