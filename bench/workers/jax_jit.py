"""Training in JAX with a whole epoch as one compiled `lax.scan` whose state is donated.

On a CPU steps with convolutions are called one by one: in a loop of its own XLA runs these ten times slower there.
BENCH_DEVICE=gpu takes the GPU, BENCH_PRECISION=bfloat16 mixed precision.
"""

from __future__ import annotations

import functools
import os
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax_models import CONVOLUTIONAL, MODELS
from jax_parameters import shared
from jax_training import adam, adam_state, cross_entropies, halved
from serve import Train, serve
from workloads import LEARNING_RATE, Workload, data

IS_HALF, IS_CPU = os.environ.get("BENCH_PRECISION") == "bfloat16", os.environ.get("BENCH_DEVICE") != "gpu"


def train_step(forward: Any, decay: float, state: Any, rows: jax.Array, x: jax.Array, y: jax.Array) -> Any:
    def loss_of(p: Any) -> Any:
        inputs, target = x[rows], y[rows].reshape(-1)
        prediction = forward(halved(p), halved(inputs)) if IS_HALF else forward(p, inputs)
        prediction = prediction.reshape(len(target), -1)
        losses = cross_entropies(prediction, target)
        return losses.mean(), jnp.stack([losses.sum(), (prediction.argmax(1) == target).sum()])

    p, moments = state
    gradients, sums = jax.grad(loss_of, has_aux=True)(p)
    return adam(p, gradients, moments, LEARNING_RATE, decay), sums


compiled_step = jax.jit(train_step, static_argnums=(0, 1), donate_argnums=2)


@functools.partial(jax.jit, static_argnums=(0, 1, 2), donate_argnums=3)
def scanned_epoch(forward: Any, decay: float, batch: int, state: Any, order: jax.Array, x: jax.Array,
                  y: jax.Array) -> Any:
    whole = len(order) // batch * batch
    state, sums = jax.lax.scan(lambda state, rows: train_step(forward, decay, state, rows, x, y), state,
                               order[:whole].reshape(-1, batch))
    total = sums.sum(0)
    if whole < len(order):
        state, last = train_step(forward, decay, state, order[whole:], x, y)
        total += last
    return state, total


def stepped_epoch(forward: Any, decay: float, batch: int, state: Any, order: np.ndarray, x: jax.Array,
                  y: jax.Array) -> Any:
    total = jnp.zeros(2)
    for start in range(0, len(order), batch):
        state, sums = compiled_step(forward, decay, state, order[start:start + batch], x, y)
        total += sums
    return state, total


def prepare(workload: Workload, *, always_scan: bool = False) -> Train:
    first_parameters, forward = MODELS[workload.kind]
    epoch = stepped_epoch if workload.kind in CONVOLUTIONAL and IS_CPU and not always_scan else scanned_epoch
    x, y = map(jnp.asarray, data(workload))
    rng, p = np.random.default_rng(0), jax.tree.map(jnp.asarray, shared(first_parameters(workload)))
    state = p, adam_state(p)

    def train(epochs: int) -> dict[str, float]:
        nonlocal state
        for _ in range(epochs):
            state, sums = epoch(forward, workload.decay, workload.batch, state, rng.permutation(workload.rows), x, y)
        loss, correct = np.asarray(sums) / y.size
        return {"loss": float(loss), "accuracy": float(correct)}

    return train


if __name__ == "__main__":
    serve(prepare)
