"""A table with numbers, categories and dates, and what was fitted to it."""

from __future__ import annotations

import numpy as np
import pytest

import tarazu as tz
from tarazu.tabular import TableModel

ROWS = 120


def flats():
    """A table of flats: a number, one with missing cells, a category with missing cells, a date, and two targets."""
    random = np.random.default_rng(0)
    size = random.uniform(20, 120, ROWS).round(1)
    town = random.choice(["Herat", "Delhi", "Lahore"], ROWS).astype(object)
    floor = random.integers(0, 9, ROWS).astype(object)
    town[3] = floor[5] = None
    built = [f"{year}-0{month}-15" for year, month in
             zip(random.integers(1980, 2020, ROWS), random.integers(1, 9, ROWS), strict=True)]
    price = 1000 * size + 5000 * (town == "Delhi")
    return {"size": size, "floor": floor.tolist(), "town": town.tolist(), "built": built, "price": price,
            "sold": np.where(price > 70_000, "no", "yes")}


@pytest.fixture(scope="session")
def table_model():
    """A classification of flats."""
    table = {name: column for name, column in flats().items() if name != "price"}
    fitted = tz.fit_table(table, target="sold", epochs=3, hidden=(8,), verbose=0)
    return TableModel(fitted.model, fitted.encoder)


@pytest.fixture(scope="session")
def price_model():
    """A regression of their prices."""
    table = {name: column for name, column in flats().items() if name != "sold"}
    fitted = tz.fit_table(table, target="price", epochs=3, hidden=(8,), verbose=0)
    return TableModel(fitted.model, fitted.encoder)


@pytest.fixture(scope="session")
def run_path(tmp_path_factory):
    """A run folder of the classification."""
    table = {name: column for name, column in flats().items() if name != "price"}
    return tz.fit_table(table, target="sold", epochs=3, hidden=(8,), verbose=0).save(
        tmp_path_factory.mktemp("runs") / "flats-sold")
