"""Recurrent layers and cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tarazu.interop.keras.layers.core import zeros
from tarazu.interop.keras.options import Options
from tarazu.interop.keras.saved_weights import GroupNames
from tarazu.nn.layers.sequences.bidirectional import Bidirectional
from tarazu.nn.layers.sequences.cells import GRUCell, LSTMCell, SimpleRNNCell, StackedRNNCells
from tarazu.nn.layers.sequences.recurrent import GRU, LSTM, RNN, SimpleRNN
from tarazu.nn.module.module import Module

Maker = Callable[[Options], Module]
MERGES = {"concat": "concat", "sum": "sum", "ave": "mean", "mul": "mul", None: None}


def _results(options: Options) -> dict[str, bool]:
    """What a layer over time gives, as arguments."""
    options.require("stateful", False)
    sequences, reverse = options.take("return_sequences"), options.take("go_backwards")
    if sequences and reverse and options.outer != "Bidirectional":
        raise options.place.refused("go_backwards=True with return_sequences=True, which gives the last step first",
                                    "one of them", "turn the sequence round beside the layer, in a model of your own: "
                                                   "tz.flip(x, axis=1)")
    return {"return_sequences": sequences, "return_state": options.take("return_state"), "reverse": reverse}


def _of_weights(options: Options, part: str) -> dict[str, Any]:
    """The arguments that cells and layers share, and the arrays: kernel, recurrent kernel, and bias or zeros."""
    has_bias = options.take("use_bias")
    kernel = options.weights("weight", "recurrent_weight", *["bias"] * has_bias, part=part)[0]
    if not has_bias:
        options.fix("bias", zeros(kernel.shape[1]))
    units = options.take("units")
    if kernel.shape[1] % units or kernel.shape[1] // units not in (1, 3, 4):
        raise options.place.refused(f"units={units!r} beside a kernel of shape {kernel.shape}", "the same units")
    return {"units": units, "in_features": kernel.shape[0], "dropout": options.take("dropout"),
            "recurrent_dropout": options.take("recurrent_dropout")}


def _of_gates(options: Options, part: str) -> dict[str, Any]:
    options.require("activation", "tanh")
    options.require("recurrent_activation", "sigmoid")
    return _of_weights(options, part)


def _of_gru(options: Options, part: str) -> dict[str, Any]:
    """Keras has the gates update, reset, new, ours are reset, update, new; one bias (2, 3 units) is two of ours."""
    options.require("reset_after", True)
    arguments = _of_gates(options, part)
    tensors, units = options.tensors, arguments["units"]
    if options.take("use_bias"):
        tensors["bias"], tensors["recurrent_bias"] = tensors["bias"]
    else:
        options.fix("recurrent_bias", zeros(3 * units))
    for name, array in tensors.items():
        tensors[name] = _reset_first(array, units)
    return arguments


def _reset_first(array: np.ndarray, units: int) -> np.ndarray:
    return np.concatenate([array[..., units:2 * units], array[..., :units], array[..., 2 * units:]], -1)


def _of_simple(options: Options, part: str) -> dict[str, Any]:
    return {**_of_weights(options, part), "activation": options.activation()}


def _layer(kind: Callable[..., Module], arguments: Callable[[Options, str], dict[str, Any]]) -> Maker:
    return lambda options: kind(**arguments(options, "cell"), **_results(options))


def _cell(kind: Callable[..., Module], arguments: Callable[[Options, str], dict[str, Any]]) -> Maker:
    return lambda options: kind(**arguments(options, ""))


def _stacked(options: Options) -> Module:
    names = GroupNames()
    return StackedRNNCells([options.child(cell, f"cells/{names.of(cell['class_name'])}")
                            for cell in options.take("cells")])


def _rnn(options: Options) -> Module:
    return RNN(options.child(options.take("cell"), "cell"), **_results(options))


def _bidirectional(options: Options) -> Module:
    layer: Any = options.child(options.take("layer"), "forward_layer")
    backward: Any = options.child(options.take("backward_layer"), "backward_layer")
    return Bidirectional(layer, MERGES[options.take("merge_mode")], backward_layer=backward)


RECURRENT: dict[str, Maker] = {
    "LSTM": _layer(LSTM, _of_gates), "GRU": _layer(GRU, _of_gru), "SimpleRNN": _layer(SimpleRNN, _of_simple),
    "LSTMCell": _cell(LSTMCell, _of_gates), "GRUCell": _cell(GRUCell, _of_gru),
    "SimpleRNNCell": _cell(SimpleRNNCell, _of_simple), "StackedRNNCells": _stacked, "RNN": _rnn,
    "Bidirectional": _bidirectional}
