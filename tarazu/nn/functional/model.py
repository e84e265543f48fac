"""A model that is made of symbolic inputs and outputs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tarazu.base.errors import ArgumentError
from tarazu.base.pytree import flatten, map_leaves
from tarazu.nn.functional.call_arguments import arranged, require_shapes
from tarazu.nn.functional.plan import Plan
from tarazu.nn.functional.recipe import Recipe, record, symbols_of
from tarazu.nn.functional.table import table
from tarazu.nn.functional.unknown_size import TRIAL_SIZES, with_size
from tarazu.nn.module.mode import in_mode
from tarazu.nn.module.module import Module
from tarazu.ops.promote import as_value
from tarazu.ops.typing import Tree
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.jit.jit import trace
from tarazu.runtime.tensor.creation import zeros
from tarazu.runtime.tensor.tensor import Tensor


class Model(Module):
    """The model that computes `outputs` of `inputs`, both symbolic: a graph of layers and operations.

    `inputs` and `outputs` are symbolic tensors, which `tz.nn.Input` begins and layers and operations called on them go
    on with, or lists, tuples or dicts of them. The model is called with real batches: `model(x)`, `model(a, b)` for a
    list or tuple of inputs, `model(image=a, table=b)` for a dict; the outputs come as `outputs` are nested. Layers run
    on the whole batch, operations on each sample for itself; a layer that is called twice is shared. A `Parameter` that
    operations read is one of the model's, any other tensor a constant; what draws random numbers belongs into a module.
    Masks of `Embedding` or `Masking` go along the graph, to the layers that take them and to the loss.

    A list or tuple whose inputs all have names is also passed by these: `tz.nn.Input(3, name="table")`.

    `model.inputs` and `model.outputs` are the symbolic tensors, `model.output_of("dense")` is what a layer gives, and
    `tz.nn.Model(model.inputs, model.output_of("dense"))` a model of the first layers, with the same weights.

    ArgumentError for what is no symbolic tensor and for outputs that need other inputs, ShapeError for outputs without
    a batch axis; calls raise ShapeError for inputs of other shapes and ArgumentError for another number of them.

    >>> import tarazu as tz
    >>> image, table = tz.nn.Input((8, 8, 1)), tz.nn.Input((3,))
    >>> x = tz.nn.Flatten()(tz.nn.Conv2D(4, 3)(image))
    >>> x = tz.concat([x, tz.nn.Dense(5, "relu")(table)], -1)
    >>> model = tz.nn.Model([image, table], {"kind": tz.nn.Dense(2)(x), "size": x.mean(-1)})
    >>> {name: y.shape for name, y in model(tz.ones((6, 8, 8, 1)), tz.ones((6, 3))).items()}
    {'kind': (6, 2), 'size': (6,)}
    """

    hands_masks_on = True
    _symbols: list[Tensor] | None = None

    def __init__(self, inputs: Tree, outputs: Tree = None) -> None:
        recipe, symbols = (inputs, None) if isinstance(inputs, Recipe) else record(inputs, outputs)
        self.layers, self.constants = recipe.layers, recipe.constants
        self._plan = Plan(recipe)
        self._symbols = symbols
        if type(self).__init__ is Model.__init__:
            self._arguments = (recipe,), {}  # a saved model is made again from data

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__getstate__().items() if name != "_symbols"}

    def describe(self) -> str:
        """What stands in the brackets of the printed tree: the numbers of inputs and outputs.

        >>> import tarazu as tz
        >>> x = tz.nn.Input(3)
        >>> tz.nn.Model(x, x + 1)
        Model(inputs=1, outputs=1)
        """
        recipe = self._plan.recipe
        return ", ".join(f"{name}={len(flatten(tree)[0])}"
                         for name, tree in (("inputs", recipe.inputs), ("outputs", recipe.outputs)))

    # Symbolic tensors

    @property
    def inputs(self) -> Tree:
        """The symbolic inputs, nested as they were given.

        >>> import tarazu as tz
        >>> x = tz.nn.Input(3)
        >>> tz.nn.Model([x], x + 1).inputs
        [Tensor(symbolic, shape=(batch, 3), dtype=float32)]
        """
        return self._nested(self._plan.recipe.inputs)

    @property
    def outputs(self) -> Tree:
        """The symbolic outputs, nested as they were given.

        >>> import tarazu as tz
        >>> x = tz.nn.Input(3)
        >>> tz.nn.Model(x, {"sum": x.sum(-1)}).outputs
        {'sum': Tensor(symbolic, shape=(batch,), dtype=float32)}
        """
        return self._nested(self._plan.recipe.outputs)

    @property
    def input_names(self) -> list[str | None]:
        """The name of each input: its key where they are a dict, else the one that `Input` was given, or None.

        >>> import tarazu as tz
        >>> x = tz.nn.Input(3, name="size")
        >>> tz.nn.Model(x, x + 1).input_names
        ['size']
        """
        recipe = self._plan.recipe
        return list(recipe.inputs) if type(recipe.inputs) is dict else list(recipe.names)

    def output_of(self, name: str, call: int = 0) -> Tree:
        """The symbolic result of the layer of that name; `call` counts the calls of a shared one.

        ArgumentError for a name that the model does not have, or a call that there was not.

        >>> import tarazu as tz
        >>> x = tz.nn.Input(3)
        >>> model = tz.nn.Model(x, tz.nn.Dense(1)(tz.nn.Dense(5)(x)))
        >>> tz.nn.Model(model.inputs, model.output_of("dense"))(tz.ones((2, 3))).shape
        (2, 5)
        """
        number = self._number_of(name)
        steps = [step for step in self._plan.recipe.steps if step.get("layer") == number]
        if not -len(steps) <= call < len(steps):
            raise ArgumentError(f"call {call} of layer {name!r}", expected=f"a number below {len(steps)}",
                                fix="the calls are counted from 0, in the order in which they were made")
        symbols = self._values()
        return flatten(steps[call]["tree"][1])[1].rebuild([symbols[i] for i in steps[call]["outputs"]])

    def get_layer(self, path: str) -> Module:
        """The layer of a name, as the summary shows it, or at a path with dots; ArgumentError where there is none.

        >>> import tarazu as tz
        >>> x = tz.nn.Input(3)
        >>> tz.nn.Model(x, tz.nn.Dense(1)(x)).get_layer("dense").weight.shape
        (3, 1)
        """
        return super().get_layer(path) if "." in path else self.layers[self._number_of(path)]

    def _number_of(self, name: str) -> int:
        names = self._plan.recipe.layer_names
        if name not in names:
            raise ArgumentError(f"there is no layer {name!r}", expected=f"one of {', '.join(names)}",
                                fix="model.summary() shows their names")
        return names.index(name)

    def _values(self) -> list[Tensor]:
        """The symbolic tensors by number; made anew for a model that was loaded or copied."""
        if self._symbols is None:
            self._symbols = symbols_of(self._plan.recipe.holding(self.layers, self.constants))
        return self._symbols

    def _nested(self, numbers: Tree) -> Tree:
        """The symbolic tensors of these numbers, nested as they are."""
        values = self._values()
        return map_leaves(lambda i: values[i], numbers)

    # Calling

    def forward(self, *inputs: Any, **named: Any) -> Any:
        """The outputs for batches of the inputs, which all have equally many rows."""
        recipe = self._plan.recipe
        tensors = [as_value(x) for x in arranged(recipe.inputs, inputs, named, recipe.names)]
        require_shapes(recipe, tensors)
        outputs = self._plan.run(tensors, self.layers, self.constants)
        return flatten(recipe.outputs)[1].rebuild(outputs)

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The layers, named by their kinds and numbers: "dense", "dense_1"; and modules in further attributes.

        >>> import tarazu as tz
        >>> x = tz.nn.Input(3)
        >>> list(tz.nn.Model(x, tz.nn.Dense(1)(x)).named_children())
        [('dense', Dense(1))]
        """
        names = {f"layers.{i}": name for i, name in enumerate(self._plan.recipe.layer_names)}
        return ((names.get(name, name), child) for name, child in super().named_children())

    # Showing

    def summary(self, input_shape: tuple[int, ...] | None = None) -> str:
        """A table of inputs, layers and operations with output shapes, numbers of parameters, and what each is given.

        Shapes are without the batch axis, as in the summary of other models; `input_shape` is not needed.

        >>> import tarazu as tz
        >>> x = tz.nn.Input(3, name="x")
        >>> print(tz.nn.Model(x, x + tz.nn.Dense(3)(x)).summary())
        layer  kind       output shape  parameters  connected to
        --------------------------------------------------------
        x      Input      (3,)                   0
        dense  Dense      (3,)                  12  x
        add    operation  (3,)                   0  x, dense
        --------------------------------------------------------
        12 parameters, 12 of them trainable; 48 B
        """
        return table(self, self._plan.recipe.holding(self.layers, self.constants))

    def to_html(self, path: str | Path, title: str = "model", depth: int | None = None) -> Path:
        """Write an HTML page with a drawing of the model to `path`, and give the path.

        Layers are boxes; axes that inputs leave open have 32 elements; those nested deeper than `depth` are drawn as
        one box each. `tz.trace(model)(x)` gives the graph itself, for other drawings.

        >>> import tarazu as tz, tempfile
        >>> x = tz.nn.Input(3)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     tz.nn.Model(x, tz.nn.Dense(1)(x)).to_html(f"{folder}/model.html").name
        'model.html'
        """
        recipe = self._plan.recipe
        types = [recipe.type_of(i) for i in flatten(recipe.inputs)[0]]
        batch = [zeros(with_size(type_.shape, TRIAL_SIZES[0]), dtype=type_.dtype) for type_ in types]
        with in_mode(self, training=False), no_grad():
            graph = trace(self)(flatten(recipe.inputs)[1].rebuild(batch))
        return graph.to_html(path, title, depth)
