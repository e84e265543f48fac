"""Checks of the parameters of estimators, which scikit-learn wants in `fit`, not before."""

from __future__ import annotations

import numbers
from typing import Any

from tarazu.base.checks import flag, whole_number
from tarazu.base.errors import ArgumentError
from tarazu.base.spelling import did_you_mean
from tarazu.nn import ACTIVATIONS
from tarazu.optim.named import find_optimizer
from tarazu.tabular.options import layer_sizes

MOST_ROWS_OF_A_BATCH = 200  # of "auto", as in scikit-learn's own networks
SEEDS = 2**31 - 1


def require_parameters(estimator: Any) -> None:
    """ArgumentError, which is a ValueError, for the first parameter of an estimator that cannot be used."""
    given = estimator.get_params(deep=False)
    layer_sizes(given["hidden"])
    if given["activation"] not in ACTIVATIONS:
        raise ArgumentError(f"activation={given['activation']!r}", expected=f"one of {', '.join(ACTIVATIONS)}",
                            fix=did_you_mean(given["activation"], ACTIVATIONS))
    _require_number("dropout", given["dropout"], "a share of at least 0 and below 1", lambda x: 0 <= x < 1)
    _require_number("learning_rate", given["learning_rate"], "a number above 0", lambda x: x > 0)
    _require_number("weight_decay", given["weight_decay"], "a number of at least 0", lambda x: x >= 0)
    _require_number("validation_fraction", given["validation_fraction"], "a share between 0 and 1", lambda x: 0 < x < 1)
    for name in ("epochs", "n_iter_no_change"):
        whole_number(f"{name}={given[name]!r}", given[name], least=1, fix=f"leave {name} out for the default")
    if given["batch_size"] != "auto":
        whole_number(f"batch_size={given['batch_size']!r}", given["batch_size"], least=1,
                     fix='leave it out for "auto", which is 200, or all rows where there are fewer')
    for name in ("early_stopping", "warm_start"):
        flag(name, given[name])
    find_optimizer(given["optimizer"])
    if given["build"] is not None and not callable(given["build"]):
        raise ArgumentError(f"build={given['build']!r}", expected="a function of (inputs, outputs) that gives a model",
                            fix="for example build=lambda inputs, outputs: tz.nn.Sequential([tz.nn.Dense(outputs)])")


def _require_number(name: str, value: object, expected: str, is_right: Any) -> None:
    if not isinstance(value, numbers.Real) or isinstance(value, bool) or not is_right(value):
        raise ArgumentError(f"{name}={value!r}", expected=expected, fix=f"leave {name} out for the default")


def rows_of_a_batch(batch_size: int | str, rows: int) -> int:
    """How many rows a batch has of so many; "auto" takes 200, as scikit-learn's own networks do.

    >>> rows_of_a_batch("auto", 600), rows_of_a_batch(32, 20)
    (200, 20)
    """
    return min(MOST_ROWS_OF_A_BATCH if isinstance(batch_size, str) else batch_size, rows)
