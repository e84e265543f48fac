"""Losses for classes take logits: with a softmax or sigmoid before them training runs, but badly, and says nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tarazu.base.errors import ArgumentError
from tarazu.nn.losses import loss_name, traits
from tarazu.nn.module.module import Module
from tarazu.nn.module.observers import observe_calls
from tarazu.ops.elementwise import sigmoid
from tarazu.ops.networks.softmax import softmax
from tarazu.train.calling import call, outputs_and_masks
from tarazu.train.trainer.outputs import Output


def called_and_activations(model: Module, inputs: Any) -> tuple[tuple[Any, Any], list[tuple[object, object]]]:
    """The output for `inputs` with its masks, and what each module below gave with its activation."""
    last: list[tuple[object, object]] = []

    def observe(module: Module, output: object) -> None:
        last.append((output, getattr(module, "_activation", None)))

    with observe_calls(observe):
        return outputs_and_masks(lambda: call(model, inputs)), last


def require_logits(outputs: Iterable[Output], prediction: Any, last: list[tuple[object, object]]) -> None:
    """ArgumentError where an output comes out of an activation that its loss applies itself."""
    for output in outputs:
        own, given = traits(output.loss).activation, output.of(prediction)
        used: Any = next((function for made, function in last if made is given and function is not None), None)
        if own is not None and used in (softmax, sigmoid):
            raise ArgumentError(f"a last layer that ends in {used.__name__}, for the loss {loss_name(output.loss)}, "
                                f"which applies {own.__name__} itself",
                                expected="logits: the numbers before softmax or sigmoid",
                                fix=f"leave that activation out; tz.{own.__name__}(model.predict(x)) gives "
                                    f"probabilities; or functools.partial(tz.nn.{loss_name(output.loss)}, "
                                    "from_logits=False)")
