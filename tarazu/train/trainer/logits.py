"""Losses for classes take logits: with a softmax or sigmoid before them training runs, but badly, and says nothing."""

from __future__ import annotations

from typing import Any

from tarazu.base.errors import ArgumentError
from tarazu.nn.losses import Loss, traits
from tarazu.nn.module.module import Module, observe_calls
from tarazu.ops.elementwise import sigmoid
from tarazu.ops.networks.softmax import softmax
from tarazu.runtime.tensor.tensor import Tensor


def first_output(model: Module, loss: Loss, inputs: Tensor) -> Any:
    """The output for `inputs`; ArgumentError where it comes out of an activation that the loss applies itself."""
    last: list[Any] = []

    def observe(module: Module, output: object) -> None:
        last.append((output, getattr(module, "_activation", None)))

    with observe_calls(observe):
        output = model(inputs)
    own = traits(loss).activation
    used = next((function for made, function in last if made is output and function is not None), None)
    if own is not None and used in (softmax, sigmoid):
        raise ArgumentError(f"a last layer that ends in {used.__name__}, for the loss {loss.__name__}, which applies "
                            f"{own.__name__} itself",
                            expected="logits: the numbers before softmax or sigmoid",
                            fix=f"leave that activation out; tz.{own.__name__}(model.predict(x)) gives probabilities")
    return output
