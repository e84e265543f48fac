"""A whole program: train a small network on 150 flowers with JAX, an epoch as one compiled scan."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax_models import linear, mlp_forward
from workloads import iris_like

x, y = iris_like()
ADAM = optax.adam(0.01)


def loss_of(p, rows):
    prediction, target = mlp_forward(p, jnp.asarray(x)[rows]), jnp.asarray(y)[rows]
    loss = optax.softmax_cross_entropy_with_integer_labels(prediction, target).mean()
    return loss, (prediction.argmax(1) == target).sum()


def step(state, rows):
    p, adam = state
    gradients, correct = jax.grad(loss_of, has_aux=True)(p, rows)
    updates, adam = ADAM.update(gradients, adam, p)
    return (optax.apply_updates(p, updates), adam), correct


@jax.jit
def epoch(state, order):
    state, correct = jax.lax.scan(step, state, order[:144].reshape(-1, 16))
    state, last = step(state, order[144:])
    return state, correct.sum() + last


p = {"layers": [linear(4, 16), linear(16, 3)]}
state, rng = (p, ADAM.init(p)), np.random.default_rng(0)
for _ in range(50):
    state, correct = epoch(state, rng.permutation(150))
print(float(correct) / 150)
