"""`NetworkClassifier`: a network for classes, labels, and several classes at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import check_is_fitted

from tarazu.optim.optimizer import Optimizer
from tarazu.sklearn.estimator import Build, NetworkEstimator
from tarazu.sklearn.targets import ClassTargets, SeveralClasses, class_targets, read_classes


class NetworkClassifier(ClassifierMixin, NetworkEstimator):
    """A network that predicts classes, as an estimator of scikit-learn.

    X is a data frame, in which columns may be of numbers, texts, categories, dates and booleans, with cells that lack,
    or an array or a sparse matrix (which is made dense) of numbers, of which NaN is one that lacks. Numbers are
    standardized. y has a class for each row; or zeros and ones in columns, any number of labels for each row; or a
    class in each column.

    `hidden` are the sizes of the hidden layers, `activation` and `dropout` what follows each. In their place `build`
    takes a function of (inputs, outputs) that gives a model with so many outputs, without softmax: it gets float32
    (rows, inputs). `batch_size` "auto" takes 200 rows, or all where there are fewer. `optimizer` is a name, with
    `learning_rate` and `weight_decay`, or an object, which has its own. With `early_stopping` the share
    `validation_fraction` is held out, training ends after `n_iter_no_change` epochs without a better loss there, and
    the weights of the best epoch are kept. `kinds` says what columns of a frame are where the guess is wrong: {"year":
    "category"}, "number", "date" or "ignore". `class_weight` is "balanced" or a weight for each class; with
    `warm_start` each `fit` trains on. `verbose` is that of `model.fit`; 0 prints nothing.

    Rows count by their weights. Where a batch has all rows, a row of weight 2 is the same, to the last bit, as the row
    twice, and their order does not matter. In pickles the network is kept as the files of a saved model.

    >>> import tarazu as tz
    >>> X, y = [[0.0, 1.0], [1.0, 0.0], [0.1, 0.9], [0.9, 0.1]] * 10, ["no", "yes", "no", "yes"] * 10
    >>> model = tz.sklearn.NetworkClassifier((8,), epochs=50, learning_rate=0.05, random_state=0).fit(X, y)
    >>> model.predict([[1.0, 0.1]]).tolist(), model.score(X, y)
    (['yes'], 1.0)
    """

    def __init__(self, hidden: int | Sequence[int] = (100,), *, activation: str = "relu", dropout: float = 0.0,
                 build: Build | None = None, epochs: int = 200, batch_size: int | str = "auto",
                 learning_rate: float = 0.001, optimizer: str | Optimizer = "adam", weight_decay: float = 0.0,
                 early_stopping: bool = False, validation_fraction: float = 0.1, n_iter_no_change: int = 10,
                 class_weight: Mapping[Any, float] | Sequence[Mapping[Any, float]] | str | None = None,
                 kinds: Mapping[str, str] | None = None, warm_start: bool = False,
                 random_state: int | np.random.RandomState | None = None, verbose: int = 0) -> None:
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.build = build
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.optimizer = optimizer
        self.weight_decay = weight_decay
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.kinds = kinds
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    targets_: ClassTargets

    @property
    def classes_(self) -> Any:
        """The classes in the order of the columns of `predict_proba`; of several columns of y a list of such arrays."""
        check_is_fitted(self)
        return self.targets_.known

    def partial_fit(self, X: ArrayLike, y: ArrayLike, classes: ArrayLike | None = None,  # type: ignore[override] # noqa: N803
                    sample_weight: ArrayLike | None = None) -> Self:
        """Train on the rows for one epoch more.

        The first call decides for all on the means and scales of columns, and on the classes: those of y, or `classes`.
        Raises as `fit` does.

        >>> import tarazu as tz
        >>> model = tz.sklearn.NetworkClassifier(random_state=0).partial_fit([[0.0], [1.0]], [0, 0], classes=[0, 1])
        >>> model.partial_fit([[2.0], [3.0]], [1, 1]).classes_.tolist()
        [0, 1]
        """
        return self._partial_fit(X, y, sample_weight, classes)

    def predict(self, X: ArrayLike) -> np.ndarray:  # noqa: N803
        """The most probable class of each row, (rows,) or (rows, columns); of labels zeros and ones.

        Raises ValueError for other columns than in training, NotFittedError before.

        >>> import tarazu as tz
        >>> tz.sklearn.NetworkClassifier(epochs=1, random_state=0).fit([[0.0], [1.0]], [3, 3]).predict([[2.0]])
        array([3])
        """
        check_is_fitted(self)
        return self.targets_.decide(self._outputs(X))

    def predict_proba(self, X: ArrayLike) -> Any:  # noqa: N803
        """The probability of each class, float64 (rows, classes), or of each label; of several columns a list.

        Raises as `predict` does.

        >>> import tarazu as tz
        >>> model = tz.sklearn.NetworkClassifier(epochs=1, random_state=0).fit([[0.0], [1.0]], ["a", "b"])
        >>> model.predict_proba([[2.0], [3.0], [4.0]]).shape
        (3, 2)
        """
        check_is_fitted(self)
        return self.targets_.probabilities(self._outputs(X))

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:  # noqa: N803
        """The share of the rows of which all classes, or labels, are right, weighted.

        >>> import tarazu as tz
        >>> tz.sklearn.NetworkClassifier(epochs=1, random_state=0).fit([[0.0], [1.0]], [3, 3]).score([[2.0]], [3])
        1.0
        """
        if isinstance(getattr(self, "targets_", None), SeveralClasses):
            right = (self.predict(X) == np.asarray(y)).all(1)
            return float(np.average(right, weights=None if sample_weight is None else np.asarray(sample_weight)))
        return super().score(X, y, sample_weight)

    def _read_targets(self, y: Any) -> np.ndarray:
        return read_classes(y)

    def _find_targets(self, y: np.ndarray, weight: np.ndarray, classes: Any) -> ClassTargets:
        return class_targets(y, classes)

    def _row_weights(self, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return weight if self.class_weight is None else weight * compute_sample_weight(self.class_weight, y)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
