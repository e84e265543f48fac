"""Arrays with the names of their features and classes, as a source of samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tarazu.data.dataset.dataset import Dataset
from tarazu.data.dataset.sources import Arrays


class NamedArrays(Arrays):
    """Pairs of arrays (x, y) that know what the columns of x, and the numbers in y, stand for."""

    def __init__(self, x: np.ndarray, y: np.ndarray, feature_names: Sequence[str], class_names: Sequence[str]) -> None:
        super().__init__((x, y))
        self.feature_names, self.class_names = list(feature_names) or None, list(class_names) or None


def named_dataset(x: np.ndarray, y: np.ndarray, feature_names: Sequence[str] = (),
                  class_names: Sequence[str] = ()) -> Dataset:
    """A dataset of pairs (x, y); labels of named classes become int64, other targets and columns float32."""
    x = x if x.dtype == np.uint8 else x.astype(np.float32)
    return Dataset(NamedArrays(x, y.astype(np.int64 if class_names else np.float32), feature_names, class_names))
