"""`tz.random`: random numbers from the global generator or one of your own.

A generator's state is a tensor, so random numbers are the same, and go on the same way, eagerly and under `jit`. Where
`shape` is left out it is the one that the parameters, which may be tensors, have together; `device=` says where the
numbers are put. Gradients flow to parameters that shift and scale (mean, std, low, high, scale), not to the others.

Files: generator (states), distributions, counts (Poisson and binomial numbers), shares (numbers that sum to 1), choice
(picks and orders), parameters (checks that they share).
"""

from tarazu.runtime.random.choice import categorical, choice, permutation, shuffle
from tarazu.runtime.random.counts import binomial, poisson
from tarazu.runtime.random.distributions import (
    bernoulli,
    dropout,
    exponential,
    gamma,
    laplace,
    normal,
    randint,
    randn,
    truncated_normal,
    uniform,
)
from tarazu.runtime.random.generator import Generator, default, seed
from tarazu.runtime.random.shares import beta, dirichlet, gumbel_softmax

__all__ = ["Generator", "bernoulli", "beta", "binomial", "categorical", "choice", "default", "dirichlet", "dropout",
           "exponential", "gamma", "gumbel_softmax", "laplace", "normal", "permutation", "poisson", "randint", "randn",
           "seed", "shuffle", "truncated_normal", "uniform"]


def __dir__() -> list[str]:
    return __all__
