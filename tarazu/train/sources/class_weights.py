"""Weights of samples by their classes: a weight for each, or "balanced"."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.base.messages import listing
from tarazu.nn.module.trainable import ClassWeight
from tarazu.train.sources.arrays import Arrays, class_numbers


def class_weighted(arrays: Arrays, spec: ClassWeight) -> Arrays:
    """(x, y, weight) in which each row's weight is multiplied by that of its class; as it is where `spec` is None.

    "balanced" gives each class the same weight together, rows / (classes * rows of the class), as scikit-learn does
    (King and Zeng, 2001). ArgumentError unless the targets are one array of classes.
    """
    if spec is None:
        return arrays
    labels = class_numbers(arrays.y) if arrays.is_pair and isinstance(arrays.y, np.ndarray) else None
    if labels is None:
        raise ArgumentError(f"class_weight={spec!r} for targets that are no classes",
                            expected="class numbers or one-hot rows as the only targets",
                            fix="pass a weight for each row: sample_weight=w")
    weight = _balanced(labels) if spec == "balanced" else _given(labels, spec)
    if arrays.weight is not None:
        weight = arrays.weight * weight
    return Arrays.of((arrays.x, arrays.y, weight))


def _balanced(labels: np.ndarray) -> np.ndarray:
    _, index, counts = np.unique(labels, return_inverse=True, return_counts=True)
    return (len(labels) / (len(counts) * counts)).astype(np.float32)[index]


def _given(labels: np.ndarray, spec: Mapping[int, float] | str) -> np.ndarray:
    if not isinstance(spec, Mapping) or not all(isinstance(x, int | float) and x >= 0 for x in spec.values()):
        raise ArgumentError(f"class_weight={spec!r}", expected='a weight of 0 or more for each class, or "balanced"',
                            fix="for example class_weight={0: 1.0, 1: 5.0}; classes that are not in it weigh 1")
    unknown = [str(label) for label in spec if label not in labels]
    if unknown:
        raise ArgumentError(f"class_weight for {listing(unknown)}, which no row has", fix="leave them out",
                            expected=f"classes of y: {listing(map(str, np.unique(labels)), 10)}")
    weight = np.ones(len(labels), np.float32)
    for label, value in spec.items():
        weight[labels == label] = value
    return weight
