"""Checks of the targets of an experiment."""

from __future__ import annotations

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.train.sources.arrays import Arrays


def require_different_targets(part: Arrays, name: str) -> None:
    """ArgumentError for a part, "training" or "validation", whose targets are all the same.

    Targets that are not finite are refused when rows are read.
    """
    y = part.y
    if not isinstance(y, np.ndarray) or not (y == y[:1]).all():
        return
    if y.dtype.kind != "f":
        raise ArgumentError(f"all {name} rows have the class {y.ravel()[0]}", expected="at least two classes",
                            fix="split the rows at random, classes in proportion")
    raise ArgumentError(f"all {name} rows have the target {y.ravel()[0]:g}", expected="targets that differ",
                        fix="look at how the targets were made")
