"""A model of layers one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self

from tarazu.base.errors import ArgumentError
from tarazu.nn.layers.activation import Activation, ActivationFunction
from tarazu.nn.layers.sequences.masks import call_with_mask, computed_mask
from tarazu.nn.module.module import Module
from tarazu.ops.typing import ArrayLike
from tarazu.runtime.tensor.tensor import Tensor


class Sequential(Module):
    """Calls its layers in order, each on the output of the one before; a plain function counts as a layer.

    Its length, indices and iteration are those of the layers; `model[0] = layer` puts another one in. `mask`, an option
    of the call, goes to each layer whose `forward` takes it: booleans (batch, time), True where there is a value. A
    layer with a method `compute_mask`, such as `Masking`, makes one; a layer that takes it and gives up the time axis
    ends it.
    ArgumentError for what is no layer.

    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(5, activation="sigmoid", in_features=2), tz.nn.Dense(1, in_features=5)])
    >>> model.count_parameters()
    21
    """

    def __init__(self, layers: Sequence[Module | ActivationFunction] = (), *more: object) -> None:
        if more or not isinstance(layers, Iterable):
            given = ", ".join(type(layer).__name__ for layer in (layers, *more))
            raise ArgumentError(f"Sequential({given})", expected="one list of layers",
                                fix="put them in brackets: Sequential([Dense(8), Dense(1)])")
        self.layers: list[Module] = []
        if type(self).__init__ is Sequential.__init__:
            self._arguments = (self.layers,), {}  # layers that are added later belong to it too
        for layer in layers:
            self.add(layer)

    def add(self, layer: Module | ActivationFunction) -> Self:
        """Append a layer, or a function of a tensor; gives the model back. ArgumentError for anything else.

        >>> import tarazu as tz
        >>> tz.nn.Sequential().add(tz.nn.Dense(3)).add(tz.tanh)
        Sequential(
          (0): Dense(3)
          (1): Activation(tanh)
        )
        """
        self.layers.append(_as_layer(layer, len(self.layers)))
        return self

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, i: int) -> Module:
        return self.layers[i]

    def __setitem__(self, i: int, layer: Module | ActivationFunction) -> None:
        self.layers[i] = _as_layer(layer, i)

    def __iter__(self) -> Iterator[Module]:
        return iter(self.layers)

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules that are attributes, of which the layers are named by their indices.

        >>> import tarazu as tz
        >>> list(tz.nn.Sequential([tz.nn.Flatten()]).named_children())
        [('0', Flatten())]
        """
        return ((name.removeprefix("layers."), child) for name, child in super().named_children())

    def prepare_inputs(self, x: Any) -> Any:
        """What the first layer makes of the inputs that `fit` or `predict` gets: numbers, where it takes texts.

        >>> import tarazu as tz
        >>> tz.nn.Sequential([tz.nn.TextVectorization(split="bytes"), tz.nn.Embedding(257, 2)]).prepare_inputs(["A"])
        Tensor([[66]], dtype=int64)
        """
        return self.layers[0].prepare_inputs(x) if self.layers else x

    def compute_mask(self, x: Any) -> Tensor | None:
        """The mask that the first layer makes of the input; None where that makes none.

        >>> import tarazu as tz
        >>> tz.nn.Sequential([tz.nn.Masking(), tz.nn.GRU(3)]).compute_mask(tz.tensor([[[2.0], [0.0]]]))
        Tensor([[ True, False]], dtype=bool)
        """
        return computed_mask(self.layers[0], x) if self.layers else None

    def forward(self, x: Any, *, mask: ArrayLike | None = None) -> Any:
        for layer in self.layers:
            x, mask = call_with_mask(layer, x, mask)
        return x


def _as_layer(layer: Module | ActivationFunction, i: int) -> Module:
    """`layer`, or a layer that calls it where it is a plain function; ArgumentError for what is to be layer `i`."""
    if isinstance(layer, Module):
        return layer
    if isinstance(layer, type) or not callable(layer):
        kind = layer.__name__ if isinstance(layer, type) else "tz.nn.Dense"
        raise ArgumentError(f"{layer!r} as layer {i}", expected="a layer, or a function of a tensor",
                            fix=f"make an object: {kind}(...)")
    return Activation(layer)
