"""A model of layers one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self

from tarazu.base.errors import ArgumentError
from tarazu.nn.layers.activation import Activation, ActivationFunction
from tarazu.nn.module.module import Module


class Sequential(Module):
    """Calls its layers in order, each on the output of the one before; a plain function counts as a layer.

    Its length, indices and iteration are those of the layers. ArgumentError for what is no layer.

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
        if not isinstance(layer, Module):
            if isinstance(layer, type) or not callable(layer):
                kind = layer.__name__ if isinstance(layer, type) else "tz.nn.Dense"
                raise ArgumentError(f"{layer!r} as layer {len(self.layers)}",
                                    expected="a layer, or a function of a tensor", fix=f"make an object: {kind}(...)")
            layer = Activation(layer)
        self.layers.append(layer)
        return self

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, i: int) -> Module:
        return self.layers[i]

    def __iter__(self) -> Iterator[Module]:
        return iter(self.layers)

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules that are attributes, of which the layers are named by their indices.

        >>> import tarazu as tz
        >>> list(tz.nn.Sequential([tz.nn.Flatten()]).named_children())
        [('0', Flatten())]
        """
        return ((name.removeprefix("layers."), child) for name, child in super().named_children())

    def forward(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x
