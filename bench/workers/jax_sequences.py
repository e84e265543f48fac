"""Transformers, a WaveNet and bags of words in JAX."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax_parameters import Parameters, apply, layer_norm, linear, normal, scale
from workloads import CLASSES, DILATIONS, Workload

PATCH = 4  # pixels across


def block(width: int, heads: int) -> Parameters:
    qkv = {name: x.reshape(*x.shape[:-1], 3, heads, -1) for name, x in linear(width, 3 * width).items()}
    return {"qkv": qkv, "out": linear(width, width), "up": linear(width, 4 * width), "down": linear(4 * width, width),
            "norm1": scale(width), "norm2": scale(width)}


def transform(p: Parameters, x: jax.Array, *, causal: bool) -> jax.Array:
    """Layers that normalize their inputs, and a norm of the last result."""
    for layer in p["blocks"]:
        qkv = jnp.einsum("ntd,dphf->ntphf", layer_norm(layer["norm1"], x), layer["qkv"]["weight"])
        q, k, v = jnp.moveaxis(qkv + layer["qkv"]["bias"], 2, 0)
        x += apply(layer["out"], jax.nn.dot_product_attention(q, k, v, is_causal=causal).reshape(x.shape))
        hidden = jax.nn.gelu(apply(layer["up"], layer_norm(layer["norm2"], x)), approximate=causal)
        x += apply(layer["down"], hidden)
    return layer_norm(p["norm"], x)


def gpt(workload: Workload, *, tied: bool = False) -> Parameters:
    layers, width, heads = workload.widths
    head = {} if tied else {"head": linear(width, workload.vocabulary)}
    return {"words": normal(0.02, workload.vocabulary, width), "position": normal(0.02, *workload.shape, width),
            "blocks": [block(width, heads) for _ in range(layers)], "norm": scale(width), **head}


def gpt_forward(p: Parameters, x: jax.Array) -> jax.Array:
    x = transform(p, p["words"][x] + p["position"], causal=True)
    return apply(p["head"], x) if "head" in p else x @ p["words"].T


def vit(workload: Workload) -> Parameters:
    layers, width, heads = workload.widths
    return {"patches": linear(PATCH * PATCH * 3, width), "position": normal(0.02, 64, width),
            "blocks": [block(width, heads) for _ in range(layers)], "norm": scale(width),
            "head": linear(width, CLASSES)}


def vit_forward(p: Parameters, x: jax.Array) -> jax.Array:
    n, height, width, channels = x.shape
    patches = x.reshape(n, height // PATCH, PATCH, width // PATCH, PATCH, channels).swapaxes(2, 3)
    x = apply(p["patches"], patches.reshape(n, -1, PATCH * PATCH * channels)) + p["position"]
    return apply(p["head"], transform(p, x, causal=False).mean(1))


def wavenet(workload: Workload) -> Parameters:
    (width,) = workload.widths
    layers = [{"value": linear(2, width, width), "gate": linear(2, width, width), "residual": linear(width, width),
               "skip": linear(width, width)} for _ in DILATIONS]
    return {"first": linear(1, width), "layers": layers, "hidden": linear(width, width), "head": linear(width, CLASSES)}


def causal(p: Parameters, x: jax.Array, dilation: int) -> jax.Array:
    """A dilated convolution of windows of 2 that sees no later step."""
    y = jax.lax.conv_general_dilated(x, p["weight"], (1,), [(dilation, 0)], rhs_dilation=(dilation,),
                                     dimension_numbers=("NWC", "WIO", "NWC"))
    return y + p["bias"]


def wavenet_forward(p: Parameters, x: jax.Array) -> jax.Array:
    x, total = apply(p["first"], x), 0
    for layer, dilation in zip(p["layers"], DILATIONS, strict=True):
        y = jnp.tanh(causal(layer["value"], x, dilation)) * jax.nn.sigmoid(causal(layer["gate"], x, dilation))
        x, total = x + apply(layer["residual"], y), total + apply(layer["skip"], y)
    return apply(p["head"], jax.nn.relu(apply(p["hidden"], jax.nn.relu(total))))


def bags(workload: Workload) -> Parameters:
    (width,) = workload.widths
    return {"words": normal(1.0, workload.vocabulary, width), "head": linear(width, CLASSES)}


def bags_forward(p: Parameters, x: jax.Array) -> jax.Array:
    return apply(p["head"], p["words"][x].mean(1))
