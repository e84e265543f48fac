"""Data sets that lie in packages: those of scikit-learn, and the penguins, which come with Tarazu."""

from __future__ import annotations

import csv
import importlib
from pathlib import Path

import numpy as np

from tarazu.base.errors import DataError
from tarazu.data.dataset.dataset import Dataset
from tarazu.data.sets.named import named_dataset

MEASUREMENTS = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]


def from_sklearn(name: str) -> Dataset:
    """One of scikit-learn's bundled data sets, rows in its order."""
    try:
        datasets = importlib.import_module("sklearn.datasets")
    except ImportError as error:
        raise DataError(f"the data set {name!r} needs the package scikit-learn, which is not installed",
                        expected="scikit-learn", fix="pip install 'tarazu[sklearn]'") from error
    bunch = getattr(datasets, f"load_{name}")()
    if name == "digits":
        return named_dataset(bunch.images.astype(np.uint8), bunch.target, class_names=[str(i) for i in range(10)])
    return named_dataset(bunch.data, bunch.target, [str(column) for column in bunch.feature_names],
                         [str(label) for label in bunch.get("target_names", [])])


def penguins() -> Dataset:
    """The four measurements of 342 penguins and their species; two penguins were not measured and are left out."""
    with (Path(__file__).parent / "penguins.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["body_mass_g"] != "NA"]
    species = sorted({row["species"] for row in rows})
    x = np.array([[float(row[column]) for column in MEASUREMENTS] for row in rows])
    return named_dataset(x, np.array([species.index(row["species"]) for row in rows]), MEASUREMENTS, species)
