"""Types in the signatures of training; those of `fit` stand beside the method of models that users call."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

RowIndex: TypeAlias = "slice | np.ndarray"  # which rows of an array
