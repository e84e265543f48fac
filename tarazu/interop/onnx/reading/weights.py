"""Which arrays of a model are weights, to be trained, and which are constants: ONNX has one kind for both.

Initial values of floats that any operator reads as a weight are parameters. Not so numbers, statistics of batch
normalization, scales of quantization and sizes, masks of huge numbers, and what the model makes as a constant.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tarazu.interop.imported import Body, Ref, Step
from tarazu.nn.module.parameter import Parameter
from tarazu.runtime.tensor.tensor import Tensor

Uses = Mapping[str, Sequence[tuple[str, int]]]  # for each name the operators that read it, and as which input

HUGE = 1e30  # numbers beyond it stand for infinity, in masks
MOST_KNOWN = 64  # elements of floats that are known while traced; more are data, in the tensor file
MOST_KNOWN_INTEGERS = 4096
NEVER_WEIGHTS = frozenset((
    "QuantizeLinear", "DequantizeLinear", "QLinearConv", "QLinearMatMul", "DynamicQuantizeLinear", "Resize", "Upsample",
    "Clip", "Pad", "Range", "RoiAlign", "NonMaxSuppression", "OneHot", "Equal", "Less", "LessOrEqual", "Greater",
    "GreaterOrEqual", "Mod", "TopK", "Dropout", "STFT", "DFT", "Tile", "ConstantOfShape", "MelWeightMatrix", "Shape",
    "Size", "Not", "IsNaN", "IsInf"))
NEVER_AS = frozenset({("BatchNormalization", 3), ("BatchNormalization", 4), ("Pow", 1), ("GridSample", 1),
                      ("Where", 0)})
KERNELS = frozenset({("Conv", 1), ("ConvTranspose", 1)})
TURNED_BACK = "tarazu:TurnedBack/1"  # its function is in operators/networks/convolution.py


def sorted_out(steps: Sequence[Step], arrays: Mapping[str, np.ndarray], initial: set[str], given_out: set[str]
               ) -> tuple[list[Step], dict[str, Tensor], dict[str, np.ndarray]]:
    """The steps, the tensors and the constants of a model; kernels of convolutions are turned once and for all.

    What else reads a kernel, often for nothing but its shape, reads it turned back. `given_out` are names that are
    outputs of the model.
    """
    uses: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for name, operator, position in _uses(steps):
        uses[name].append((operator, position))
    trained = {name for name in initial if _is_weight(arrays[name], uses[name])}
    kernels = {name for name in trained - given_out if KERNELS.intersection(uses[name])}
    others = {name for name in kernels if not KERNELS.issuperset(uses[name])}
    tensors: dict[str, Tensor] = {}
    constants = {}
    for name, array in arrays.items():
        if name in trained:
            tensors[name] = Parameter(_last(array) if name in kernels else array)
        elif name in uses and array.size > (MOST_KNOWN if array.dtype.kind in "fcV" else MOST_KNOWN_INTEGERS):
            tensors[name] = Tensor(array)
        else:
            constants[name] = array
    back = [Step(TURNED_BACK, (Ref(name),), {}, (_back(name),), f"kernel {name}") for name in sorted(others)]
    return back + [_with_turned_kernel(step, kernels) for step in steps], tensors, constants


def _uses(steps: Iterable[Step]) -> Iterator[tuple[str, str, int]]:
    for step in steps:
        operator = step.operation.partition("/")[0]
        for position, argument in enumerate(step.arguments):
            if isinstance(argument, Ref):
                yield argument.name, operator, position
        for option in step.options.values():
            if isinstance(option, Body):
                yield from _uses(option.steps)
                yield from ((output.name, "", position) for position, output in enumerate(option.outputs))


def _is_weight(array: np.ndarray, uses: Sequence[tuple[str, int]]) -> bool:
    if array.dtype.kind not in "fV" or array.ndim == 0 or not array.size:
        return False
    is_read_so = any(operator not in NEVER_WEIGHTS and (operator, position) not in NEVER_AS
                     for operator, position in uses)
    return is_read_so and bool((abs(array.astype(np.float64)) < _huge(array)).all())


def _huge(array: np.ndarray) -> float:
    """From where on numbers are masks; float16 has no larger one than 65504."""
    return 6e4 if array.dtype == np.float16 else HUGE


def _last(kernel: np.ndarray) -> np.ndarray:
    """A kernel (out, channels, *window) as (*window, channels, out)."""
    return np.ascontiguousarray(np.moveaxis(kernel, (0, 1), (-1, -2)))


def _back(name: str) -> str:
    """The name of a kernel as it is in the file."""
    return f"{name}|as in the file"


def _with_turned_kernel(step: Step, kernels: set[str]) -> Step:
    """The step, told where its kernel is turned already, and reading turned back what else it reads; also in bodies."""
    options: dict[str, Any] = {key: _body_with_turned_kernels(option, kernels) if isinstance(option, Body) else option
                               for key, option in step.options.items()}
    operator, arguments = step.operation.partition("/")[0], list(step.arguments)
    for position, argument in enumerate(arguments):
        if (operator, position) not in KERNELS:
            arguments[position] = _read_back(argument, kernels)
        elif isinstance(argument, Ref) and argument.name in kernels:
            options["is_turned"] = True
    return dataclasses.replace(step, arguments=tuple(arguments), options=options)


def _body_with_turned_kernels(body: Body, kernels: set[str]) -> Body:
    return Body(body.inputs, tuple(_read_back(output, kernels) for output in body.outputs),
                tuple(_with_turned_kernel(step, kernels) for step in body.steps))


def _read_back(argument: Any, kernels: set[str]) -> Any:
    return Ref(_back(argument.name)) if isinstance(argument, Ref) and argument.name in kernels else argument
