"""A model of layers one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Self, TypeAlias, overload

from tarazu.base.errors import ArgumentError
from tarazu.nn.layers.activation import Activation, ActivationFunction
from tarazu.nn.module.masks import computed_mask, with_mask
from tarazu.nn.module.mode import share_mode
from tarazu.nn.module.module import Module
from tarazu.ops.typing import ArrayLike
from tarazu.runtime.tensor.tensor import Tensor

Layer: TypeAlias = Module | ActivationFunction


class Sequential(Module):
    """Calls its layers in order, each on the output of the one before; a plain function counts as a layer.

    The layers are arguments or one list. Length, indices and iteration are those of the layers: `model[0]` is the first
    one, `model[:2]` a Sequential of the first two, which shares their weights, `model[0] = layer` puts another one in,
    and `del model[0]` takes it out. ArgumentError for what is no layer.

    `mask`, an option of the call, goes with the input: booleans (batch, time), True where there is a value. As in all
    modules, each layer whose `forward` takes a mask gets that of its input. A layer with a method `compute_mask`, such
    as `Masking`, makes one; a layer that takes it and gives up the time axis ends it.

    >>> import tarazu as tz
    >>> model = tz.nn.Sequential(tz.nn.Dense(5, activation="sigmoid", in_features=2), tz.nn.Dense(1, in_features=5))
    >>> model.count_parameters(), model[1:]
    (21, Sequential(
      (0): Dense(1, in_features=5)
    ))
    """

    hands_masks_on = True

    def __init__(self, *layers: Layer | Iterable[Layer]) -> None:
        first = layers[0] if len(layers) == 1 else None
        given: Iterable[Any] = first if isinstance(first, Iterable) and not isinstance(first, Module | str) else layers
        self.layers: list[Module] = []
        if type(self).__init__ is Sequential.__init__:
            self._arguments = (self.layers,), {}  # layers that are added later belong to it too
        for layer in given:
            self.add(layer)

    def add(self, layer: Layer) -> Self:
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

    def insert(self, i: int, layer: Layer) -> Self:
        """Put a layer, or a function of a tensor, before layer `i`; gives the model back. ArgumentError for others.

        >>> import tarazu as tz
        >>> tz.nn.Sequential(tz.nn.Flatten(), tz.nn.Dense(1)).insert(1, tz.nn.Dropout(0.5))
        Sequential(
          (0): Flatten()
          (1): Dropout(0.5)
          (2): Dense(1)
        )
        """
        self.layers.insert(i, _as_layer(layer, i))
        return self

    def pop(self, i: int = -1) -> Module:
        """Take layer `i`, the last one unless given, out of the model, and give it; IndexError without such a layer.

        >>> import tarazu as tz
        >>> model = tz.nn.Sequential(tz.nn.Flatten(), tz.nn.Dense(1))
        >>> model.pop(), len(model)
        (Dense(1), 1)
        """
        return self.layers.pop(i)

    def __len__(self) -> int:
        return len(self.layers)

    @overload
    def __getitem__(self, i: int) -> Module: ...

    @overload
    def __getitem__(self, i: slice) -> Sequential: ...

    def __getitem__(self, i: int | slice) -> Module:
        if not isinstance(i, slice):
            return self.layers[i]
        part = Sequential(self.layers[i])
        share_mode(self, [part])
        return part

    @overload
    def __setitem__(self, i: int, layer: Layer) -> None: ...

    @overload
    def __setitem__(self, i: slice, layer: Iterable[Layer]) -> None: ...

    def __setitem__(self, i: int | slice, layer: Layer | Iterable[Layer]) -> None:
        if isinstance(i, slice):
            self.layers[i] = Sequential(layer).layers
        else:
            self.layers[i] = _as_layer(layer, i)

    def __delitem__(self, i: int | slice) -> None:
        del self.layers[i]

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
        x = with_mask(x, mask)
        for layer in self.layers:
            x = layer(x)
        return x


def _as_layer(layer: object, i: int) -> Module:
    """`layer`, or a layer that calls it where it is a plain function; ArgumentError for what is to be layer `i`."""
    if isinstance(layer, Module):
        return layer
    if isinstance(layer, type) or not callable(layer):
        made = f"{layer.__name__}(...)" if isinstance(layer, type) else "tz.nn.Dense(...)"
        if isinstance(layer, str):
            made = f"tz.nn.Activation({layer!r})"
        raise ArgumentError(f"{layer!r} as layer {i}", expected="a layer, or a function of a tensor",
                            fix=f"make an object: {made}")
    return Activation(layer)
