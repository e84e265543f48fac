"""The networks in plain `jax.numpy`: for each kind the first parameters and the function of parameters and inputs."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import jax
import jax.numpy as jnp
from jax_networks import (
    convolve,
    pool,
    resnet18,
    resnet18_forward,
    separable,
    separable_forward,
    unet,
    unet_forward,
)
from jax_parameters import Parameters, apply, glorot, layer_norm, linear, normal, scale
from jax_sequences import bags, bags_forward, gpt, gpt_forward, vit, vit_forward, wavenet, wavenet_forward
from workloads import CLASSES, Workload


def mlp(workload: Workload) -> Parameters:
    sizes = itertools.pairwise((*workload.shape, *workload.widths))
    return {"layers": [linear(*size) for size in sizes]}


def mlp_forward(p: Parameters, x: jax.Array) -> jax.Array:
    for layer in p["layers"][:-1]:
        x = jax.nn.relu(apply(layer, x))
    return apply(p["layers"][-1], x)


def cnn(workload: Workload, size: int = 5) -> Parameters:
    return {"convolutions": [linear(3, 3, 1, 32), linear(3, 3, 32, 64)],
            "layers": [linear(64 * size * size, 128), linear(128, CLASSES)]}


def cnn_forward(p: Parameters, x: jax.Array, padding: str = "VALID") -> jax.Array:
    for layer in p["convolutions"]:
        x = pool(jax.nn.relu(convolve(layer["weight"], x, padding=padding) + layer["bias"]))
    return mlp_forward(p, x.reshape(len(x), -1))


def lstm(workload: Workload) -> Parameters:
    inputs = linear(workload.shape[-1], 4 * 128)
    inputs["bias"][128:2 * 128] = 1  # the forget gates
    return {"inputs": inputs, "state": glorot(128, 4 * 128), "head": linear(128, CLASSES)}


def lstm_forward(p: Parameters, x: jax.Array) -> jax.Array:
    def step(carry: Any, inputs: jax.Array) -> Any:
        h, c = carry
        i, f, g, o = jnp.split(inputs + h @ p["state"], 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

    zeros = jnp.zeros((len(x), 128), x.dtype)
    (h, _), _ = jax.lax.scan(step, (zeros, zeros), apply(p["inputs"], x).swapaxes(0, 1))
    return apply(p["head"], h)


def transformer(workload: Workload) -> Parameters:
    blocks = [{"qkv": linear(128, 3 * 128), "out": linear(128, 128), "up": linear(128, 512),
               "down": linear(512, 128), "norm1": scale(128), "norm2": scale(128)} for _ in range(2)]
    return {"position": normal(0.02, *workload.shape), "blocks": blocks, "head": linear(128, CLASSES)}


def transformer_forward(p: Parameters, x: jax.Array) -> jax.Array:
    x = x + p["position"]
    for block in p["blocks"]:
        q, k, v = (part.reshape(*x.shape[:2], 4, 32) for part in jnp.split(apply(block["qkv"], x), 3, axis=-1))
        attended = jax.nn.dot_product_attention(q, k, v).reshape(x.shape)
        x = layer_norm(block["norm1"], x + apply(block["out"], attended))
        x = layer_norm(block["norm2"], x + apply(block["down"], jax.nn.relu(apply(block["up"], x))))
    return apply(p["head"], x.mean(1))


MODELS = {"mlp": (mlp, mlp_forward), "lstm": (lstm, lstm_forward), "transformer": (transformer, transformer_forward),
          "gpt": (gpt, gpt_forward), "gpt_tied": (functools.partial(gpt, tied=True), gpt_forward),
          "vit": (vit, vit_forward), "bags": (bags, bags_forward)}
CONVOLUTIONAL = {
    "cnn": (cnn, cnn_forward),
    "cnn_same": (functools.partial(cnn, size=7), functools.partial(cnn_forward, padding="SAME")),
    "resnet18": (resnet18, resnet18_forward), "separable": (separable, separable_forward), "unet": (unet, unet_forward),
    "wavenet": (wavenet, wavenet_forward)}
MODELS |= CONVOLUTIONAL
