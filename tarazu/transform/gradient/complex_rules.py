"""Gradients that pass through complex numbers on their way from real inputs to a real result.

The cotangent of z = x + iy is dL/dx + i dL/dy. For a holomorphic f it is then pulled back by the conjugate of f', so
the rules, which are written for real numbers and linear in the cotangent, serve as they are between two conjugations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tarazu.base.errors import GradientError
from tarazu.ir import op as ops
from tarazu.ir.op import Op
from tarazu.ops.elementwise import conj
from tarazu.transform.gradient.tape import TapeNode

_HOLOMORPHIC = frozenset({"elementwise", "shape", "index", "reduce", "contract"})  # the categories, but for sign


def _is_holomorphic(op: Op) -> bool:
    return op is ops.SOLVE or (op.category in _HOLOMORPHIC and op is not ops.SIGN)


def conjugated(apply: Callable[..., Sequence[Any]], node: TapeNode, cotangents: list[Any],
               wanted: int) -> Sequence[Any]:
    """What `apply` gives for a node with a complex result, by the rule for real numbers between two conjugations."""
    if node.op.category == "control":  # its body is gone through by the same rules
        return apply(node, cotangents, wanted)
    if not _is_holomorphic(node.op):
        raise GradientError(f"the gradient of {node.op.name} of complex numbers", expected="real numbers here",
                            fix="compute with the real and imaginary parts, or stop the gradient: x.detach()")
    found = apply(node, [None if g is None else conj(g) for g in cotangents], wanted)
    return [None if g is None else conj(g) for g in found]


def require_real(y: Any, what: str) -> None:
    """Raise for the gradient of a complex value, which has no single one."""
    if y.dtype.kind == "complex":
        raise GradientError(f"{what} of a tensor of {y.dtype}", expected="a real scalar",
                            fix="differentiate a real function of it, such as tz.abs(y) or tz.real(y)")
