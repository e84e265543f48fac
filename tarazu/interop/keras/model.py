"""Models of Keras from their configs: layers by the table, put into a Sequential or called on symbolic tensors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tarazu.base.errors import FileFormatError
from tarazu.interop.keras.activations import find_function
from tarazu.interop.keras.archive import INTACT
from tarazu.interop.keras.compiled.penalties import penalties_of
from tarazu.interop.keras.functional import FunctionalReader
from tarazu.interop.keras.layers.table import LAYERS
from tarazu.interop.keras.options import Options, Place, name_of, require_float32
from tarazu.interop.keras.saved_weights import Arrays, GroupNames
from tarazu.nn.functional.inputs import Input
from tarazu.nn.layers.sequential import Sequential
from tarazu.nn.module.module import Module
from tarazu.optim.regularizers import Regularizer
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.tensor import Tensor

MOST_ELEMENTS = 2**24  # of one sample: layers are tried on two of them
MOST_LAYERS = 10_000  # of one model; each takes some KB of memory before it has a weight
FUNCTIONAL = "Functional", "Model"


class Loading(NamedTuple):
    """A layer that is to get its saved tensors once the model is built."""

    layer: Module
    options: Options
    penalties: dict[str, Regularizer]
    is_custom: bool = False


class ModelReader:
    """Makes the model that a config describes, with the arrays of `weights`.

    FileFormatError for anything that Tarazu has not, with the layer's name and class.
    """

    def __init__(self, path: Path, weights: Arrays, custom: Mapping[str, Any]) -> None:
        self._path, self._weights, self._custom = path, weights, custom
        self._loading: list[Loading] = []
        self._read: dict[str, None] = {}  # the groups of arrays that layers have asked for, in their order
        self._frozen: list[Module] = []

    @property
    def elements(self) -> int:
        """How many numbers the file has as weights."""
        return sum(array.size for arrays in self._weights.values() for array in arrays)

    def read(self, content: Any) -> Module:
        """The model of a whole config, built, with its tensors."""
        place = Place(self._path, name_of(content), str(content.get("class_name")))
        try:
            model = self.model(content, place, "")
        except RecursionError as error:
            raise place.refused("models nested too deep", "models in models of a few levels", INTACT) from error
        for loading in self._loading:
            _load(loading)
        for layer in self._frozen:
            layer.freeze(statistics=True)
        self._require_all_read(place)
        return model

    def _require_all_read(self, place: Place) -> None:
        """FileFormatError for arrays of layers that nobody has asked for, beside those of random numbers."""
        left = [group for group in self._weights.keys() - self._read.keys()
                if group.startswith("layers/") and "seed_generator" not in group]
        if left:
            raise place.refused(f"the file has weights of {', '.join(sorted(left))}, which its config does not name",
                                "weights of the layers in the config", INTACT)

    @property
    def groups(self) -> list[str]:
        """The groups of arrays that layers have asked for, in the order of the layers."""
        return list(self._read)

    def penalties(self, model: Module) -> dict[str, Regularizer]:
        """The regularizers of all layers, by the paths of their parameters in the model."""
        paths = {id(x): path for path, x in model.named_parameters()}
        return {paths[id(loading.layer.get_tensor(name))]: function
                for loading in self._loading for name, function in loading.penalties.items()}

    # Models

    def model(self, content: Any, place: Place, group: str) -> Module:
        """A Sequential or a functional model."""
        kind, config = content.get("class_name"), content.get("config")
        if (kind == "Sequential" or kind in FUNCTIONAL) and len(config.get("layers", ())) > MOST_LAYERS:
            raise place.refused(f"{len(config['layers']):,} layers", f"at most {MOST_LAYERS:,}", INTACT)
        if kind == "Sequential":
            model: Module = self._sequential(config, group)
        elif kind in FUNCTIONAL and "layers" in config:
            model = self._functional(config, group)
        else:
            raise place.refused("a model of a class of its own, which is code", "a Sequential or a functional model",
                                "save the layers in Keras as keras.Model(inputs, outputs), or write the model in "
                                "Tarazu and take its weights over")
        if config.get("trainable") is False:
            self._frozen.append(model)
        return model

    def _sequential(self, config: Mapping[str, Any], group: str) -> Module:
        names, layers, start = GroupNames(), [], config.get("build_input_shape")
        for content in config["layers"]:
            inner = f"{group}layers/{names.of(content['class_name'])}"
            if content["class_name"] == "InputLayer":
                start = content["config"]
                continue
            layers.append(self.layer(content, inner))
        model = Sequential(layers)
        if start is not None:
            given = start if isinstance(start, Mapping) else {"batch_shape": start}
            model(self._input(given, Place(self._path, name_of({"config": config}), "Sequential")))
        return model

    def _functional(self, config: Mapping[str, Any], group: str) -> Module:
        return FunctionalReader(config, group, self._path, self.layer, self._input, self._custom.keys()).model()

    def _input(self, config: Mapping[str, Any], place: Place) -> Tensor:
        """A symbolic tensor; FileFormatError for what Tarazu's inputs are not."""
        shape, dtype = config.get("batch_shape") or config.get("batch_input_shape"), config.get("dtype", "float32")
        if not isinstance(dtype, str) or dtype == "string" or config.get("sparse") or config.get("ragged"):
            raise place.refused(f"an input of dtype {dtype}, sparse or ragged", "dense numbers",
                                "turn texts into numbers before the model, in Keras as well")
        sizes = tuple(shape or ())[1:]
        if not all(n is None or isinstance(n, int) for n in sizes) or math.prod(n or 1 for n in sizes) > MOST_ELEMENTS:
            raise place.refused(f"an input of shape {shape}", f"sizes of at most {MOST_ELEMENTS:,} elements together",
                                "leave sizes that vary open: None")
        return Input(sizes, dtype, name=config.get("name"))

    # Layers

    def layer(self, content: Any, group: str, calls: Any = (), outer: str = "") -> Module:
        """The layer that a part of a config describes, whose arrays are in `group`."""
        kind, config = str(content.get("class_name")), content.get("config")
        place = Place(self._path, name_of(content), kind)
        if not isinstance(config, Mapping):
            raise place.refused("it has no config", "a config as Keras writes it", INTACT)
        if kind in ("Sequential", *FUNCTIONAL) and kind not in self._custom:
            return self.model(content, place, f"{group}/")
        built = content.get("build_config")
        options = Options(place, config, lambda part: self._arrays(group, part),
                          lambda part, inner: self.layer(part, f"{group}/{inner}", outer=kind),
                          lambda part, where: find_function(part, where, self._custom), calls,
                          built.get("input_shape") if isinstance(built, Mapping) else None, outer)
        layer = self._made(content, options)
        if config.get("trainable") is False:
            self._frozen.append(layer)
        return layer

    def _made(self, content: Any, options: Options) -> Module:
        kind, place = options.place.kind, options.place
        if kind in self._custom:
            return self._of_custom(options)
        _require_known(content, options)
        require_float32(options)
        try:
            layer = LAYERS[kind](options)
        except FileFormatError:
            raise
        except Exception as error:  # constructors raise what they like on the arguments of a damaged file
            raise place.refused(f"it cannot be made: {error}", "arguments as Keras writes them", INTACT) from error
        penalties = penalties_of(options, layer)
        options.require_all_used()
        self._loading.append(Loading(layer, options, penalties))
        return layer

    def _of_custom(self, options: Options) -> Module:
        """A layer of the user's, made with the arguments of the config; its arrays go to its tensors in their order."""
        place, own = options.place, {"name", "trainable", "dtype"}
        arguments = {name: options.take(name) for name in options.config if name not in own}
        try:
            layer = self._custom[place.kind](**arguments)
        except Exception as error:
            raise place.refused(f"custom_objects[{place.kind!r}] raises {type(error).__name__}: {error}",
                                f"a class that takes the arguments {', '.join(arguments)}",
                                "give its __init__ these arguments, or add **options") from error
        if not isinstance(layer, Module):
            raise place.refused(f"custom_objects[{place.kind!r}] gives a {type(layer).__name__}", "a Module")
        options.tensors.update({str(i): array for i, array in enumerate(options.saved(""))})
        self._loading.append(Loading(layer, options, {}, is_custom=True))
        return layer

    def _arrays(self, group: str, part: str) -> list[np.ndarray]:
        name = f"{group}/{part}" if part else group
        self._read[name] = None
        return self._weights.get(name, [])


def _require_known(content: Any, options: Options) -> None:
    """FileFormatError for a class that the table has not, with the way for it."""
    kind, place = options.place.kind, options.place
    if kind == "Lambda":
        raise place.refused("a Lambda layer, which is code: reading files runs none", "layers that are data",
                            "write it as a Tarazu layer, class Mine(tz.nn.Module), and pass custom_objects="
                            "{\"Lambda\": Mine}; or put an operation of keras.ops in its place and save again")
    known = kind in LAYERS and content.get("registered_name") in (None, kind)
    if not known or str(content.get("module", "keras.layers")).partition(".")[0] != "keras":
        raise place.refused("a class that Tarazu has no layer for", "one of the layers in docs/coming_from_keras.md")


def _load(loading: Loading) -> None:
    """Put the saved arrays into the tensors of a layer; FileFormatError where shapes differ."""
    options, own = loading.options, dict(loading.layer.named_tensors())
    arrays = options.tensors
    if loading.is_custom:
        arrays = dict(zip(own, arrays.values(), strict=False))
        if len(own) != len(options.tensors):
            raise options.place.refused(f"the file has {len(options.tensors)} arrays for it", f"{len(own)}: "
                                        f"{', '.join(own)}", "give it the tensors of the Keras layer, in their order")
    with no_grad():
        for name, array in arrays.items():
            if name not in own or tuple(own[name].shape) != array.shape:
                shape = tuple(own[name].shape) if name in own else "no such tensor"
                raise options.place.refused(f"an array of shape {array.shape} for {name}", f"{shape}", INTACT)
            own[name].copy_(np.asarray(array, own[name].dtype.numpy))
    for name in options.fixed:
        own[name].requires_grad_(False)
