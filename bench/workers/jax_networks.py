"""The larger convolutional networks in JAX, channels last, without the running averages that training does not read."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax_parameters import Parameters, apply, glorot, linear
from workloads import CLASSES, RESNET_STAGES, SEPARABLE_STAGES, UNET_CHANNELS, Workload

Padding = str | Sequence[tuple[int, int]]


def convolve(weight: jax.Array, x: jax.Array, stride: int = 1, padding: Padding = "VALID") -> jax.Array:
    """Grouped where the weight has fewer input channels than there are."""
    groups = x.shape[-1] // weight.shape[2]
    return jax.lax.conv_general_dilated(x, weight, (stride, stride), padding, feature_group_count=groups,
                                        dimension_numbers=("NHWC", "HWIO", "NHWC"))


def pool(x: jax.Array) -> jax.Array:
    """The largest of 2 x 2; as a maximum over axes, whose gradient XLA runs faster than that of `reduce_window`."""
    n, height, width, channels = x.shape
    whole = x[:, :height // 2 * 2, :width // 2 * 2]
    return whole.reshape(n, height // 2, 2, width // 2, 2, channels).max((2, 4))


def normalized(inputs: int, outputs: int, window: int) -> Parameters:
    """A convolution without a bias, and the scale and shift of a batch norm."""
    return {"weight": glorot(window, window, inputs, outputs), "scale": np.ones(outputs, np.float32),
            "shift": np.zeros(outputs, np.float32)}


def normalize(p: Parameters, x: jax.Array, stride: int = 1) -> jax.Array:
    """A convolution that keeps sizes but for its stride, and a batch norm by the statistics of the batch."""
    around = len(p["weight"]) // 2
    y = convolve(p["weight"], x, stride, [(around, around)] * 2).astype(jnp.float32)
    return jax.nn.standardize(y, axis=(0, 1, 2), epsilon=1e-5).astype(x.dtype) * p["scale"] + p["shift"]


def resnet18(workload: Workload) -> Parameters:
    blocks, channels = [], 64
    for filters, stride in RESNET_STAGES:
        block = {"first": normalized(channels, filters, 3), "second": normalized(filters, filters, 3)}
        if stride > 1 or channels != filters:
            block["shortcut"] = normalized(channels, filters, 1)
        blocks.append(block)
        channels = filters
    return {"stem": normalized(workload.shape[-1], 64, 3), "blocks": blocks, "head": linear(channels, CLASSES)}


def resnet18_forward(p: Parameters, x: jax.Array) -> jax.Array:
    x = jax.nn.relu(normalize(p["stem"], x))
    for block, (_, stride) in zip(p["blocks"], RESNET_STAGES, strict=True):
        shortcut = normalize(block["shortcut"], x, stride) if "shortcut" in block else x
        x = jax.nn.relu(normalize(block["first"], x, stride))
        x = jax.nn.relu(normalize(block["second"], x) + shortcut)
    return apply(p["head"], x.mean((1, 2)))


def separable(workload: Workload) -> Parameters:
    pairs, channels = [], 32
    for filters, _ in SEPARABLE_STAGES:
        pairs.append({"depthwise": normalized(1, channels, 3), "pointwise": normalized(channels, filters, 1)})
        channels = filters
    return {"stem": normalized(workload.shape[-1], 32, 3), "pairs": pairs, "head": linear(channels, CLASSES)}


def separable_forward(p: Parameters, x: jax.Array) -> jax.Array:
    x = jax.nn.relu(normalize(p["stem"], x))
    for pair, (_, stride) in zip(p["pairs"], SEPARABLE_STAGES, strict=True):
        x = jax.nn.relu(normalize(pair["depthwise"], x, stride))
        x = jax.nn.relu(normalize(pair["pointwise"], x))
    return apply(p["head"], x.mean((1, 2)))


def twice(inputs: int, outputs: int) -> list[Parameters]:
    return [normalized(inputs, outputs, 3), normalized(outputs, outputs, 3)]


def twice_forward(layers: list[Parameters], x: jax.Array) -> jax.Array:
    for layer in layers:
        x = jax.nn.relu(normalize(layer, x))
    return x


def unet(workload: Workload) -> Parameters:
    *higher, lowest = UNET_CHANNELS
    down = [twice(inputs, outputs) for inputs, outputs in zip([workload.shape[-1], *higher], higher, strict=False)]
    up = [{"weight": glorot(2, 2, filters, 2 * filters), "bias": np.zeros(filters, np.float32)} for filters in higher]
    merge = [twice(2 * filters, filters) for filters in higher]
    return {"down": down, "bottom": twice(higher[-1], lowest), "up": up[::-1], "merge": merge[::-1],
            "head": linear(higher[0], CLASSES)}


def unet_forward(p: Parameters, x: jax.Array) -> jax.Array:
    kept = []
    for level in p["down"]:
        kept.append(twice_forward(level, x))
        x = pool(kept[-1])
    x = twice_forward(p["bottom"], x)
    for up, merge in zip(p["up"], p["merge"], strict=True):
        x = twice_forward(merge, jnp.concatenate([kept.pop(), enlarge(up, x)], axis=-1))
    return apply(p["head"], x)


def enlarge(p: Parameters, x: jax.Array) -> jax.Array:
    """A transposed convolution of 2 x 2 with strides of 2: each pixel gives four of its own."""
    n, height, width, _ = x.shape
    y = jnp.einsum("nhwc,ijfc->nhiwjf", x, p["weight"])
    return y.reshape(n, 2 * height, 2 * width, -1) + p["bias"]
