"""What an output rests on, by gradients: plain ones, and integrated from a baseline on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tarazu.base.checks import positive_int
from tarazu.draw.inputs import attribution_picture, chosen_outputs, float_inputs, numbers_of_outputs
from tarazu.nn.module.mode import in_mode
from tarazu.nn.module.module import Module
from tarazu.ops.shape import broadcast_to
from tarazu.ops.typing import ArrayLike
from tarazu.picture.picture import Picture
from tarazu.runtime.autograd.autograd import grad
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor


def gradients(model: Module, x: ArrayLike, target: ArrayLike | None = None, *, names: Sequence[str] = ()) -> Picture:
    """How much an output changes with each input: the gradient for `x`, (rows, ...) (Simonyan and others, 2014).

    `target` is the number of the output, one for all rows or one each, by default the largest of each row; `names` are
    those of the columns of a table. Images stand beside their maps, in which channels are added up. `values` has the
    shape of `x`. DTypeError for inputs of whole numbers, ArgumentError for an output that is not there.

    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(1, in_features=2)])
    >>> model[0].weight = tz.tensor([[2.0], [-1.0]])
    >>> tz.draw.gradients(model, [[1.0, 1.0]]).values.tolist()
    [[2.0, -1.0]]
    """
    inputs = float_inputs(x)
    numbers = numbers_of_outputs(model, inputs, target)
    return attribution_picture("gradients of the output", inputs.numpy(), _gradient(model, inputs, numbers), names)


def integrated_gradients(model: Module, x: ArrayLike, target: ArrayLike | None = None, *, baseline: ArrayLike = 0.0,
                         steps: int = 64, names: Sequence[str] = ()) -> Picture:
    """How much each input adds to an output, from that for the `baseline` on (Sundararajan, Taly and Yan, 2017).

    The gradients along the straight way from the baseline to `x`, (rows, ...), taken at the middle of each of so many
    `steps`, times the way. So all of a row add up to the output for it minus that for the baseline, which `steps` make
    as near as wanted. The baseline is one number, or what broadcasts to `x`, such as the mean row. `target` and `names`
    are as for `tz.draw.gradients`; `values` has the shape of `x`. DTypeError for inputs of whole numbers, ArgumentError
    for an output that is not there and for steps below 1.

    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(1, in_features=2)])
    >>> model[0].weight = tz.tensor([[2.0], [-1.0]])
    >>> tz.draw.integrated_gradients(model, [[3.0, 1.0]]).values.tolist()
    [[6.0, -1.0]]
    """
    inputs, count = float_inputs(x), positive_int("steps", steps)
    numbers = numbers_of_outputs(model, inputs, target)
    start = broadcast_to(asarray(baseline, dtype=inputs.dtype), inputs.shape)
    way = inputs - start
    total = np.zeros(inputs.shape, np.float64)
    for step in range(count):
        total += _gradient(model, start + way * ((step + 0.5) / count), numbers)
    values = total / count * way.numpy()
    return attribution_picture("integrated gradients of the output", inputs.numpy(), values, names)


def _gradient(model: Module, inputs: Tensor, numbers: np.ndarray) -> np.ndarray:
    function = chosen_outputs(model, numbers)
    with in_mode(model, training=False):
        return grad(lambda values: function(values).sum())(inputs).numpy()
