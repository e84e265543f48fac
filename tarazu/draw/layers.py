"""Histograms of what is in a model: its weights, and what its layers give."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.base.messages import plural, shortened
from tarazu.nn.module.mode import in_mode
from tarazu.nn.module.module import Module
from tarazu.nn.module.observers import observe_calls
from tarazu.ops.typing import ArrayLike
from tarazu.picture.axis import make_axis
from tarazu.picture.chart import Chart
from tarazu.picture.marks import Bars
from tarazu.picture.picture import Picture
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor

MOST, COLUMNS = 36, 3
SIZE = (216, 84)  # pixels
LONGEST_TITLE = 28
NUMBER_OF_BARS = 30


def weights(model: Module) -> Picture:
    """A histogram of each parameter of a model or layer, with its mean and its standard deviation; 36 at most.

    `values` are the parameters as arrays, by path. ArgumentError for a model that has none yet.

    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(8, "relu", in_features=4), tz.nn.Dense(1, in_features=8)])
    >>> picture = tz.draw.weights(model)
    >>> picture, list(picture.values)
    (<Picture: 49 parameters>, ['0.weight', '0.bias', '1.weight', '1.bias'])
    """
    found = {path: x.numpy() for path, x in model.named_parameters()}
    if not found:
        raise ArgumentError(f"weights of a {type(model).__name__} without parameters", expected="a model with some",
                            fix="call it once, so that its layers learn their sizes")
    return _histograms(plural(sum(x.size for x in found.values()), "parameter"), found)


def activations(model: Module, x: ArrayLike) -> Picture:
    """A histogram of what each layer gives for the inputs `x`, (rows, ...), in evaluation mode; 36 at most.

    Each says the mean, the standard deviation, and which share is 0 where some is, as of units that are dead. `values`
    are the outputs as arrays, by path. What is inside a compiled function is not seen.

    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(8, "relu"), tz.nn.Dense(1)])
    >>> list(tz.draw.activations(model, [[1.0, 2.0]]).values)
    ['0', '1']
    """
    found: dict[str, np.ndarray] = {}
    paths = {id(module): path for path, module in model.named_modules()}
    has_parts = {path.rpartition(".")[0] for path in paths.values() if path}

    def observe(module: Module, output: object) -> None:
        path = paths.get(id(module))
        if path is not None and path not in has_parts and isinstance(output, Tensor):
            found[path or "(model)"] = output.numpy()

    with observe_calls(observe), in_mode(model, training=False), no_grad():
        model(asarray(x))
    rows = len(next(iter(found.values()), ()))
    return _histograms(f"outputs of {plural(len(found), 'layer')} for {plural(rows, 'row')}", found)


def _histograms(title: str, arrays: Mapping[str, np.ndarray]) -> Picture:
    charts = tuple(_histogram(path, x) for path, x in list(arrays.items())[:MOST])
    return Picture(title, charts, min(COLUMNS, max(len(charts), 1)), values=dict(arrays))


def _histogram(path: str, x: np.ndarray) -> Chart:
    values = x.astype(np.float64).ravel()
    values = values[np.isfinite(values)]
    counts, edges = np.histogram(values, NUMBER_OF_BARS)
    axis = make_axis([float(edges[0]), float(edges[-1])])
    axis = axis._replace(ticks=axis.ticks[::max(1, len(axis.ticks) // 4)])
    bars = Bars(edges[:-1], edges[1:], np.zeros(len(counts)), counts)
    size = " x ".join(map(str, x.shape)) or "1"
    y_axis = make_axis([0.0, float(counts.max(initial=1))])
    y_axis = y_axis._replace(ticks=(0.0, y_axis.ticks[-1]))
    return Chart(shortened(f"{path}: {size}", LONGEST_TITLE), axis, y_axis, (bars,), _said(x), size=SIZE)


def _said(x: np.ndarray) -> str:
    """Its mean and standard deviation, and what is wrong with it."""
    values = x.astype(np.float64).ravel()
    known = values[np.isfinite(values)]
    parts = [f"mean {known.mean():.2g}, deviation {known.std():.2g}"] if len(known) else []
    if len(known) < len(values):
        parts.append(f"{len(values) - len(known):,} not finite")
    elif len(known) and (zeros := float((known == 0).mean())):
        parts.append(f"{100 * zeros:.0f} % are 0")
    return ", ".join(parts)
