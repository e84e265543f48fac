"""Data sets that come with scikit-learn."""

from __future__ import annotations

import numpy as np

from tarazu.base.errors import DataError
from tarazu.base.extras import require
from tarazu.data.dataset.dataset import Dataset
from tarazu.data.sets.named import named_dataset


def from_sklearn(name: str) -> Dataset:
    """One of scikit-learn's bundled data sets, rows in its order."""
    datasets = require("sklearn.datasets", f"the data set {name!r}", "sklearn", DataError)
    bunch = getattr(datasets, f"load_{name}")()
    if name == "digits":
        return named_dataset(bunch.images.astype(np.uint8), bunch.target, class_names=[str(i) for i in range(10)])
    return named_dataset(bunch.data, bunch.target, [str(column) for column in bunch.feature_names],
                         [str(label) for label in bunch.get("target_names", [])])
