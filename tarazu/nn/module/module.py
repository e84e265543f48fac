"""The base class of layers and models: calling, finding parameters, training mode, freezing, moving, saving state.

A module is a class with a `forward` method. Parameters, other tensors (running means) and further modules are plain
attributes, also inside lists, tuples and dicts; nothing is registered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Self

from tarazu.base.device import Mesh
from tarazu.base.errors import ArgumentError, TarazuError, TraceError
from tarazu.base.hints.missing import require_arguments
from tarazu.ir.interpreter import state as interpreter_state
from tarazu.ir.node import Symbolic
from tarazu.nn.module.arguments import current, short_text, unread_arguments, with_own_containers
from tarazu.nn.module.by_path import nothing_at
from tarazu.nn.module.error_path import add_layer_path, join_path, name_in_parent
from tarazu.nn.module.loaded import Loaded, load
from tarazu.nn.module.masks import call_forward
from tarazu.nn.module.mode import mode_of, set_mode, share_mode
from tarazu.nn.module.moving import NamedTensors, ShardSpec, Target, cast_tensors, layouts, move_tensors
from tarazu.nn.module.observers import call_observers, call_wrapper
from tarazu.nn.module.parameter import is_parameter
from tarazu.nn.module.trainable import Trainable
from tarazu.ops.typing import DeviceLike, DTypeLike
from tarazu.runtime.device import resolve
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.attributes import GuardedAttributes
from tarazu.runtime.trace_lock import tracing

# What the base class and training keep in a module; every other attribute may hold tensors and modules.
NOT_CONTENT = ("_arguments", "_built_with", "_symbols", "_trainer", "_predictor")
_PLAIN = frozenset((bool, int, float, str, type(None)))  # attributes of these types hold neither: walks skip them


class Module(Trainable, GuardedAttributes):
    """A layer or a model. Subclass it, make parameters and layers in `__init__`, and compute in `forward`.

    A layer that needs to see its input first makes its parameters in `build(*inputs)`, which is called once. An error
    that is raised in a layer begins with the layer's path in the model and the shapes of its inputs. An attribute that
    is no tensor, such as a number, may change at any time, but each new value is compiled anew by `fit` and `tz.jit`;
    what changes often is best a tensor, changed in place: `self.tau.copy_(0.5)`.

    >>> import tarazu as tz
    >>> class Scale(tz.nn.Module):
    ...     def __init__(self, factor):
    ...         self.factor = tz.nn.Parameter(tz.tensor(factor))
    ...     def forward(self, x):
    ...         return x * self.factor
    >>> tz.nn.Sequential([Scale(2.0), Scale(3.0)])(tz.ones(2))
    Tensor([6., 6.], dtype=float32, grad_fn=<MulBackward>)
    """

    UNGUARDED = frozenset({*NOT_CONTENT, "_is_built", "_is_training"})  # `training` notes a guard of its own

    _arguments: tuple[tuple, dict]
    reads_codes = False  # whether a float input holds whole numbers, such as codes, which no half type may round
    compute_mask: ClassVar[Any] = None  # in some, a method that makes a mask over time of the input (masks.py)
    hands_masks_on = False  # whether its `forward` itself lets the output carry masks (masks.py)
    mask_is_of = ""  # the input whose mask the option `mask` of `forward` is, where it is given; else the first one
    _is_training = True
    _is_built = False
    _has_frozen_statistics = False
    _built_with: list[list[int]] | None = None  # the input shapes (batch of 1) that `build` saw

    def __new__(cls, *args: object, **kwargs: object) -> Self:
        if args or kwargs:  # none where a copy is made
            require_arguments(cls, args, kwargs)
        module = super().__new__(cls)
        module._arguments = (with_own_containers(args), with_own_containers(kwargs))  # to make a saved model again
        return module

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickles: everything but the compiled forward function, which belongs to this very object."""
        return {name: value for name, value in vars(self).items() if name != "_predictor"}

    @classmethod
    def _require_known(cls, name: str, value: object) -> None:
        kind: Any = cls
        if name in unread_arguments(kind):
            raise ArgumentError(f"{cls.__name__}: {name} set to {short_text(value)}, which the layer would not read",
                                expected="its constructor to be told",
                                fix=f"put a new one in its place: model[i] = tz.nn.{cls.__name__}(..., {name}=...)")

    # To be written by subclasses

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """The output for the inputs; to be written by each subclass, else it raises NotImplementedError.

        Users call the module itself, `module(x)`, which also builds the layer where that is still due.
        """
        raise NotImplementedError(f"{type(self).__name__} has no forward method; write one: def forward(self, x): ...")

    def build(self, *inputs: Any) -> None:
        """Make the parameters that depend on the shapes of the inputs; called once, before the first `forward`.

        >>> import tarazu as tz
        >>> class Bias(tz.nn.Module):
        ...     def build(self, x):
        ...         self.bias = tz.nn.Parameter(tz.zeros(x.shape[-1]))
        ...     def forward(self, x):
        ...         return x + self.bias
        >>> Bias()(tz.ones((2, 3))).shape
        (2, 3)
        """

    def describe(self) -> str:
        """What stands in the brackets of the printed tree: the arguments that the module was made with.

        In layers of Tarazu numbers and text are as they are now.

        >>> import tarazu as tz
        >>> tz.nn.Dense(3, activation="relu").describe()
        "3, activation='relu'"
        """
        args, kwargs = current(self, *self._arguments)
        shown = [short_text(a) for a in args if not isinstance(a, Module | list)]
        return ", ".join(shown + [f"{key}={short_text(value)}" for key, value in kwargs.items()])

    # Calling

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        """`forward`, after `build` where that is still due; errors name the layer's path and the inputs' shapes.

        For symbolic tensors of a functional model (nn/functional) it is noted as one of its steps.
        """
        symbol = _symbol_among([*inputs, *options.values()])
        if symbol is not None:
            return symbol.call(self, inputs, options)
        if (wrapper := call_wrapper.get()) is not None:
            return wrapper(self, inputs, options)
        try:
            self._build_once(inputs)
            origins = interpreter_state.interpreter.origins
            if origins is None:
                output = call_forward(self, inputs, options)
            else:
                with origins.module_call(self, name_in_parent(origins.modules, self, origins.child_names)):
                    output = call_forward(self, inputs, options)
        except TarazuError as error:
            add_layer_path(error, self, inputs)
            raise
        for observer in call_observers.get():
            observer(self, output)
        return output

    def _build_once(self, inputs: tuple) -> None:
        if self._is_built:
            return
        with tracing:  # by one thread; this lock, as a thread that traces may build too
            if self.waits_for_input():
                self._build(inputs)
            self._is_built = True

    def waits_for_input(self) -> bool:
        """Whether its parameters are made by the first call.

        >>> import tarazu as tz
        >>> tz.nn.Dense(3).waits_for_input(), tz.nn.Dense(3, in_features=2).waits_for_input()
        (True, False)
        """
        return not self._is_built and type(self).build is not Module.build

    def _build(self, inputs: tuple) -> None:
        require_arrays(self, inputs)
        before = {id(module) for _, module in self.named_modules()}
        try:
            with interpreter_state.interpreter.outside():
                self.build(*inputs)
        except TraceError as error:
            raise TraceError(f"the layer has not seen an input yet, and cannot make its parameters: {error.problem}",
                             expected="a layer that knows its input size before it is traced, or learns it from shapes",
                             fix="call the layer itself on some data first, or give its sizes, such as in_features"
                             ) from error
        share_mode(self, [module for _, module in self.named_modules() if id(module) not in before])
        self._built_with = [[1, *x.shape[1:]] for x in inputs]

    # What it holds

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules that are attributes, also in lists, tuples and dicts, with their names.

        >>> import tarazu as tz
        >>> [name for name, _ in tz.nn.TransformerEncoderLayer(2, 4).named_children()]
        ['attention', 'hidden', 'output', 'attention_norm', 'output_norm', 'dropout']
        """
        for name, value in self._contents():
            if isinstance(value, Module):
                yield name, value

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module and all below it, each once, with their paths, which begin with `prefix`.

        >>> import tarazu as tz
        >>> model = tz.nn.Sequential([tz.nn.Dense(3), tz.nn.Sequential([tz.nn.Dense(1)])])
        >>> [path for path, _ in model.named_modules()]
        ['', '0', '1', '1.0']
        """
        yield from self._walk(prefix, set())

    def _walk(self, path: str, seen: set[int]) -> Iterator[tuple[str, Module]]:
        if id(self) not in seen:
            seen.add(id(self))
            yield path, self
            for name, child in self.named_children():
                yield from child._walk(join_path(path, name), seen)

    def named_tensors(self) -> Iterator[tuple[str, Tensor]]:
        """All tensors, parameters and others, each once, with their paths.

        >>> import tarazu as tz
        >>> [path for path, _ in tz.nn.BatchNorm(3).named_tensors()]
        ['weight', 'bias', 'running_mean', 'running_variance']
        """
        seen: set[int] = set()
        for path, module in self.named_modules():
            for name, value in module.own_tensors().items():
                if id(value) not in seen:
                    seen.add(id(value))
                    yield join_path(path, name), value

    def own_tensors(self) -> dict[str, Tensor]:
        """The tensors that are attributes of this very module, by name; those of modules below it are left out.

        >>> import tarazu as tz
        >>> list(tz.nn.Dense(3, in_features=2).own_tensors()), tz.nn.Sequential([tz.nn.BatchNorm(3)]).own_tensors()
        (['weight', 'bias'], {})
        """
        return {name: value for name, value in self._contents() if isinstance(value, Tensor)}

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """The parameters with their paths: `Parameter`s, and `Variable`s of a float dtype.

        >>> import tarazu as tz
        >>> [path for path, _ in tz.nn.Sequential([tz.nn.BatchNorm(3)]).named_parameters()]
        ['0.weight', '0.bias']
        """
        return ((path, x) for path, x in self.named_tensors() if is_parameter(x))

    def parameters(self) -> list[Tensor]:
        """The parameters; ArgumentError where a layer has yet to see an input before it can make its own.

        >>> import tarazu as tz
        >>> [x.shape for x in tz.nn.Dense(3, in_features=2).parameters()]
        [(2, 3), (3,)]
        """
        for path, module in self.named_modules():
            if module.waits_for_input():
                name = path or type(module).__name__
                raise ArgumentError(f"layer {name!r} has no parameters yet: it has not seen an input",
                                    expected="a model whose layers know their input sizes",
                                    fix="call the model once on some data first, or give in_features")
        return [parameter for _, parameter in self.named_parameters()]

    def count_parameters(self) -> int:
        """The number of single weights; ArgumentError as for `parameters`.

        >>> import tarazu as tz
        >>> tz.nn.Dense(3, in_features=2).count_parameters()
        9
        """
        return sum(parameter.size for parameter in self.parameters())

    def named_buffers(self) -> Iterator[tuple[str, Tensor]]:
        """The tensors that are no parameters, such as running means, with their paths.

        >>> import tarazu as tz
        >>> [path for path, _ in tz.nn.Sequential([tz.nn.BatchNorm(3)]).named_buffers()]
        ['0.running_mean', '0.running_variance']
        """
        return ((path, x) for path, x in self.named_tensors() if not is_parameter(x))

    def get_layer(self, path: str) -> Module:
        """The module at a path, as `named_modules` has them, such as "encoder.0.hidden"; ArgumentError without one.

        >>> import tarazu as tz
        >>> tz.nn.Sequential([tz.nn.Dense(3), tz.nn.Sequential([tz.nn.Dense(1)])]).get_layer("1.0")
        Dense(1)
        """
        found = next((module for module, rest in self._towards(path) if not rest), None)
        if found is None:
            raise nothing_at("layer", path, dict(self.named_modules()))
        return found

    def get_tensor(self, path: str) -> Tensor:
        """The tensor at a path, a parameter or another, as `state_dict` has them; ArgumentError without one.

        >>> import tarazu as tz
        >>> tz.nn.Sequential([tz.nn.Dense(3, in_features=2)]).get_tensor("0.weight").shape
        (2, 3)
        """
        own = (module.own_tensors().get(rest) for module, rest in self._towards(path))
        found = next((x for x in own if x is not None), None)
        if found is None:
            raise nothing_at("tensor", path, dict(self.named_tensors()))
        return found

    def _towards(self, path: str) -> Iterator[tuple[Module, str]]:
        """The modules whose paths the path begins with, and what of it is left behind each."""
        yield self, path
        for name, child in self.named_children():
            if path == name or path.startswith(f"{name}."):
                yield from child._towards(path[len(name) + 1:])

    def _contents(self) -> list[tuple[str, Tensor | Module]]:
        """Tensors and modules in attributes, as often as they stand there; names begin with that of the attribute."""
        found: list[tuple[str, Tensor | Module]] = []
        for name, value in vars(self).items():
            if type(value) not in _PLAIN and name not in NOT_CONTENT:
                _gather(name, value, found)
        return found

    # State

    @property
    def training(self) -> bool:
        """Whether the module is in training mode, in which dropout drops and batch norm learns its statistics.

        While `fit` or `predict` run it says what holds in them; other threads see the mode that `train` or `eval` set.

        >>> import tarazu as tz
        >>> layer = tz.nn.Dropout(0.5)
        >>> layer.training, layer.eval().training
        (True, False)
        """
        return interpreter_state.interpreter.depend_on(
            partial(mode_of, self), f"training mode of {type(self).__name__}")

    def train(self, mode: bool = True) -> Self:
        """Go into training mode, or with False into evaluation mode, with all modules below; gives the module back.

        Called by a callback it counts until the end of the `fit`.

        >>> import tarazu as tz
        >>> tz.nn.Sequential([tz.nn.Dropout(0.5)]).train(False)[0].training
        False
        """
        set_mode([module for _, module in self.named_modules()], mode)
        return self

    def eval(self) -> Self:
        """Go into evaluation mode, with all modules below; gives the module back.

        >>> import tarazu as tz
        >>> tz.nn.Sequential([tz.nn.Dropout(0.5)]).eval()(tz.ones(3))
        Tensor([1., 1., 1.], dtype=float32)
        """
        return self.train(False)

    def freeze(self, frozen: bool = True, *, statistics: bool = False) -> Self:
        """Keep training from changing the parameters (or let it again); gives the module back.

        Running statistics are no parameters: BatchNorm in training mode goes on normalizing with those of the batch,
        and goes on learning its own. `freeze(statistics=True)` stops both: it then normalizes with what it has learned,
        as in evaluation; `freeze(False)` lets all learn again. ArgumentError where a layer has no parameters yet.

        >>> import tarazu as tz
        >>> [x.requires_grad for x in tz.nn.Dense(3, in_features=2).freeze().parameters()]
        [False, False]
        """
        for parameter in self.parameters():
            parameter.requires_grad_(not frozen)
        for _, module in self.named_modules():
            if module._has_frozen_statistics != (frozen and statistics):
                module._has_frozen_statistics = frozen and statistics
        return self

    @property
    def has_frozen_statistics(self) -> bool:
        """Whether `freeze(statistics=True)` keeps training from changing running statistics, as BatchNorm has them.

        >>> import tarazu as tz
        >>> tz.nn.BatchNorm(3).freeze(statistics=True).has_frozen_statistics
        True
        """
        return self._has_frozen_statistics

    @property
    def trainable(self) -> bool:
        """Whether training changes any parameter; set it to freeze all of them (or to let them learn again).

        ArgumentError where a layer has no parameters yet.

        >>> import tarazu as tz
        >>> layer = tz.nn.Dense(3, in_features=2)
        >>> layer.trainable = False
        >>> layer.weight.requires_grad
        False
        """
        return any(parameter.requires_grad for parameter in self.parameters())

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self.freeze(not value)

    def to(self, where: DeviceLike) -> Self:
        """Move all tensors to a device, or whole to each device of a mesh, with what `compile` prepared for them.

        The state of an optimizer in a loop of your own is moved by `optimizer.move_to_parameters()`. DeviceError for a
        device that is not there, TraceError inside a traced function. Gives the module back.

        >>> import tarazu as tz
        >>> tz.nn.Dense(3, in_features=2).to("cpu").weight.device
        tarazu.device('cpu')
        """
        target, tensors = resolve(where), list(self.named_tensors())
        return self._move(tensors, [target] * len(tensors))

    def astype(self, dtype: DTypeLike) -> Self:
        """Cast all float tensors, parameters and others, to another float dtype in place; gives the module back.

        The parameters stay the same objects, so optimizers go on with them, and the states of these keep their dtype.
        For training in half precision `compile(precision=)` keeps float32 weights beside. ArgumentError where a layer
        has no parameters yet, DTypeError for a dtype that is no float dtype, TraceError inside a traced function.

        >>> import tarazu as tz
        >>> tz.nn.Dense(3, in_features=2).astype("float64").weight.dtype
        tarazu.float64
        """
        self.parameters()  # raises where some are not there yet
        cast_tensors(list(self.named_tensors()), dtype)
        return self

    def shard(self, mesh: Mesh, specs: Mapping[str, ShardSpec]) -> Self:
        """Divide parameters over a mesh, for tensor parallelism: `specs` has a spec for each pattern of paths.

        A path takes the first pattern that it matches (as file names do: "*.weight"), and what matches none is whole on
        each device. A spec names for each axis of the parameter the mesh axis that divides it, or None; see `tz.shard`.
        ArgumentError for a pattern that nothing matches, ShapeError for a size that does not divide, TraceError inside
        a traced function. Gives the module back.

        >>> import tarazu as tz
        >>> model = tz.nn.Sequential([tz.nn.Dense(8, in_features=4)])
        >>> model.shard(tz.mesh(model=1), {"*.weight": (None, "model")})[0].weight.device  # doctest: +SKIP
        tarazu.mesh(model=1) (None, 'model')
        """
        self.parameters()  # raises where some are not there yet
        tensors = list(self.named_tensors())
        return self._move(tensors, layouts(tensors, mesh, specs))

    def _move(self, tensors: NamedTensors, targets: Sequence[Target]) -> Self:
        move_tensors(tensors, targets)
        for optimizer in self.own_optimizers().values():
            optimizer.move_to_parameters()
        if self._trainer is not None:
            self._trainer.move_to_parameters()
        return self

    def own_optimizers(self) -> dict[str, Any]:
        """The optimizers among the attributes, as a `train_step` uses them, by their names.

        >>> import tarazu as tz
        >>> layer = tz.nn.Dense(1, in_features=2)
        >>> layer.adam = tz.optim.Adam(layer.parameters())
        >>> list(layer.own_optimizers())
        ['adam']
        """
        # They stand above `nn`, and are known by what moves their state.
        return {join_path(path, name): value for path, module in self.named_modules()
                for name, value in vars(module).items()
                if name not in NOT_CONTENT and hasattr(value, "move_to_parameters")}

    def state_dict(self) -> dict[str, Tensor]:
        """All tensors by path, detached: the content of a saved model.

        ArgumentError where a layer has no parameters yet.

        >>> import tarazu as tz
        >>> {path: x.shape for path, x in tz.nn.Dense(3, in_features=2).state_dict().items()}
        {'weight': (2, 3), 'bias': (3,)}
        """
        self.parameters()  # raises where some are not there yet
        return {path: x.detach() for path, x in self.named_tensors()}

    def load_state_dict(self, content: Mapping[str, Any], *, strict: bool = True) -> Loaded:
        """Take over the tensors of another module's `state_dict()`; arrays do as well. Gives a report.

        ArgumentError unless the names are the same and where a layer has no parameters yet, ShapeError unless the
        shapes are the same; nothing is changed then. With `strict=False` the tensors that have the same name and shape
        are taken over, as for a model with another head, and the report says which were not; ArgumentError where there
        are none.

        >>> import tarazu as tz
        >>> first, second = tz.nn.Dense(3, in_features=2), tz.nn.Dense(3, in_features=2, bias=False)
        >>> second.load_state_dict(first.state_dict(), strict=False)
        1 of 1 tensor loaded; unknown: 'bias'
        >>> bool((second.weight == first.weight).all())
        True
        """
        self.parameters()  # raises where some are not there yet
        return load(dict(self.named_tensors()), content, strict=strict)

    # Showing

    def __repr__(self) -> str:
        children = list(self.named_children())
        if not children:
            return f"{type(self).__name__}({self.describe()})"
        lines = [f"  ({name}): " + repr(child).replace("\n", "\n  ") for name, child in children]
        return "\n".join([f"{type(self).__name__}(", *lines, ")"])

    def _repr_html_(self) -> str:
        from tarazu.nn.module.summary import summary_html

        return summary_html(self)

    def summary(self, input_shape: tuple[int, ...] | None = None) -> str:
        """A table of layers with output shapes (without the batch axis) and numbers of parameters.

        `input_shape` is that of one sample, by default as in the last `fit`; ArgumentError without either as long as a
        layer has yet to see an input.

        >>> import tarazu as tz
        >>> print(tz.nn.Sequential([tz.nn.Dense(3, "relu"), tz.nn.Dense(1)]).summary((2,)))
        layer  kind   output shape  parameters
        --------------------------------------
        0      Dense  (3,)                   9
        1      Dense  (1,)                   4
        --------------------------------------
        13 parameters, 13 of them trainable; 52 B
        """
        from tarazu.nn.module.summary import summary

        return summary(self, input_shape)


def _symbol_among(arguments: Iterable[object]) -> Symbolic | None:
    """The node of a symbolic tensor among arguments and what is in containers of them; None where all are real."""
    for x in arguments:
        if isinstance(x, Tensor):
            if isinstance(x.raw, Symbolic):
                return x.raw
        elif isinstance(x, list | tuple | dict):
            found = _symbol_among(x.values() if isinstance(x, dict) else x)
            if found is not None:
                return found
    return None


def require_arrays(module: Module, inputs: tuple) -> None:
    """Layers that learn their sizes from the input ask for its shape."""
    for x in inputs:
        if not hasattr(x, "shape"):
            raise ArgumentError(f"a {type(x).__name__} as input of {type(module).__name__}",
                                expected="a tensor, with one row per sample",
                                fix="pass tz.tensor(x)")


def _gather(name: str, value: object, found: list[tuple[str, Tensor | Module]]) -> None:
    """Add the tensors and modules in an attribute, looking into lists, tuples and dicts, with their paths from `name`
    on; a list, as a walk over a model takes this step very often and generators inside each other cost more."""
    if isinstance(value, (Tensor, Module)):
        found.append((name, value))
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            _gather(f"{name}.{i}", item, found)
    elif isinstance(value, dict):
        for key, item in value.items():
            _gather(f"{name}.{key}", item, found)
