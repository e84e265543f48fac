"""`NetworkTransformer`: what a layer of a trained network puts out, as features for other estimators."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from tarazu.base.errors import ArgumentError
from tarazu.nn import Sequential
from tarazu.sklearn.classifier import NetworkClassifier
from tarazu.sklearn.estimator import NetworkEstimator
from tarazu.train.evaluate import predict


class NetworkTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """The outputs of a layer of a network that learned to predict y, as features of X.

    `estimator` is a NetworkClassifier or a NetworkRegressor, of which `fit` trains a copy, `estimator_`; None is
    `NetworkClassifier()`, and one in a `sklearn.frozen.FrozenEstimator` is taken as it is. `layer` is the number of a
    layer of `estimator_.network_`; -2 is the last hidden one. A `random_state` takes the place of the estimator's own.

    >>> import tarazu as tz
    >>> X, y = [[0.0, 1.0], [1.0, 0.0]] * 10, ["no", "yes"] * 10
    >>> small = tz.sklearn.NetworkClassifier((8, 3), epochs=5, random_state=0)
    >>> tz.sklearn.NetworkTransformer(small).fit(X, y).transform([[0.5, 0.5]]).shape
    (1, 3)
    """

    def __init__(self, estimator: NetworkEstimator | None = None, *, layer: int = -2,
                 random_state: int | np.random.RandomState | None = None) -> None:
        self.estimator = estimator
        self.layer = layer
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:  # noqa: N803
        """Train a copy of the estimator on X and y; raises what its `fit` raises, ArgumentError for no such layer.

        >>> import tarazu as tz
        >>> network = tz.sklearn.NetworkClassifier((8,), epochs=1, random_state=0)
        >>> tz.sklearn.NetworkTransformer(network).fit([[0.0], [1.0]], [0, 1]).get_feature_names_out()[0]
        'networktransformer0'
        """
        copy = self._untrained()
        self.estimator_ = copy.fit(X, y, sample_weight=sample_weight) if sample_weight is not None else copy.fit(X, y)
        if not hasattr(self.estimator_, "network_"):
            raise ArgumentError(f"estimator={self.estimator!r}", expected="a NetworkClassifier or a NetworkRegressor",
                                fix="pass for example tz.sklearn.NetworkClassifier((32,))")
        layers = self.estimator_.network_
        if not isinstance(self.layer, int) or not -len(layers) <= self.layer < len(layers):
            raise ArgumentError(f"layer={self.layer!r} of a network of {len(layers)}",
                                expected=f"a number from {-len(layers)} to {len(layers) - 1}",
                                fix="look at estimator.network_.summary()")
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.estimator_, name):
                setattr(self, name, getattr(self.estimator_, name))
        encoder = self.estimator_.encoder_
        columns = encoder.num_dense + len(encoder.embeddings)
        self._n_features_out = self._layer_outputs(np.zeros((1, columns), np.float32)).shape[1]
        return self

    def _untrained(self) -> Any:
        copy = NetworkClassifier() if self.estimator is None else clone(self.estimator)
        is_seeded = self.random_state is not None and not isinstance(copy, FrozenEstimator)
        return copy.set_params(random_state=self.random_state) if is_seeded else copy

    def transform(self, X: ArrayLike) -> np.ndarray:  # noqa: N803
        """What the layer puts out for each row, float32 (rows, numbers); raises as `predict` of the estimator does.

        >>> import tarazu as tz
        >>> network = tz.sklearn.NetworkClassifier((8,), epochs=1, random_state=0)
        >>> tz.sklearn.NetworkTransformer(network, layer=-1).fit_transform([[0.0], [1.0]], [0, 1]).shape
        (2, 2)
        """
        check_is_fitted(self)
        return self._layer_outputs(self.estimator_._features(X))

    def _layer_outputs(self, features: np.ndarray) -> np.ndarray:
        layers = self.estimator_.network_
        outputs = predict(Sequential(layers[:self.layer % len(layers) + 1]), features).numpy()
        return outputs.reshape(len(outputs), -1)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = tags.input_tags.allow_nan = True
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
