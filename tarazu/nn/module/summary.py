"""The table of `model.summary()`: layers, shapes of their outputs, numbers of parameters."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from tarazu.base.errors import ArgumentError, DTypeError, TarazuError
from tarazu.base.html import table
from tarazu.nn.module.mode import in_mode
from tarazu.nn.module.module import Module
from tarazu.nn.module.observers import observe_calls
from tarazu.nn.module.parameter import is_parameter
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.creation import zeros
from tarazu.runtime.tensor.tensor import Tensor

HEADER = ("layer", "kind", "output shape", "parameters")
MOST_ROWS = 200  # in a notebook


def summary(model: Module, input_shape: tuple[int, ...] | None) -> str:
    """One row for each module that has no modules below it, or parameters of its own; then the totals."""
    if input_shape is None:
        _require_built(model)
    shapes = _shapes_of_last_fit(model) if input_shape is None else output_shapes(model, input_shape)
    rows = [HEADER, *(row for path, module in model.named_modules() for row in _rows(path, module, shapes))]
    return layout(rows, totals(model))


def summary_html(model: Module) -> str:
    """The table for notebooks, or the text of a model whose layers have yet to see an input."""
    try:
        model.parameters()
    except ArgumentError:
        return f"<pre>{escape(repr(model))}</pre>"
    shapes = _shapes_of_last_fit(model)
    rows = [row for path, module in model.named_modules() for row in _rows(path, module, shapes)]
    left_out = len(rows) - MOST_ROWS
    note = f"{left_out} more rows: print(model.summary())\n" if left_out > 0 else ""
    return table(HEADER, rows[:MOST_ROWS], note + totals(model))


def layout(rows: Sequence[Sequence[str]], last: str) -> str:
    """The rows as a table, the first of which is its header; column 3 has numbers. `last` is a line below it."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(text.rjust(width) if i == 3 else text.ljust(width)
                       for i, (text, width) in enumerate(zip(row, widths, strict=True))) for row in rows]
    rule = "-" * len(lines[0])
    return "\n".join([*map(str.rstrip, lines[:1]), rule, *map(str.rstrip, lines[1:]), rule, last])


def _shapes_of_last_fit(model: Module) -> dict[int, str]:
    """The shapes for inputs as in the last fit; none where there was no fit, or where the model has changed since."""
    seen = getattr(model._trainer, "input_shape", None)
    if seen is None:
        return {}
    try:
        return output_shapes(model, seen)
    except TarazuError:
        return {}


def _rows(path: str, module: Module, shapes: dict[int, str]) -> list[tuple[str, str, str, str]]:
    own = [x.size for x in module.own_tensors().values() if is_parameter(x)]
    if not own and any(True for _ in module.named_children()):
        return []
    return [(path or "(model)", type(module).__name__, shapes.get(id(module), "-"), f"{sum(own):,}")]


def totals(model: Module) -> str:
    """The line below the table: how many parameters there are, and what they take."""
    parameters = model.parameters()
    trainable = sum(x.size for x in parameters if x.requires_grad)
    total_bytes = sum(x.size * x.dtype.itemsize for _, x in model.named_tensors())
    return f"{sum(x.size for x in parameters):,} parameters, {trainable:,} of them trainable; {_bytes(total_bytes)}"


def _bytes(size: float) -> str:
    power = min(len(str(int(size))) - 1, 9) // 3
    return f"{size / 1000**power:.3g} {('B', 'kB', 'MB', 'GB')[power]}"


def _require_built(model: Module) -> None:
    try:
        model.parameters()
    except ArgumentError as error:
        raise ArgumentError(error.problem, expected=error.expected,
                            fix="give the shape of one sample: model.summary(input_shape=(4,))") from None


def output_shapes(model: Module, input_shape: tuple[int, ...]) -> dict[int, str]:
    """The shape of the output of each module, by its id, without the batch axis, for one sample of zeros."""
    shapes: dict[int, str] = {}

    def observe(module: Module, output: object) -> None:
        if isinstance(output, Tensor):
            shapes[id(module)] = str(tuple(output.shape[1:]))

    with observe_calls(observe), in_mode(model, training=False), no_grad():
        try:
            model(zeros((1, *input_shape)))
        except DTypeError:  # a model that starts with an embedding takes integers
            model(zeros((1, *input_shape), dtype="int64"))
    return shapes
