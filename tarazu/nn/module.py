"""The base of layers and models: finds its parameters by itself, switches between training and use, saves its state.

A module is a class with a `forward` method. Parameters, other tensors (running means) and further modules are plain attributes,
also inside lists, tuples and dicts; nothing is registered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from tarazu.base.errors import ArgumentError, ShapeError, TarazuError, TraceError
from tarazu.ir.graph import Node
from tarazu.ir.interpreter import state as interpreter_state
from tarazu.nn import door
from tarazu.nn.parameter import Parameter
from tarazu.runtime.tensor import Tensor

if TYPE_CHECKING:
    from tarazu.record import History


class Module:
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
    _is_training = True
    _is_built = False
    _built_with: list[list[int]] | None = None  # the input shapes (batch of 1) that `build` saw
    _setup: Any = None  # what `compile` prepared; `train` knows what it is
    _predictor: Any = None  # the compiled forward function

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        made = super().__new__(cls)
        made._arguments = (args, kwargs)  # what it was made from, so that a saved model can be made again
        return made

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickles: everything but what was compiled for this very object."""
        return {name: value for name, value in vars(self).items() if name not in ("_setup", "_predictor")}

    # To be written by subclasses

    def forward(self, *inputs: Any) -> Any:
        """The output for the inputs."""
        raise NotImplementedError(f"{type(self).__name__} has no forward method; write one: def forward(self, x): ...")

    def build(self, *inputs: Any) -> None:
        """Make what depends on the inputs' shapes; called once, before the first `forward`."""

    def describe(self) -> str:
        """What stands in the brackets of the printed tree."""
        args, kwargs = self._arguments
        shown = [repr(a) for a in args if not isinstance(a, Module | list)]
        return ", ".join(shown + [f"{key}={value!r}" for key, value in kwargs.items()])

    # Calling

    def __call__(self, *inputs: Any) -> Any:
        """`forward`, after `build` where that is still due; errors name the layer's path and the shapes that came."""
        try:
            self._build_once(inputs)
            output = self.forward(*inputs)
        except TarazuError as error:
            _say_where(error, self, inputs)
            raise
        for observe in _observers:
            observe(self, output)
        return output

    def _build_once(self, inputs: tuple) -> None:
        if self._is_built:
            return
        if type(self).build is not Module.build:
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
                yield from child._walk(_join(path, name), seen)

    def named_tensors(self) -> Iterator[tuple[str, Tensor]]:
        """All tensors, parameters and others, each once, with their paths."""
        seen: set[int] = set()
        for path, module in self.named_modules():
            for name, value in module._attributes():
                if isinstance(value, Tensor) and id(value) not in seen:
                    seen.add(id(value))
                    yield _join(path, name), value

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """The parameters with their paths."""
        return ((path, x) for path, x in self.named_tensors() if isinstance(x, Parameter))

    def parameters(self) -> list[Parameter]:
        """The parameters; an error when a layer has yet to see an input before it can make its own."""
        for path, module in self.named_modules():
            if not module._is_built and type(module).build is not Module.build:
                raise ArgumentError(f"layer {path or type(module).__name__!r} has no parameters yet: it has not seen an input",
                                    expected="a model whose layers know their input sizes",
                                    fix="call the model once on some data first, or give in_features")
        return [parameter for _, parameter in self.named_parameters()]

    def count_parameters(self) -> int:
        """The number of single weights."""
        return sum(parameter.size for parameter in self.parameters())

    def _attributes(self) -> Iterator[tuple[str, Any]]:
        for name, value in vars(self).items():
            if not name.startswith("_"):
                yield from _spread(name, value)

    # State

    @property
    def training(self) -> bool:
        """Whether the module is in training mode, in which dropout drops and batch norm learns its statistics."""
        return interpreter_state.interpreter.depend_on(lambda: self._is_training)

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

    def state_dict(self) -> dict[str, Tensor]:
        """All tensors by path, detached."""
        return {path: x.detach() for path, x in self.named_tensors()}

    def load_state_dict(self, content: dict[str, Any]) -> None:
        """Take over the tensors of `state_dict()`; nothing is changed unless names and shapes all fit."""
        own = dict(self.named_tensors())
        missing, extra = sorted(own.keys() - content.keys()), sorted(content.keys() - own.keys())
        if missing or extra:
            raise ArgumentError(f"a state that does not fit the model: missing {missing or 'nothing'}, not known {extra or 'nothing'}",
                                expected="the names of model.state_dict()", fix="load it into a model of the same layers")
        for path, x in own.items():
            if tuple(content[path].shape) != x.shape:
                raise ShapeError(f"{path} in the state has shape {tuple(content[path].shape)}", expected=f"shape {x.shape}",
                                 fix="load it into a model of the same sizes")
        for path, x in own.items():
            x.raw = Tensor(x.raw).copy_(content[path]).raw

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
        from tarazu.nn.summary import summary

        return summary(self, input_shape)

    # Training, done by `tarazu.train`

    def compile(self, optimizer: Any = "adam", loss: Any = None, metrics: Any = ()) -> Module:
        """Say how `fit` trains: the optimiser, the loss and the metrics, by name or as objects.

        `loss` is a name ("cross_entropy", "binary_cross_entropy", "mse", "mae", "huber") or a function of (prediction, target)
        that gives a scalar; a metric is a name ("accuracy", "mae", "mse") or a function likewise.
        """
        door.trainer().compile(self, optimizer, loss, metrics)
        return self

    def fit(self, x: Any, y: Any = None, *, epochs: int = 1, batch_size: int = 32, validation_split: float = 0.0,
            validation_data: Any = None, callbacks: Any = (), seed: int | None = None, verbose: Any = "auto") -> History:
        """Train on the rows of `x` and `y`; gives the history with its verdict. Calling it again goes on.

        `validation_split` sets a random share of the rows apart (classes in proportion), `validation_data` is `(x, y)`;
        with either, the weights of the best validation epoch are kept. `seed` makes the run repeatable. `verbose`: "auto"
        (a progress bar in a terminal, else lines), 0 (nothing) or 1 (lines).
        """
        return door.trainer().fit(self, x, y, epochs=epochs, batch_size=batch_size, validation_split=validation_split,
                                  validation_data=validation_data, callbacks=callbacks, seed=seed, verbose=verbose)

    def evaluate(self, x: Any, y: Any, *, batch_size: int = 1024) -> dict[str, float]:
        """The loss and the metrics on `x` and `y`, by name."""
        return door.trainer().evaluate(self, x, y, batch_size=batch_size)

    def predict(self, x: Any, *, batch_size: int = 1024) -> Tensor:
        """The outputs for `x` in evaluation mode, computed in batches."""
        return door.trainer().predict(self, x, batch_size=batch_size)

    def save(self, path: Any) -> None:
        """Write the model to the folder `path`: `model.json` and `model.safetensors`; `tz.load(path)` makes it again."""
        door.trainer().save(self, path)


_observers: list[Callable[[Module, Any], None]] = []


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path and name else path or name


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


def _say_where(error: TarazuError, module: Module, inputs: tuple) -> None:
    """Put the path of the layer that failed, and the shapes that it got, before the message; each module adds its step."""
    where = getattr(error, "_where", None)
    if where is None:
        shapes = ", ".join(str(tuple(x.shape)) if hasattr(x, "shape") else type(x).__name__ for x in inputs)
        error._where = where = [module, "", f"{type(module).__name__}({module.describe()}), called with shape {shapes}",  # type: ignore[attr-defined]
                                str(error)]
    else:
        names = {id(child): name for name, child in module.named_children()}
        where[1] = _join(names.get(id(where[0]), type(where[0]).__name__), where[1])
        where[0] = module
    _, path, what, message = where
    error.args = (f"in layer {path}, {what}:\n{message}" if path else f"in {what}:\n{message}",)
