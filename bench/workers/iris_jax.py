"""A whole program: train a small network on 150 flowers with JAX, an epoch as one compiled scan."""

import jax
import jax.numpy as jnp
import numpy as np
from jax_models import linear, mlp_forward
from jax_training import adam, adam_state, cross_entropies
from workloads import iris_like

x, y = iris_like()


def loss_of(p, rows):
    prediction, target = mlp_forward(p, jnp.asarray(x)[rows]), jnp.asarray(y)[rows]
    return cross_entropies(prediction, target).mean(), (prediction.argmax(1) == target).sum()


def step(state, rows):
    p, moments = state
    gradients, correct = jax.grad(loss_of, has_aux=True)(p, rows)
    return adam(p, gradients, moments, 0.01), correct


@jax.jit
def epoch(state, order):
    state, correct = jax.lax.scan(step, state, order[:144].reshape(-1, 16))
    state, last = step(state, order[144:])
    return state, correct.sum() + last


p = {"layers": [linear(4, 16), linear(16, 3)]}
state, rng = (p, adam_state(p)), np.random.default_rng(0)
for _ in range(50):
    state, correct = epoch(state, rng.permutation(150))
print(float(correct) / 150)
