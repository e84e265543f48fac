"""`OnnxModel`: a model that was read from an ONNX file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from tarazu.interop.imported import Imported, Operation, Step
from tarazu.interop.onnx.reading import operators
from tarazu.interop.onnx.reading.bounds import bounded, count_step
from tarazu.interop.onnx.reading.values import ChannelsLast, eagerly, holds, in_usual_layout, known, mapped
from tarazu.runtime.tensor.tensor import Tensor


class OnnxModel(Imported):
    """A model from an ONNX file, as `tz.load("model.onnx")` gives it: called with its inputs in the file's order.

    Images are (batch, channels, height, width), as in ONNX. `tensors` are its weights by their names in the file;
    kernels of convolutions have the shape (*window, channels, out). `constants` are arrays that are known while it is
    traced. One output is given as it is, several as a tuple.

    >>> import tarazu as tz
    >>> model = tz.load("model.onnx")  # doctest: +SKIP
    >>> model(tz.zeros(1, 3, 224, 224)).shape  # doctest: +SKIP
    (1, 1000)
    """

    operations: ClassVar[Mapping[str, Operation]] = {key: entry.function for key, entry in operators.TABLE.items()}

    def __init__(self, inputs: Sequence[str], outputs: Any, steps: Sequence[Step], tensors: Mapping[str, Tensor],
                 constants: Mapping[str, np.ndarray]) -> None:
        super().__init__(inputs, outputs, steps, tensors)
        self.constants = dict(constants)

    def forward(self, *inputs: Any) -> Any:
        """The output for the inputs; a tuple of them where the model has several."""
        given = sum(map(_elements, inputs))
        with bounded(given, sum(map(_elements, self.tensors.values()))):
            return mapped(_as_tensor, in_usual_layout(super().forward(*inputs)))

    def given(self) -> dict[str, Any]:
        """The values that are there before the first step, by their names."""
        return {**self.constants, **self.tensors}

    def perform(self, step: Step, arguments: Sequence[Any], options: Mapping[str, Any]) -> Any:
        """The result of a step: computed at once where all of its inputs are known arrays."""
        result = self._performed(step, arguments, options)
        count_step(result)
        return result

    def _performed(self, step: Step, arguments: Sequence[Any], options: Mapping[str, Any]) -> Any:
        entry = operators.TABLE[step.operation]
        if not entry.takes_images:
            arguments = in_usual_layout(arguments)
        if entry.takes_bodies or entry.is_random or holds(arguments, Tensor) or holds(arguments, ChannelsLast):
            return entry.function(*arguments, **options)
        with eagerly():
            return mapped(lambda x: None if x is None else known(x), entry.function(*arguments, **options))


def _elements(x: Any) -> int:
    return math.prod(getattr(x, "shape", ()))


def _as_tensor(x: Any) -> Any:
    return Tensor(x) if isinstance(x, np.ndarray | np.generic) else x
