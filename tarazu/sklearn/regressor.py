"""`NetworkRegressor`: a network for numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted

from tarazu.optim.optimizer import Optimizer
from tarazu.sklearn.estimator import Build, NetworkEstimator
from tarazu.sklearn.targets import Numbers, number_targets, read_numbers


class NetworkRegressor(RegressorMixin, NetworkEstimator):
    """A network that predicts numbers, one for each row or several, as an estimator of scikit-learn.

    X and the parameters are those of `NetworkClassifier`; `loss` is a name of a loss for numbers, such as "mse", "mae"
    or "huber", of targets that are standardized.

    >>> import tarazu as tz
    >>> X, y = [[float(i)] for i in range(40)], [2.0 * i for i in range(40)]
    >>> model = tz.sklearn.NetworkRegressor((), epochs=200, learning_rate=0.05, random_state=0).fit(X, y)
    >>> model.predict([[10.0], [20.0]]).round().tolist()
    [20.0, 40.0]
    """

    def __init__(self, hidden: int | Sequence[int] = (100,), *, activation: str = "relu", dropout: float = 0.0,
                 build: Build | None = None, loss: str = "mse", epochs: int = 200, batch_size: int | str = "auto",
                 learning_rate: float = 0.001, optimizer: str | Optimizer = "adam", weight_decay: float = 0.0,
                 early_stopping: bool = False, validation_fraction: float = 0.1, n_iter_no_change: int = 10,
                 kinds: Mapping[str, str] | None = None, warm_start: bool = False,
                 random_state: int | np.random.RandomState | None = None, verbose: int = 0) -> None:
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.build = build
        self.loss = loss
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.optimizer = optimizer
        self.weight_decay = weight_decay
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.kinds = kinds
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    targets_: Numbers

    def predict(self, X: ArrayLike) -> np.ndarray:  # noqa: N803
        """The number of each row, float64 (rows,), or (rows, columns) where y had columns.

        Raises ValueError for other columns than in training, NotFittedError before.

        >>> import tarazu as tz
        >>> tz.sklearn.NetworkRegressor(epochs=1, random_state=0).fit([[0.0], [1.0]], [3.0, 3.0]).predict([[2.0]]).shape
        (1,)
        """
        check_is_fitted(self)
        return self.targets_.decide(self._outputs(X))

    def _read_targets(self, y: Any) -> np.ndarray:
        return read_numbers(y)

    def _find_targets(self, y: np.ndarray, weight: np.ndarray, classes: Any) -> Numbers:
        return number_targets(y, weight, self.loss)
