"""The table that `model.summary()` gives."""

from __future__ import annotations

from typing import Any

from tarazu.base.dtypes import DEFAULT_FLOAT
from tarazu.base.errors import ArgumentError
from tarazu.ir.types import TensorType
from tarazu.nn import module as base
from tarazu.nn.module import Module
from tarazu.ops.create import full
from tarazu.runtime.autograd import no_grad
from tarazu.runtime.tensor import Tensor


def summary(model: Module, input_shape: tuple[int, ...] | None) -> str:
    """One row for each module that has no modules below it, or parameters of its own; then the totals."""
    shapes = output_shapes(model, input_shape) if input_shape is not None else {}
    if not shapes:
        _require_built(model)
    rows = [("layer", "kind", "output shape", "parameters")]
    for path, module in model.named_modules():
        own = [x for _, x in module._attributes() if isinstance(x, base.Parameter)]
        if own or not list(module.named_children()):
            rows.append((path or "(model)", type(module).__name__, shapes.get(id(module), "-"), f"{sum(x.size for x in own):,}"))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = ["  ".join([*(cell.ljust(width) for cell, width in zip(row[:3], widths, strict=False)), row[3].rjust(widths[3])])
             for row in rows]
    rule = "-" * len(lines[0])
    return "\n".join([lines[0], rule, *lines[1:], rule, _totals(model)])


def _totals(model: Module) -> str:
    total = sum(x.size for x in model.parameters())
    trainable = sum(x.size for x in model.parameters() if x.requires_grad)
    size = sum(x.size * x.dtype.itemsize for _, x in model.named_tensors())
    return f"{total:,} parameters, {trainable:,} of them trainable; {_bytes(size)}"


def _bytes(size: float) -> str:
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            break
        size /= 1000
    else:
        unit = "GB"
    return f"{size:.3g} {unit}"


def _require_built(model: Module) -> None:
    try:
        model.parameters()
    except ArgumentError as error:
        raise ArgumentError(error.problem, expected=error.expected,
                            fix="give the shape of one sample: model.summary(input_shape=(4,))") from None


def output_shapes(model: Module, input_shape: tuple[int, ...]) -> dict[int, str]:
    """By id of the module: the shape of its output without the batch axis, from one sample of zeros."""
    found: dict[int, str] = {}

    def observe(module: Module, output: Any) -> None:
        if isinstance(output, Tensor):
            found[id(module)] = str(tuple(output.shape[1:]))

    modes = {id(module): module._is_training for _, module in model.named_modules()}
    base._observers.append(observe)
    try:
        with no_grad():
            model.eval()(full(TensorType((1, *input_shape), DEFAULT_FLOAT).shape, 0.0))
    finally:
        base._observers.remove(observe)
        for _, module in model.named_modules():
            module._is_training = modes.get(id(module), True)
    return found
