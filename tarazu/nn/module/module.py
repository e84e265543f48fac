"""The base of layers and models: finds its parameters by itself, switches between training and use, saves its state.

A module is a class with a `forward` method. Parameters, other tensors (running means) and further modules are plain
attributes, also inside lists, tuples and dicts; nothing is registered.
"""

from __future__ import annotations

import contextlib
import fnmatch
from collections.abc import Callable, Iterator
from typing import Any

from tarazu.base.device import Layout, Mesh
from tarazu.base.errors import ArgumentError, ShapeError, TarazuError, TraceError
from tarazu.ir.interpreter import state as interpreter_state
from tarazu.ir.node import Node
from tarazu.nn.module.error_path import brief, join, say_where, step
from tarazu.nn.module.parameter import is_parameter
from tarazu.nn.module.trainable import Trainable
from tarazu.ops.placement import layout
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.device import move, put, resolve
from tarazu.runtime.tensor.tensor import Tensor

# Attributes with which the base class keeps house; every other one may hold tensors and modules.
NOT_CONTENT = ("_arguments", "_built_with", "_trainer", "_predictor")


class Module(Trainable):
    """A layer or a model. Subclass it, make parameters and layers in `__init__`, and compute in `forward`.

    A layer that needs to see its input first makes its parameters in `build(*inputs)`, which is called once.

    >>> import tarazu as tz
    >>> class Scale(tz.nn.Module):
    ...     def __init__(self, factor):
    ...         self.factor = tz.nn.Parameter(tz.tensor(factor))
    ...     def forward(self, x):
    ...         return x * self.factor
    >>> tz.nn.Sequential([Scale(2.0), Scale(3.0)])(tz.ones(2))
    Tensor([6., 6.], dtype=float32, grad_fn=<MulBackward>)
    """

    _arguments: tuple[tuple, dict]
    reads_codes = False  # whether a float input holds whole numbers, such as codes, which no half type may round
    _is_training = True
    _is_built = False
    _built_with: list[list[int]] | None = None  # the input shapes (batch of 1) that `build` saw

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        made = super().__new__(cls)
        made._arguments = (args, kwargs)  # what it was made from, so that a saved model can be made again
        return made

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickles: everything but what was compiled for this very object."""
        return {name: value for name, value in vars(self).items() if name not in ("_trainer", "_predictor")}

    # To be written by subclasses

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """The output for the inputs."""
        raise NotImplementedError(f"{type(self).__name__} has no forward method; write one: def forward(self, x): ...")

    def build(self, *inputs: Any) -> None:
        """Make what depends on the inputs' shapes; called once, before the first `forward`."""

    def describe(self) -> str:
        """What stands in the brackets of the printed tree."""
        args, kwargs = self._arguments
        shown = [brief(a) for a in args if not isinstance(a, Module | list)]
        return ", ".join(shown + [f"{key}={brief(value)}" for key, value in kwargs.items()])

    # Calling

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        """`forward`, after `build` where that is still due; errors name the layer's path and the shapes that came."""
        try:
            self._build_once(inputs)
            scopes = interpreter_state.interpreter.scopes
            if scopes is None:
                output = self.forward(*inputs, **options)
            else:
                with scopes.inside(self, step(scopes.modules, self)):
                    output = self.forward(*inputs, **options)
        except TarazuError as error:
            say_where(error, self, inputs)
            raise
        for observe in _observers:
            observe(self, output)
        return output

    def _build_once(self, inputs: tuple) -> None:
        if self._is_built:
            return
        if type(self).build is not Module.build:
            _require_arrays(self, inputs)
            if any(isinstance(x, Tensor) and isinstance(x.raw, Node) for x in inputs):
                raise TraceError("the layer has not seen an input yet, so its parameters are not there",
                                 expected="a layer that knows its input size before it is traced",
                                 fix="call the model once on some data first, or give in_features")
            self.build(*inputs)
            self._built_with = [[1, *x.shape[1:]] for x in inputs]
        self._is_built = True

    # What it holds

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules that are attributes, with their names."""
        for name, value in self._attributes():
            if isinstance(value, Module):
                yield name, value

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module and all below it, each once, with their paths."""
        yield from self._walk(prefix, set())

    def _walk(self, path: str, seen: set[int]) -> Iterator[tuple[str, Module]]:
        if id(self) not in seen:
            seen.add(id(self))
            yield path, self
            for name, child in self.named_children():
                yield from child._walk(join(path, name), seen)

    def named_tensors(self) -> Iterator[tuple[str, Tensor]]:
        """All tensors, parameters and others, each once, with their paths."""
        seen: set[int] = set()
        for path, module in self.named_modules():
            for name, value in module.own_tensors().items():
                if id(value) not in seen:
                    seen.add(id(value))
                    yield join(path, name), value

    def own_tensors(self) -> dict[str, Tensor]:
        """The tensors that are attributes of this very module, by name."""
        return {name: value for name, value in self._attributes() if isinstance(value, Tensor)}

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """The parameters with their paths."""
        return ((path, x) for path, x in self.named_tensors() if is_parameter(x))

    def parameters(self) -> list[Tensor]:
        """The parameters; an error when a layer has yet to see an input before it can make its own."""
        for path, module in self.named_modules():
            if not module._is_built and type(module).build is not Module.build:
                name = path or type(module).__name__
                raise ArgumentError(f"layer {name!r} has no parameters yet: it has not seen an input",
                                    expected="a model whose layers know their input sizes",
                                    fix="call the model once on some data first, or give in_features")
        return [parameter for _, parameter in self.named_parameters()]

    def count_parameters(self) -> int:
        """The number of single weights."""
        return sum(parameter.size for parameter in self.parameters())

    def _attributes(self) -> Iterator[tuple[str, Any]]:
        for name, value in vars(self).items():
            if name not in NOT_CONTENT:
                yield from _spread(name, value)

    # State

    @property
    def training(self) -> bool:
        """Whether the module is in training mode, in which dropout drops and batch norm learns its statistics."""
        return interpreter_state.interpreter.depend_on(
            lambda: self._is_training, f"training mode of {type(self).__name__}")

    def train(self, mode: bool = True) -> Module:
        """Go into training mode, with all modules below."""
        for _, module in self.named_modules():
            module._is_training = mode
        return self

    def eval(self) -> Module:
        """Go into evaluation mode, with all modules below."""
        return self.train(False)

    def freeze(self, frozen: bool = True) -> Module:
        """Keep training from changing the parameters (or let it again)."""
        for parameter in self.parameters():
            parameter.requires_grad_(not frozen)
        return self

    @property
    def trainable(self) -> bool:
        """Whether training changes any parameter; set it to freeze all of them (or to let them learn again)."""
        return any(parameter.requires_grad for parameter in self.parameters())

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self.freeze(not value)

    def to(self, where: Any) -> Module:
        """Move all tensors to a device, or whole to each device of a mesh, with what `compile` prepared for them.

        What was made of them by an optimizer of an own loop is moved by `optimizer.move_to_parameters()`.
        """
        return self._move(where, {})

    def shard(self, mesh: Mesh, specs: dict[str, Any]) -> Module:
        """Divide parameters over a mesh, for tensor parallelism: `specs` has a spec for each pattern of paths.

        A path takes the first pattern that it matches (as file names do: "*.weight"), and what matches none is whole on
        each device. A spec names for each axis of the parameter the mesh axis that divides it, or None; see `tz.shard`.
        ArgumentError for a pattern that nothing matches, ShapeError for a size that does not divide.

        >>> import tarazu as tz
        >>> model = tz.nn.Sequential([tz.nn.Dense(8, in_features=4)])
        >>> model.shard(tz.mesh(model=1), {"*.weight": (None, "model")})[0].weight.device  # doctest: +SKIP
        tarazu.mesh(model=1) (None, 'model')
        """
        self.parameters()  # says so where some are not there yet
        paths = [path for path, _ in self.named_tensors()]
        for pattern in specs:
            if not fnmatch.filter(paths, pattern):
                raise ArgumentError(f"the pattern {pattern!r} matches nothing", expected=f"paths: {brief(paths)}",
                                    fix='write a path, or a pattern such as "*.weight"')
        return self._move(Layout(mesh), specs)

    def _move(self, where: Any, specs: dict[str, Any]) -> Module:
        if interpreter_state.interpreter.scopes is not None:
            raise TraceError("a model that is moved inside a traced function",
                             expected="models that stay where they are in it",
                             fix="move it before: model.to(...) outside of the function")
        found = resolve(where)
        targets = []
        for path, x in self.named_tensors():
            spec = next((spec for pattern, spec in specs.items() if fnmatch.fnmatchcase(path, pattern)), None)
            targets.append((x, found if spec is None else layout(x.shape, found.mesh, spec)))  # type: ignore[union-attr]
        arrays = [put(x.raw, target) for x, target in targets]  # all of them, or an error before any is changed
        for (x, target), array in zip(targets, arrays, strict=True):
            x.raw = array
            move(x, target)
        if self._trainer is not None:
            self._trainer.move_to_parameters()
        return self

    def state_dict(self) -> dict[str, Tensor]:
        """All tensors by path, detached."""
        return {path: x.detach() for path, x in self.named_tensors()}

    def load_state_dict(self, content: dict[str, Any]) -> None:
        """Take over the tensors of `state_dict()`; nothing is changed unless names and shapes all fit."""
        own = dict(self.named_tensors())
        missing, extra = sorted(own.keys() - content.keys()), sorted(content.keys() - own.keys())
        if missing or extra:
            raise ArgumentError(f"a state that does not fit the model: missing {', '.join(missing) or 'nothing'}; "
                                f"not known {', '.join(extra) or 'nothing'}",
                                expected="the names of model.state_dict()",
                                fix="load it into a model of the same layers")
        for path, x in own.items():
            if tuple(content[path].shape) != x.shape:
                raise ShapeError(f"{path} in the state has shape {tuple(content[path].shape)}",
                                 expected=f"shape {x.shape}", fix="load it into a model of the same sizes")
        with no_grad():
            for path, x in own.items():
                x.copy_(content[path])

    # Looking at it

    def __repr__(self) -> str:
        children = list(self.named_children())
        if not children:
            return f"{type(self).__name__}({self.describe()})"
        lines = [f"  ({name}): " + repr(child).replace("\n", "\n  ") for name, child in children]
        return "\n".join([f"{type(self).__name__}(", *lines, ")"])

    def summary(self, input_shape: tuple[int, ...] | None = None) -> str:
        """A table of layers with output shapes (without the batch axis) and numbers of parameters.

        `input_shape` is that of one sample; it is needed as long as the model has not seen an input.
        """
        from tarazu.nn.module.summary import summary

        return summary(self, input_shape)


def _require_arrays(module: Module, inputs: tuple) -> None:
    """Layers that learn their sizes from the input ask for its shape."""
    for x in inputs:
        if not hasattr(x, "shape"):
            raise ArgumentError(f"a {type(x).__name__} as input of {type(module).__name__}",
                                expected="a tensor, with one row per sample",
                                fix="pass tz.tensor(x)")


_observers: list[Callable[[Module, Any], None]] = []


@contextlib.contextmanager
def observing(observe: Callable[[Module, Any], None]) -> Iterator[None]:
    """A block in which `observe(module, output)` is told of every module that is called."""
    _observers.append(observe)
    try:
        yield
    finally:
        _observers.remove(observe)


def _spread(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The tensors and modules in an attribute, looking into lists, tuples and dicts."""
    if isinstance(value, Tensor | Module):
        yield name, value
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            yield from _spread(f"{name}.{i}", item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _spread(f"{name}.{key}", item)
