"""The base class of layers around a layer whose weight is computed of other tensors in each call."""

from __future__ import annotations

from typing import Any

from tarazu.base.errors import ArgumentError
from tarazu.base.messages import listing
from tarazu.nn.module.masks import call_forward
from tarazu.nn.module.module import Module
from tarazu.nn.module.parameter import Parameter, is_parameter
from tarazu.runtime.tensor.tensor import Tensor


class Reparametrized(Module):
    """Calls `layer` with a weight that `_computed` gives, of tensors that `_take_over` has made of the layer's own.

    The layer itself then lacks the weight, so that training changes those tensors alone.
    """

    def __init__(self, layer: Module, name: str = "weight") -> None:
        if not isinstance(layer, Module):
            raise ArgumentError(f"{type(self).__name__} of {layer!r}", expected="a layer",
                                fix=f"write for example {type(self).__name__}(tz.nn.Dense(8))")
        self.layer, self._name = layer, name
        if not layer.waits_for_input():
            self._take_weight()
            self._built_with, self._is_built = layer._built_with, True

    def build(self, *inputs: Any) -> None:
        """Build the layer, and make the tensors of which its weight is computed. ArgumentError where it has no such."""
        self.layer._build_once(inputs)
        self._take_weight()

    def _take_weight(self) -> None:
        own = self.layer.own_tensors()
        weight = own.get(self._name)
        if weight is None or not is_parameter(weight):
            names = listing(name for name, x in own.items() if is_parameter(x)) or "none"
            raise ArgumentError(f"{type(self).__name__}: {self._name!r} of a {type(self.layer).__name__}",
                                expected=f"the name of one of its parameters: {names}",
                                fix="wrap the layer that has the weight, not one around it")
        self._position = list(vars(self.layer)).index(self._name)
        delattr(self.layer, self._name)
        self._take_over(weight)

    def _take_over(self, weight: Tensor) -> None:
        """Keep the tensors of which `_computed` makes the weight."""
        raise NotImplementedError

    def _computed(self) -> Tensor:
        """The weight that the layer is called with."""
        raise NotImplementedError

    def forward(self, *inputs: Any, **options: Any) -> Any:
        return call_forward(self._with_weight(self._computed()), inputs, options)

    def _with_weight(self, weight: Tensor) -> Module:
        """A layer with the attributes of `layer` and this weight: one of its own for each call, as threads may share
        the layer."""
        twin = object.__new__(type(self.layer))
        for name in list(vars(self.layer)):
            setattr(twin, name, getattr(self.layer, name))
        setattr(twin, self._name, weight)
        twin._is_training = self.layer.training
        return twin

    def unwrap(self) -> Module:
        """The layer itself, with the present weight as its own parameter again; this wrapper is of no use afterwards.

        ArgumentError where the layer has yet to see an input.

        >>> import tarazu as tz
        >>> tz.nn.WeightNorm(tz.nn.Dense(3, in_features=2)).unwrap().weight.shape
        (2, 3)
        """
        self.parameters()  # raises where some are not there yet
        weight, attributes = Parameter(self._computed().detach()), list(vars(self.layer).items())
        attributes.insert(self._position, (self._name, weight))  # where it was, as its state keeps that order
        vars(self.layer).clear()
        vars(self.layer).update(attributes)
        setattr(self.layer, self._name, weight)
        return self.layer
