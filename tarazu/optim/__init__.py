"""Optimizers (named.py), the transformations that they are chains of (transformations.py), learning-rate schedules.

`Optimizer` (optimizer.py) is their base: the step, the learning rate (`lr`, which asks the schedule), and the state.
"""

from tarazu.optim.named import OPTIMIZERS, SGD, Adam, AdamW, RMSprop
from tarazu.optim.optimizer import Optimizer
from tarazu.optim.schedules import cosine_decay, exponential_decay, linear_warmup
from tarazu.optim.transformations import Transformation

__all__ = [
    "OPTIMIZERS",
    "SGD",
    "Adam",
    "AdamW",
    "Optimizer",
    "RMSprop",
    "Transformation",
    "cosine_decay",
    "exponential_decay",
    "linear_warmup",
]


def __dir__() -> list[str]:
    return __all__
