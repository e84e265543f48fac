"""Types in the signatures of functions of tensors: what they take and what they give.

The tensor that users hold is made in `runtime`, which stands above. Signatures name it all the same, so that `help` and
editors say what comes out; it is imported for type checkers only, and this file is the one that does so. At run time
`Tensor` is `Value` here, so that `isinstance(x, Tensor)` holds of every tensor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from tarazu.base.device import Device, Layout, Mesh
from tarazu.base.dtypes import DTypeLike
from tarazu.ir.interpreter import Value

if TYPE_CHECKING:
    from tarazu.runtime.tensor.tensor import Tensor
else:
    Tensor = Value

Scalar: TypeAlias = bool | int | float | complex
# What becomes a tensor or is one, which the classes that Tensor inherits from know as Value
ArrayLike: TypeAlias = "Tensor | Value | np.ndarray | np.generic | Scalar | Sequence[ArrayLike]"
Axes: TypeAlias = int | Sequence[int] | None  # of which None is all
ShapeLike: TypeAlias = int | Sequence[int]
DeviceLike: TypeAlias = Device | Layout | Mesh | str
Tree: TypeAlias = Any  # a tensor, or nested lists, tuples, dicts and dataclasses of them, which no type can say

__all__ = ["ArrayLike", "Axes", "DTypeLike", "DeviceLike", "Scalar", "ShapeLike", "Tensor", "Tree"]
