"""Normalization layers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tarazu.interop.keras.options import Options
from tarazu.interop.keras.own_layers import BiasedBatchNorm
from tarazu.nn.layers.group_norm import GroupNorm, UnitNorm
from tarazu.nn.layers.normalization import LayerNorm, RMSNorm
from tarazu.nn.module.module import Module


def _affine(options: Options, *more: str) -> tuple[bool, list[np.ndarray]]:
    """Whether the layer has a weight or a bias, and the saved arrays; what it has not stays at 1 or 0."""
    has = {"weight": options.take("scale", True), "bias": options.take("center", True)}
    arrays = options.weights(*[name for name, is_there in has.items() if is_there], *more)
    for name, is_there in has.items():
        if any(has.values()) and not is_there:
            options.fix(name, np.full(arrays[0].shape, float(name == "weight"), np.float32))
    return any(has.values()), arrays


def _batch_norm(options: Options) -> Module:
    options.last_axis()
    affine, arrays = _affine(options, "running_mean", "running_variance")
    return BiasedBatchNorm(arrays[-1].shape[0], momentum=options.take("momentum"), epsilon=options.take("epsilon"),
                           affine=affine)


def _layer_norm(options: Options) -> Module:
    options.require("rms_scaling", False)
    axis = options.take("axis")
    affine, _ = _affine(options)
    return LayerNorm(axis=axis, epsilon=options.take("epsilon"), affine=affine)


def _group_norm(options: Options) -> Module:
    options.last_axis()
    groups, (affine, arrays) = options.take("groups"), _affine(options)
    channels = arrays[0].shape[0] if arrays else options.input_shape[-1]
    return GroupNorm(channels if groups == -1 else groups, channels, epsilon=options.take("epsilon"), affine=affine)


def _rms_norm(options: Options) -> Module:
    options.last_axis()
    [weight] = options.weights("weight")
    return RMSNorm(weight.shape[0], epsilon=options.take("epsilon"))


NORMALIZATION: dict[str, Callable[[Options], Module]] = {
    "BatchNormalization": _batch_norm, "LayerNormalization": _layer_norm, "GroupNormalization": _group_norm,
    "RMSNormalization": _rms_norm, "UnitNormalization": lambda options: UnitNorm(options.take("axis"))}
