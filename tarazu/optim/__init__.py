"""Optimizers and what belongs to them.

`Optimizer` (optimizer.py) is the base: the step, the learning rate (`lr`, which asks the schedule), and the state;
moves.py compiles what eager steps do once there were many.
named.py has the optimizers by name, of classic.py and large_models.py: chains of transformations (transformations.py,
adaptive.py, matrices.py), with options of all (options.py) and of groups of parameters (groups.py). schedules/ has the
learning-rate schedules, constraints.py and regularizers.py what is done to weights and to the loss; lbfgs.py, with
line_search.py, is an optimizer for own loops only.
"""

import typing

from tarazu.optim.classic import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, NAdam, RAdam, RMSprop
from tarazu.optim.constraints import MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from tarazu.optim.groups import Group
from tarazu.optim.large_models import LAMB, Adafactor, Lion, Muon, ScheduleFreeAdamW
from tarazu.optim.lbfgs import LBFGS
from tarazu.optim.named import OPTIMIZERS
from tarazu.optim.optimizer import Optimizer
from tarazu.optim.regularizers import L1, L1L2, L2, Orthogonal
from tarazu.optim.schedules.cycles import cosine_decay_restarts, cyclic, one_cycle
from tarazu.optim.schedules.decay import (
    cosine_decay,
    exponential_decay,
    inverse_time_decay,
    linear_decay,
    piecewise_constant,
    polynomial_decay,
    step_decay,
)
from tarazu.optim.schedules.epochs import in_epochs
from tarazu.optim.schedules.joined import join, linear_warmup
from tarazu.optim.transformations import Transformation

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "LAMB",
    "LBFGS",
    "OPTIMIZERS",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Group",
    "Lion",
    "MaxNorm",
    "MinMaxNorm",
    "Muon",
    "NAdam",
    "NonNeg",
    "Optimizer",
    "Orthogonal",
    "RAdam",
    "RMSprop",
    "ScheduleFreeAdamW",
    "Transformation",
    "UnitNorm",
    "cosine_decay",
    "cosine_decay_restarts",
    "cyclic",
    "exponential_decay",
    "in_epochs",
    "inverse_time_decay",
    "join",
    "linear_decay",
    "linear_warmup",
    "one_cycle",
    "piecewise_constant",
    "polynomial_decay",
    "step_decay",
]


def __dir__() -> list[str]:
    return __all__


if not typing.TYPE_CHECKING:  # to which any name would be right
    from tarazu.base.hints.missing import no_attributes_beside

    __getattr__ = no_attributes_beside(__name__)
