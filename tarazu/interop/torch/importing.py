"""`tz.interop.from_torch`: a module of torch as a model of Tarazu."""

from __future__ import annotations

import dataclasses
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.interop.imported import Ref, Step, names
from tarazu.interop.torch import exporting
from tarazu.interop.torch.layout import Turned, turn
from tarazu.interop.torch.model import Program, TorchModel
from tarazu.interop.torch.operations import OPERATIONS
from tarazu.interop.torch.operations.shapes import kernel
from tarazu.interop.torch.reading import Reading, read
from tarazu.interop.torch.weights import to_tensor
from tarazu.nn.module.parameter import Parameter
from tarazu.runtime.tensor.creation import tensor
from tarazu.runtime.tensor.tensor import Tensor


def from_torch(module: Any, example: Any, *, channels: Literal["first", "last"] = "first") -> TorchModel:
    """The module of torch as a model with its weights: called alike, trained and saved as a model of Tarazu.

    `example` is what the module is called with: a tensor or an array, a tuple of them, or a dict for named arguments.
    torch.export follows a call with it, once in training and once in evaluation mode; axis 0 of each tensor is taken
    for the rows, whose number may then change. The model needs no torch, and is in the mode that the module is in.

    Images are channels last inside. With `channels="first"` they go in and come out as in torch, (batch, channels,
    height, width), and are turned once at each border; with "last" they go in and come out as (batch, height, width,
    channels). `model.tensors` has the weights by torch's names in torch's layouts, but for the kernels of convolutions,
    (height, width, in, out); `model.torch_state()` gives all of them in torch's. Tied weights are one tensor.

    ArgumentError for what is no module of torch, what torch cannot export, and for operations that Tarazu does not
    know, all of them named with their lines. A warning where torch finds that the number of rows is fixed.

    >>> model = tz.interop.from_torch(torchvision.models.resnet18(), torch.zeros(2, 3, 64, 64))  # doctest: +SKIP
    >>> model(images).shape, model.eval().predict(images).shape  # doctest: +SKIP
    ((8, 1000), (8, 1000))
    """
    nn = exporting.torch().nn
    if not isinstance(module, nn.Module):
        raise ArgumentError(f"from_torch of a {type(module).__name__}", expected="a torch.nn.Module",
                            fix="pass the module itself; weights alone go in by tz.interop.load_torch_weights")
    if channels not in ("first", "last"):
        raise ArgumentError(f"channels={channels!r}", expected='"first" or "last"', fix='leave it out for "first"')
    args, kwargs = _several_rows(*_call(example))
    evaluation, learning = (read(exporting.export(module, args, kwargs, mode), OPERATIONS) for mode in (False, True))
    _warn_of_fixed_rows(evaluation)
    tensors = _tensors(module, [evaluation, learning])
    model = _model(tensors, evaluation, learning, tensors.keys() - module.state_dict().keys(), channels == "last")
    return model.train(module.training)


def _call(example: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments that torch is to call the module with."""
    if isinstance(example, Mapping):
        return (), {str(name): _torch_tensor(value) for name, value in example.items()}
    given = example if isinstance(example, tuple) else (example,)
    return tuple(_torch_tensor(value) for value in given), {}


def _torch_tensor(value: Any) -> Any:
    torch = exporting.torch()
    if isinstance(value, list | tuple):
        return type(value)(_torch_tensor(item) for item in value)
    return torch.from_numpy(np.array(value)) if isinstance(value, np.ndarray | Tensor) else value


def _several_rows(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """An example of a single row twice, as torch takes a size of 1 for fixed."""
    tensors = [x for x in [*args, *kwargs.values()] if hasattr(x, "ndim")]
    if not tensors or any(x.ndim < 2 or x.shape[0] != 1 for x in tensors):
        return args, kwargs
    twice = {id(x): x.repeat(2, *[1] * (x.ndim - 1)) for x in tensors}
    return tuple(twice.get(id(x), x) for x in args), {name: twice.get(id(x), x) for name, x in kwargs.items()}


def _warn_of_fixed_rows(reading: Reading) -> None:
    fixed = {name: reading.shapes[name] for name in reading.inputs if reading.shapes[name][:1] != (None,)
             and reading.shapes[name]}
    if fixed:
        listed = ", ".join(f"{name} of shape {shape}" for name, shape in fixed.items())
        warnings.warn(f"torch finds that the number of rows is fixed: {listed}. The model takes no other sizes",
                      stacklevel=3)


def _tensors(module: Any, readings: list[Reading]) -> dict[str, Tensor]:
    """The tensors that the steps read, by torch's names."""
    given = dict(module.named_parameters(remove_duplicate=False))
    given |= module.named_buffers(remove_duplicate=False)
    for reading in readings:
        given |= reading.constants
    read_names = set().union(*(names([step.arguments for step in reading.steps]) | names(reading.outputs)
                               | reading.updates.keys() for reading in readings))
    read_ids = {id(x) for name, x in given.items() if name in read_names}
    wanted = {name: x for name, x in given.items() if id(x) in read_ids}  # tied ones by all their names
    made = {key: to_tensor(x) for key, x in {id(x): x for x in wanted.values()}.items()}
    return {name: made[id(x)] for name, x in wanted.items()}


def _model(tensors: dict[str, Tensor], evaluation: Reading, learning: Reading, beside: set[str],
           channels_last: bool) -> TorchModel:
    readings = (evaluation, learning)
    images: set[str] = set()
    turned = [turn(reading) for reading in readings]
    if channels_last:
        images = set().union(*(each.images for each in turned))
        turned = [turn(reading, images, outputs_last=True) for reading in readings]
    kernels = _turn_kernels(tensors, turned)
    steady, changing = (Program(each.steps, each.outputs, each.updates) for each in turned)
    return TorchModel(evaluation.inputs, steady, changing, tensors, sorted(kernels), sorted(beside))


def _turn_kernels(tensors: dict[str, Tensor], programs: list[Turned]) -> set[str]:
    """Turn the kernels that nothing but convolutions reads, in place of the steps that do so; gives their names."""
    steps = [step for program in programs for step in program.steps]
    reads = Counter(name for step in steps for name in names((step.arguments, step.options)))
    turns = Counter(step.arguments[0].name for step in steps if step.operation == "kernel")
    shared = Counter(id(x) for x in tensors.values())
    chosen = {name for name, count in turns.items()
              if name in tensors and reads[name] == count and shared[id(tensors[name])] == 1}
    for name in chosen:
        x = tensors[name]
        value = tensor(np.ascontiguousarray(kernel(x.detach()).numpy()))
        tensors[name] = Parameter(value, trainable=x.requires_grad) if isinstance(x, Parameter) else value
    for program in programs:
        program.steps = list(_without_turns(program.steps, chosen))
    return chosen


def _without_turns(steps: Iterable[Step], chosen: set[str]) -> Iterable[Step]:
    for step in steps:
        if step.operation == "kernel" and step.arguments[0].name in chosen:
            continue
        if step.operation == "convolution":
            x, weight, *rest = step.arguments
            name = weight.name.removesuffix("|kernel")
            step = dataclasses.replace(step, arguments=(x, Ref(name) if name in chosen else weight, *rest))
        yield step
