"""One row per primitive of `ir.op.ALL`, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tarazu.interop.onnx.export.rules import contract, control, convolution, elementwise, index, reduce, refused, shape
from tarazu.ir.op import Op

ROWS: dict[Op, Callable[..., Any]] = {**elementwise.ROWS, **shape.ROWS, **index.ROWS, **reduce.ROWS, **contract.ROWS,
                                      **convolution.ROWS}
CONTROL = control.ROWS  # beside `call`, which program.py runs
REASONS = refused.REASONS
