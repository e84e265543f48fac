"""Gradients that pass through complex numbers on their way from real inputs to a real result.

The cotangent of z = x + iy is dL/dx + i dL/dy. For a holomorphic f it is then pulled back by the conjugate of f', so
the rules, which are written for real numbers and linear in the cotangent, serve as they are between two conjugations.
"""

from __future__ import annotations

from collections.abc import Callable

from tarazu.base.errors import GradientError
from tarazu.ir import op as ops
from tarazu.ir.op import Op
from tarazu.ops.elementwise import conj
from tarazu.transform.gradient.tape import TapeNode
from tarazu.transform.typing import Cotangents, Tensor

_HOLOMORPHIC = frozenset({"elementwise", "shape", "index", "reduce", "contract"})  # categories; `sign` is not


def _is_holomorphic(op: Op) -> bool:
    return op in (ops.SOLVE, ops.EIG) or (op.category in _HOLOMORPHIC and op is not ops.SIGN)


def conjugated(apply: Callable[[TapeNode, Cotangents, int], Cotangents], node: TapeNode, cotangents: Cotangents,
               wanted: int) -> Cotangents:
    """`apply`, the rule for real numbers, between two conjugations, for a node with a complex result.

    GradientError for a primitive that is not holomorphic.
    """
    if node.op.category == "control":  # the primitives in its body come here themselves
        return apply(node, cotangents, wanted)
    if not _is_holomorphic(node.op):
        raise GradientError(f"the gradient of {node.op.name} of complex numbers", expected="real numbers here",
                            fix="compute with the real and imaginary parts, or stop the gradient: x.detach()")
    return _conjugates(apply(node, _conjugates(cotangents), wanted))


def _conjugates(cotangents: Cotangents) -> list[Tensor | None]:
    return [None if g is None else conj(g) for g in cotangents]


def require_real(y: Tensor, what: str) -> None:
    """Raise GradientError for a complex `y`, which has no single gradient; `what` names the call in the message."""
    if y.dtype.kind == "complex":
        raise GradientError(f"{what} of a tensor of {y.dtype}", expected="a real scalar",
                            fix="differentiate a real function of it, such as tz.abs(y) or tz.real(y)")
