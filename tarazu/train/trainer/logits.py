"""Losses for classes take logits: with a softmax or sigmoid before them training runs, but badly, and says nothing."""

from __future__ import annotations

from typing import Any

from tarazu.base.errors import ArgumentError, TrainingError
from tarazu.nn.losses import Loss, loss_name, traits
from tarazu.nn.module.module import Module
from tarazu.nn.module.observers import observe_calls
from tarazu.ops.elementwise import sigmoid
from tarazu.ops.networks.softmax import softmax
from tarazu.runtime.tensor.tensor import Tensor


def require_one_tensor(model: Module, output: object) -> None:
    """TrainingError unless the output of a model is one tensor with a row for each sample."""
    if isinstance(output, Tensor):
        return
    what = {dict: "a dict", tuple: "a tuple", list: "a list", type(None): "None"}.get(type(output), repr(output))
    count = f" of {len(output)}" if isinstance(output, dict | tuple | list) else ""
    fix = ("return the output from forward" if output is None else
           "let forward return one of them, or join them: tz.concat([a, b], axis=-1); a loop of your own takes any")
    raise TrainingError(f"{type(model).__name__} gives {what}{count} as output", expected="one tensor", fix=fix)


def first_output(model: Module, loss: Loss, inputs: Tensor) -> Any:
    """The output for `inputs`; ArgumentError where it comes out of an activation that the loss applies itself."""
    last: list[Any] = []

    def observe(module: Module, output: object) -> None:
        last.append((output, getattr(module, "_activation", None)))

    with observe_calls(observe):
        output = model(inputs)
    require_one_tensor(model, output)
    own = traits(loss).activation
    used = next((function for made, function in last if made is output and function is not None), None)
    if own is not None and used in (softmax, sigmoid):
        raise ArgumentError(f"a last layer that ends in {used.__name__}, for the loss {loss_name(loss)}, which applies "
                            f"{own.__name__} itself",
                            expected="logits: the numbers before softmax or sigmoid",
                            fix=f"leave that activation out; tz.{own.__name__}(model.predict(x)) gives probabilities")
    return output
