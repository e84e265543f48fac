"""The interpreter that computes integers and booleans, and of all other values finds the shapes alone."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from tarazu.base.dtypes import DType
from tarazu.base.errors import TraceError
from tarazu.ir import op as ops
from tarazu.ir.op import Op
from tarazu.ops.typing import ArrayLike
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.trace import Trace

_INDEXED = {ops.GATHER: 1, ops.SCATTER_ADD: 2, ops.SCATTER_SET: 2}  # how many inputs stand before the indices
_WITH_BODIES = frozenset({ops.CALL, ops.COND, ops.SCAN, ops.WHILE})


class ShapeTrace(Trace):
    """A trace that is never run: within its `with` block it says whether a function runs, and what comes out.

    What follows from integers and booleans that are known is computed, so that code that looks at them, and indices
    that an axis lacks, raise as they would eagerly. Code that looks at other numbers raises TraceError, and so do
    loops and calls over integers, whose bodies are not looked into.
    """

    def bind(self, op: Op, inputs: tuple[Tensor, ...], attributes: dict[str, Any]) -> Any:
        out = super().bind(op, inputs, attributes)
        known = [_is_known(x) for x in inputs]
        if op in _WITH_BODIES:
            _require_no_indices(inputs, known)
        elif all(known) and all(map(_is_whole, out if op.multiple else [out])):
            return self._outer.bind(op, inputs, attributes)
        elif op in _INDEXED:
            self._look_up(inputs[0], inputs[_INDEXED[op]:], attributes["axes"])
        return out

    def constant(self, data: ArrayLike, dtype: DType | None, *, is_shared: bool = False) -> Tensor:
        made = self._outer.constant(data, dtype, is_shared=True)
        return made if _is_whole(made) else super().constant(data, dtype, is_shared=True)

    def outside(self) -> NoReturn:
        raise _unknown("a layer that has to see an input")

    def _look_up(self, x: Tensor, indices: tuple[Tensor, ...], axes: tuple[int, ...]) -> None:
        """Take elements out of a tensor of the shape of `x` that has no memory."""
        if not all(map(_is_known, indices)):
            raise _unknown("indices that follow from other numbers")
        self._outer.bind(ops.GATHER, (Tensor(np.broadcast_to(np.int8(0), x.shape)), *indices), {"axes": axes})


def _require_no_indices(inputs: tuple[Tensor, ...], known: list[bool]) -> None:
    """An error for integers that the body of a loop or call might index with."""
    if any(is_known and x.ndim and x.dtype.is_integer for x, is_known in zip(inputs, known, strict=True)):
        raise _unknown("a loop or call over integers")


def _unknown(what: str) -> TraceError:
    return TraceError(f"{what}, where shapes alone are wanted", expected="integers that are known",
                      fix="run the function eagerly")


def _is_whole(x: Tensor) -> bool:
    return x.dtype.kind in ("bool", "int", "uint")


def _is_known(x: Tensor) -> bool:
    return x.raw.__class__ is np.ndarray and _is_whole(x)
