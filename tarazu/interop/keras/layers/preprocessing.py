"""Layers that prepare numbers, and those that change images at random while training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tarazu.interop.keras.layers.convolution import channels_last
from tarazu.interop.keras.options import Options
from tarazu.nn.layers.augmentation import (
    RandomBrightness,
    RandomContrast,
    RandomFlip,
    RandomRotation,
    RandomTranslation,
    RandomZoom,
)
from tarazu.nn.layers.preprocessing.categories import CategoryEncoding, Discretization
from tarazu.nn.layers.preprocessing.normalization import Normalization
from tarazu.nn.layers.spatial.resizing import Rescaling
from tarazu.nn.module.module import Module

Maker = Callable[[Options], Module]
EDGES = {"reflect": "reflection", "nearest": "border", "constant": "zeros"}
TEXTS = "StringLookup", "IntegerLookup", "TextVectorization", "Hashing", "HashedCrossing"


def _normalization(options: Options) -> Module:
    mean, variance = options.take("mean"), options.take("variance")
    if mean is None:
        mean, variance, *_ = options.saved("") or options.weights("mean", "variance", "count")
    return Normalization(options.take("axis"), mean=mean, variance=variance, invert=options.take("invert"))


def _rescaling(options: Options) -> Module:
    scale, offset = options.take("scale"), options.take("offset")
    if not isinstance(scale, int | float) or not isinstance(offset, int | float):
        raise options.place.refused("a scale or an offset for each channel", "one number",
                                    "use keras.layers.Normalization, or scale the data before the model")
    return Rescaling(scale, offset)


def _category_encoding(options: Options) -> Module:
    options.require("sparse", False)
    return CategoryEncoding(options.take("num_tokens"), options.take("output_mode"))


def _discretization(options: Options) -> Module:
    options.require("sparse", False)
    options.take("num_bins"), options.take("epsilon")
    boundaries = options.take("bin_boundaries")
    return Discretization(list(boundaries), output_mode=options.take("output_mode"))


def _texts(options: Options) -> Module:
    kind = options.place.kind
    raise options.place.refused("its words are no arrays, and hashes differ from library to library",
                                "a model of numbers",
                                f"put tz.nn.{'TextVectorization' if kind == 'TextVectorization' else kind}(...) before "
                                "the model, with the vocabulary: layer.get_vocabulary() in Keras")


def _moving(kind: Callable[..., Module], *factors: str) -> Maker:
    """Layers that move the pixels of images."""
    def make(options: Options) -> Module:
        channels_last(options)
        options.require("interpolation", "bilinear")
        options.require("fill_value", 0.0)
        edge = options.take("fill_mode")
        if edge not in EDGES:
            raise options.place.refused(f"fill_mode={edge!r}", f"one of {', '.join(EDGES)}")
        return kind(*map(options.take, factors), padding=EDGES[edge])
    return make


def _random_flip(options: Options) -> Module:
    channels_last(options)
    return RandomFlip(options.take("mode"))


def _random_contrast(options: Options) -> Module:
    """Keras keeps a pair (lower, upper) of what is taken off 1 and added to it."""
    channels_last(options)
    factor: Any = options.take("factor")
    lower, upper = factor if isinstance(factor, tuple) else (factor, factor)
    return RandomContrast((-lower, upper), options.take("value_range"))


def _random_brightness(options: Options) -> Module:
    channels_last(options)
    return RandomBrightness(options.take("factor"), options.take("value_range"))


PREPROCESSING: dict[str, Maker] = {
    "Normalization": _normalization, "Rescaling": _rescaling, "CategoryEncoding": _category_encoding,
    "Discretization": _discretization, **dict.fromkeys(TEXTS, _texts),
    "RandomFlip": _random_flip, "RandomRotation": _moving(RandomRotation, "factor"),
    "RandomZoom": _moving(RandomZoom, "height_factor", "width_factor"),
    "RandomTranslation": _moving(RandomTranslation, "height_factor", "width_factor"),
    "RandomContrast": _random_contrast, "RandomBrightness": _random_brightness}
