"""Data sets that come with Tarazu, so that nothing else need be installed or downloaded for them.

iris.csv: the measurements that Anderson made and Fisher published in 1936, with the values of his paper, as in
scikit-learn (BSD-3-Clause); in the public domain. penguins.csv: Horst, Hill and Gorman, palmerpenguins, 2020; CC0.
mnist_small/: a part of MNIST by LeCun, Cortes and Burges, CC BY-SA 3.0, in files of MNIST's own form: of each digit
the first 800 images of its training part and the first 200 of its test part, in the order in which they stand there.
The five dots are our own.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from tarazu.data.dataset.dataset import Dataset
from tarazu.data.sets.files import IMAGE_SETS
from tarazu.data.sets.images import read_idx_set
from tarazu.data.sets.named import named_dataset

FOLDER = Path(__file__).parent
MEASUREMENTS = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
DOTS = [(1.0, 7.2), (2.0, 6.2), (3.0, 8.6), (4.0, 6.1), (5.0, 14.3)]
NEW_DOTS = [(1.4, 4.5), (2.2, 6.5), (3.3, 8.5), (3.8, 12.2), (4.6, 14.6)]


def iris() -> Dataset:
    """The four measurements of 150 irises and their species, 50 each, in centimeters."""
    with (FOLDER / "iris.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    return _classes(rows, header[:-1])


def penguins() -> Dataset:
    """The four measurements of 342 penguins and their species; two penguins were not measured and are left out."""
    with (FOLDER / "penguins.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["body_mass_g"] != "NA"]
    return _classes([[*(row[column] for column in MEASUREMENTS), row["species"]] for row in rows], MEASUREMENTS)


def _classes(rows: list[list[str]], columns: list[str]) -> Dataset:
    """Rows of numbers with the name of a class at the end; classes are numbered in the order of their names."""
    names = sorted({row[-1] for row in rows})
    x = np.array([[float(cell) for cell in row[:-1]] for row in rows])
    return named_dataset(x, np.array([names.index(row[-1]) for row in rows]), columns, names)


def five_dots() -> tuple[Dataset, Dataset]:
    """Five dots to fit, and five new ones to validate with, around the line y = 2 x + 3.

    They are picked so that the mean squared errors are those of the course's example of overfitting: 5.3 and 5.1 with
    a line, 0 and 20 with the polynomial of degree 6 whose weights on Legendre polynomials are the least.
    """
    first, new = (named_dataset(np.array(dots)[:, :1], np.array(dots)[:, 1], ["x"]) for dots in (DOTS, NEW_DOTS))
    return first, new


def mnist_small() -> tuple[Dataset, Dataset]:
    """8,000 and 2,000 images of MNIST, as many of each digit."""
    return read_idx_set(lambda name: FOLDER / "mnist_small" / name, IMAGE_SETS["mnist"])
