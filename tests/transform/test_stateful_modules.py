"""Modules with state inside random nestings of transformations: after each step all is as without them."""

import random

import numpy as np
import pytest

import tarazu as tz


class Assigning(tz.nn.Module):
    """Keeps a mean as an attribute that it assigns."""

    def __init__(self):
        self.mean = tz.zeros(4)

    def forward(self, x):
        self.mean = self.mean * 0.5 + x.detach().mean(0)
        return x + self.mean


class Averaging(tz.nn.Module):
    """Keeps an average of its weights, changed in place, beside them."""

    def __init__(self):
        self.dense, self.average = tz.nn.Dense(4, in_features=4), tz.zeros(4, 4)

    def forward(self, x):
        with tz.no_grad():
            self.average.copy_(self.average * 0.9 + self.dense.weight * 0.1)
        return self.dense(x) + x @ self.average


class Counting(tz.nn.Module):
    """Counts what is positive: integers, and through them floats, without a gradient."""

    def __init__(self):
        self.count = tz.zeros(4)

    def forward(self, x):
        self.count.add_((x > 0).astype("float32").sum(0))
        return x * tz.sigmoid(self.count)


MODULES = [
    lambda: tz.nn.BatchNorm(4), tz.nn.BatchNorm, lambda: tz.nn.SpectralNorm(tz.nn.Dense(4, in_features=4)),
    lambda: tz.nn.WeightNorm(tz.nn.Dense(4)), lambda: tz.nn.Dense(4, "tanh"),
    Assigning, Averaging, Counting,
]
TRANSFORMATIONS = [
    tz.checkpoint,
    lambda f: tz.jit(lambda x: f(x)),
    lambda f: lambda x: tz.scan(lambda carry, _: (f(carry), None), x, length=1)[0],
    lambda f: lambda x: tz.scan(lambda carry, _: (carry, f(x)), 0, length=1)[1][0],
    lambda f: lambda x: tz.while_loop(lambda c: c[0] < 1, lambda c: (c[0] + 1, f(c[1])), (0, x), bound=1)[1],
    lambda f: lambda x: tz.cond(x.sum() > -1e9, f, lambda x: 2 * f(x), x),
    lambda f: lambda x: tz.cond(x.sum() < -1e9, lambda x: 2 * x, f, x),
    lambda f: lambda x: tz.vmap(lambda a: f(x) + a)(tz.zeros(1))[0],
]


def steps(seed: int, is_transformed: bool, is_jitted: bool) -> list[np.ndarray]:
    """Losses, gradients and all tensors of a random network after each of three steps of two calls."""
    draw = random.Random(seed)
    tz.random.seed(seed)
    modules = [draw.choice(MODULES)() for _ in range(draw.randint(1, 3))]
    around = [draw.choices(TRANSFORMATIONS, k=draw.randint(0, 3)) for _ in modules]

    def network(x):
        for part in parts:
            x = part(x)
        return x
    parts: list = list(modules)
    if is_transformed:
        for i, transformations in enumerate(around):
            for one in transformations:
                parts[i] = one(parts[i])
    function = draw.choice(TRANSFORMATIONS)(network) if is_transformed else network
    x = tz.tensor(np.random.default_rng(seed).normal(size=(5, 4)).astype(np.float32), requires_grad=True)

    def step():
        for scale in (1.0, 0.5):
            tz.square(function(x * scale)).mean().backward()
    step = tz.jit(step) if is_jitted else step
    found = []
    for _ in range(3):
        step()
        tensors = [value for module in modules for _, value in module.named_tensors()]
        found += [x.grad.numpy(), *[value.numpy() for value in tensors]]
        found += [value.grad.numpy() for value in tensors if value.requires_grad]
        assert not any(value.requires_grad for module in modules for _, value in module.named_buffers())
    return found


@pytest.mark.parametrize("seed", [*range(8), *[pytest.param(seed, marks=pytest.mark.long) for seed in range(8, 100)]])
def test_state_in_nested_transformations_is_that_of_plain_calls(seed):
    wanted = steps(seed, False, False)
    for is_jitted in (False, True):
        for own, other in zip(steps(seed, True, is_jitted), wanted, strict=True):
            np.testing.assert_allclose(own, other, rtol=2e-3, atol=2e-4)
