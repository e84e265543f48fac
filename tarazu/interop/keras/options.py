"""One layer of a Keras file while it is read: its config, every argument of which is used or refused; its arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tarazu.base.errors import FileFormatError
from tarazu.interop.keras.archive import INTACT
from tarazu.nn.module.module import Module

OWN_WAY = ('write it as a Tarazu layer, class {0}(tz.nn.Module), and pass custom_objects={{"{0}": {0}}}')
WITHOUT_EFFECT = {"name", "trainable", "dtype", "seed", "implementation", "unroll", "time_major", "batch_input_shape",
                  "lora_alpha", "zero_output_for_mask", "unit_forget_bias", "synchronized", "renorm_momentum",
                  "flash_attention", "autocast"}  # on outputs, once there are weights
MISSING = object()


@dataclass(frozen=True)
class Place:
    """Where a layer stands, for errors: the file, its name and its class in Keras."""

    path: Path
    name: str
    kind: str

    def refused(self, problem: str, expected: str, fix: str = "") -> FileFormatError:
        """The error for something in this layer; unless `fix` says more, the way is a layer of one's own."""
        return FileFormatError(f"layer {self.name!r} ({self.kind}): {problem}", path=self.path, expected=expected,
                               fix=fix or OWN_WAY.format(self.kind))


@dataclass
class Options:
    """The config of a layer. What it has been asked for counts as used; `require_all_used` refuses the rest.

    `tensors` are the arrays for the tensors of the Tarazu layer, by name, `fixed` those among them that do not learn.
    """

    place: Place
    config: Mapping[str, Any]
    saved: Callable[[str], list[np.ndarray]]  # the arrays of the layer itself (""), or of a part of it
    child: Callable[[Any, str], Module]  # the layer that a part of the config describes, and where its arrays are
    function: Callable[[Any, Place], Any]  # the activation that a part of the config describes
    calls: Sequence[Mapping[str, Any]] = ()  # the options of the calls of the layer, as far as they are known
    input_shape: Any = None
    outer: str = ""  # the class of the layer that this one is a part of
    tensors: dict[str, np.ndarray] = field(default_factory=dict)
    fixed: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)

    def take(self, name: str, default: Any = MISSING) -> Any:
        """An argument; FileFormatError where it is missing and has no default."""
        self.used.add(name)
        value = self.config.get(name, default)
        if value is MISSING:
            raise self.place.refused(f"its config lacks {name!r}", "a config as Keras writes it", INTACT)
        return tuple(value) if isinstance(value, list) else value

    def require(self, name: str, *neutral: Any) -> None:
        """FileFormatError unless an argument is missing or has one of the values that change nothing."""
        value = self.take(name, neutral[0])
        if value not in neutral:
            raise self.place.refused(f"{name}={value!r}, which Tarazu's layer does not have",
                                     f"{name}={' or '.join(map(repr, neutral))}")

    def activation(self, name: str = "activation") -> Any:
        """An argument that names an activation, as a function."""
        return self.function(self.take(name, None), self.place)

    def weights(self, *names: str, part: str = "") -> list[np.ndarray]:
        """The saved arrays of the layer, or a part of it, which are to become its tensors of these names."""
        arrays = self.saved(part)
        if len(arrays) != len(names):
            raise self.place.refused(f"the file has {len(arrays)} arrays for it", f"{len(names)}: {', '.join(names)}",
                                     "build the model in Keras before it is saved: call it on some data")
        self.tensors.update(zip(names, arrays, strict=True))
        return arrays

    def fix(self, name: str, array: np.ndarray) -> None:
        """Give a tensor that the Keras layer lacks the value that changes nothing, and keep it from learning."""
        self.tensors[name] = array
        self.fixed.add(name)

    def size(self, name: str, array: np.ndarray, axis: int) -> int:
        """An argument that is a size of an array; FileFormatError where the array has another."""
        value, size = self.take(name), array.shape[axis]
        if value != size:
            raise self.place.refused(f"{name}={value!r} beside a weight of shape {array.shape}",
                                     f"{name}={size}", INTACT)
        return size

    def last_axis(self, name: str = "axis") -> None:
        """FileFormatError unless an argument names the last axis."""
        axis, count = self.take(name, -1), len(self.input_shape) if isinstance(self.input_shape, Sequence) else None
        if axis not in (-1, (-1,)) and (count is None or axis not in (count - 1, (count - 1,))):
            raise self.place.refused(f"{name}={axis!r}", "the last axis, -1: channels last",
                                     "put channels last in Keras before saving: keras.layers.Permute")

    def option_of_calls(self, name: str, default: Any) -> Any:
        """What all calls of the layer pass for an option; FileFormatError where they differ."""
        values = {bool(call.get(name, default)) for call in self.calls} or {default}
        if len(values) > 1:
            raise self.place.refused(f"calls with and without {name}", "the same in all calls",
                                     "use two layers in Keras, which share no weights, or a Tarazu layer of your own")
        return values.pop()

    def require_all_used(self) -> None:
        """FileFormatError for an argument that nobody has asked for, unless it is None or False, or changes nothing."""
        for name, value in self.config.items():
            is_start_value = name.endswith("_initializer")
            is_penalty = name.endswith("_regularizer") and name != "activity_regularizer"  # penalties.py has those
            if not (name in self.used or name in WITHOUT_EFFECT or is_start_value or is_penalty
                    or value is None or value is False):
                raise self.place.refused(f"{name}={value!r}, which Tarazu's layer does not have", f"no {name}")


def name_of(content: Any) -> str:
    """The name of a layer or a model in its config."""
    config = content.get("config") if isinstance(content, Mapping) else None
    return str(config.get("name", "?")) if isinstance(config, Mapping) else "?"


def require_float32(options: Options) -> None:
    """FileFormatError for a layer of other weights. Those of mixed policies are float32, in which it computes here."""
    dtype = options.config.get("dtype")
    policy = dtype.get("config") if isinstance(dtype, Mapping) else dtype
    name = policy.get("name") if isinstance(policy, Mapping) else policy
    if name not in (None, "float32", "mixed_float16", "mixed_bfloat16"):
        raise options.place.refused(f"dtype {name}", "float32",
                                    "save the model in Keras with dtype='float32', and pass precision= to compile")
