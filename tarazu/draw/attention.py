"""Who attends to whom: the weights of attention as heat maps."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tarazu.base.checks import whole_number
from tarazu.base.errors import ArgumentError
from tarazu.base.messages import shortened
from tarazu.nn.layers.sequences.attention import MultiHeadAttention
from tarazu.nn.module.mode import in_mode
from tarazu.nn.module.module import Module
from tarazu.ops.typing import ArrayLike
from tarazu.picture.chart import Chart, ColorBar
from tarazu.picture.elements import CHARACTER
from tarazu.picture.grids import MOST_NAMES, heat_chart
from tarazu.picture.picture import Picture
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.creation import asarray

MOST, COLUMNS = 24, 4
WIDEST = 1200.0  # pixels of a picture: notebooks show wider ones smaller
SIDE, BESIDE = 150.0, 180.0  # pixels of a map, at least, and of what stands beside it
LONGEST_NAME = 12


def attention(model: Module, x: ArrayLike, *, row: int = 0, tokens: Sequence[str] = ()) -> Picture:
    """A heat map for each head of each `MultiHeadAttention` of a model: from which step (row) to which one (column).

    The model is called in evaluation mode with `x`, (rows, time, ...), of which the row of number `row` is shown;
    `tokens` are the texts of its steps. `values` are the weights by path, each (rows, heads, query time, key time), and
    each row of a map adds up to 1. 24 maps at most. ArgumentError for a model without such a layer, and for a row that
    is not there.

    >>> import tarazu as tz
    >>> layer = tz.nn.MultiHeadAttention(2, 8, causal=True)
    >>> picture = tz.draw.attention(layer, tz.ones((1, 4, 8)), tokens=["a", "cat", "sat", "."])
    >>> picture.values["(model)"].shape, picture.values["(model)"][0, 0, 0].tolist()
    ((1, 2, 4, 4), [1.0, 0.0, 0.0, 0.0])
    """
    layers = {path or "(model)": layer for path, layer in model.named_modules()
              if isinstance(layer, MultiHeadAttention)}
    if not layers:
        raise ArgumentError(f"attention of a {type(model).__name__} without MultiHeadAttention",
                            expected="a model with such a layer", fix="pass the model that has it")
    inputs = asarray(x)
    if whole_number("row", row, least=0) >= inputs.shape[0]:
        raise ArgumentError(f"row={row} of {inputs.shape[0]}", expected=f"0 to {inputs.shape[0] - 1}",
                            fix="leave it out for the first")
    found: dict[str, np.ndarray] = {}
    with contextlib.ExitStack() as stack:
        for path, layer in layers.items():
            stack.enter_context(_recorded(path, layer, found))
        with in_mode(model, training=False), no_grad():
            model(inputs)
    maps = [(path, head, weights[row, head]) for path, weights in found.items() for head in range(weights.shape[1])]
    names = [shortened(str(token), LONGEST_NAME) for token in tokens]
    charts = tuple(_map(f"{path}, head {head}", weights, names) for path, head, weights in maps[:MOST])
    fitting = int(WIDEST // (max(chart.size[0] for chart in charts) + BESIDE)) if charts else 1
    return Picture(f"attention of {len(maps)} head{'s' * (len(maps) != 1)}", charts,
                   max(1, min(COLUMNS, fitting, len(charts))), values=found)


@contextlib.contextmanager
def _recorded(path: str, layer: MultiHeadAttention, found: dict[str, np.ndarray]) -> Iterator[None]:
    """A block in which calls of the layer keep their weights in `found`; its results stay as they are."""
    forward = layer.forward

    def recording(*inputs: Any, return_weights: bool = False, **options: Any) -> Any:
        output, weights, *cache = forward(*inputs, return_weights=True, **options)
        found[path] = weights.numpy()
        results = (output, *([weights] if return_weights else []), *cache)
        return results if len(results) > 1 else output

    vars(layer)["forward"] = recording
    try:
        yield
    finally:
        del vars(layer)["forward"]


def _map(title: str, weights: np.ndarray, names: Sequence[str]) -> Chart:
    rows, columns = weights.shape
    names = names if len(names) <= MOST_NAMES else ()
    cell = max(SIDE / max(rows, columns), CHARACTER * max(map(len, _short(names)), default=0) + 8 if names else 1.0)
    return heat_chart(title, weights, ColorBar(0.0, 1.0, "shares"), cell=(cell, cell),
                      rows=names if len(names) == rows else (),
                      columns=_short(names) if len(names) == columns else ())


def _short(names: Sequence[str]) -> list[str]:
    return [shortened(name, 5) for name in names]
