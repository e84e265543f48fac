"""The parts of the lab on iris, each with its judge."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from tarazu.course.forms import arrays
from tarazu.course.labs.numbers import is_linear, require_array, require_curves, require_model
from tarazu.course.labs.part import Part
from tarazu.course.labs.student import Student
from tarazu.course.wrong import Wrong
from tarazu.data import load, split_rows
from tarazu.nn import cross_entropy
from tarazu.runtime.tensor.creation import tensor

SMALL, MEDIUM, LARGE = (4,), (16,), (128,)
LEAST_ACCURACY = 0.88  # in the mean of three splits; what solutions reach stands in docs/course/lab_iris.md
SEEDS = range(3)
RISE, LOWER = 1.25, 0.5  # of the validation loss from its least value; of the training loss below the validation loss
LEAST_LOSS_AVOIDED = 0.55


class Rows(NamedTuple):
    """Scaled rows to train and to validate with."""

    x: np.ndarray
    y: np.ndarray
    x_validation: np.ndarray
    y_validation: np.ndarray


def scaled_rows(seed: int, validation: float = 0.4, features: int = 4) -> Rows:
    """Iris, divided at random and scaled by its training rows."""
    x, y = arrays(load("iris"))
    x = x[:, :features]
    parts = split_rows(len(x), validation=0, test=validation, seed=seed, labels=y)
    train, test = x[parts.train], x[parts.test]
    least, size = train.min(axis=0), np.ptp(train, axis=0)
    return Rows((train - least) / size, y[parts.train], (test - least) / size, y[parts.test])


def columns(student: Student) -> Wrong | None:
    dataset = load("iris")
    x, y = arrays(dataset)
    features, classes = dataset.feature_names or [], np.array(dataset.class_names)
    table = student.call("columns", dataset)
    missing = [name for name in [*features, "species"] if name not in table]
    if missing:
        return Wrong("columns", missing=", ".join(missing))
    for column, name in enumerate(features):
        if not np.allclose(require_array(table[name], (150,)).astype(float), x[:, column]):
            return Wrong("values", name=name)
    species = require_array(table["species"], (150,)).tolist()
    if species == y.tolist():
        return Wrong("numbers")
    return None if species == classes[y].tolist() else Wrong("values", name="species")


def from_pair_plot(student: Student) -> Wrong | None:
    species, column, value = student.call("from_pair_plot")
    dataset = load("iris")
    x, y = arrays(dataset)
    classes, features = dataset.class_names or [], dataset.feature_names or []
    if species not in classes or column not in features:
        return Wrong("names", species=species, column=column)
    below = x[:, features.index(column)] < float(value)
    own = y == classes.index(species)
    mistakes = min((below != own).sum(), (below == own).sum())
    return None if mistakes == 0 else Wrong("mistakes", count=mistakes, species=species, column=column, value=value)


def split(student: Student) -> Wrong | None:
    y = arrays(load("iris"))[1]
    x = np.arange(150.0 * 4, dtype=np.float32).reshape(150, 4)  # the first column tells the row
    x_train, y_train, x_test, y_test = map(np.asarray, student.call("split", x, y, 1))
    if x_train.shape != (120, 4) or x_test.shape != (30, 4) or y_train.shape != (120,) or y_test.shape != (30,):
        return Wrong("sizes", found=f"{x_train.shape}, {y_train.shape}, {x_test.shape}, {y_test.shape}")
    rows, test = (x_train[:, 0] / 4).astype(int), (x_test[:, 0] / 4).astype(int)
    both = len(np.intersect1d(rows, test))
    if both:
        return Wrong("both", count=both)
    if (y[rows] != y_train).any() or (y[test] != y_test).any():
        return Wrong("labels")
    if np.ptp(np.bincount(y_test, minlength=3)) > 1:
        return Wrong("proportions", found=np.bincount(y_test, minlength=3).tolist())
    again, other = (np.asarray(student.call("split", x, y, seed)[2])[:, 0] for seed in (1, 2))
    if not np.array_equal(again, x_test[:, 0]):
        return Wrong("not_again")
    return Wrong("same", seed=2) if np.array_equal(np.sort(other), np.sort(again)) else None


def scale(student: Student) -> Wrong | None:
    draw = np.random.default_rng(0)
    train, test = (draw.uniform(low, high, (rows, 4)).astype(np.float32) * [1, 10, 1, 0.1] + 1
                   for rows, low, high in ((40, 0, 1), (20, -0.5, 2)))
    before = train.copy(), test.copy()
    found = student.call("scale", train, test)
    if not (np.array_equal(train, before[0]) and np.array_equal(test, before[1])):
        return Wrong("in_place")
    scaled, new = require_array(found[0], (40, 4)), require_array(found[1], (20, 4))
    least, size = train.min(axis=0), np.ptp(train, axis=0)
    both = np.concatenate([train, test])
    cases = {"all_rows": (train - both.min(axis=0)) / np.ptp(both, axis=0),
             "one_range": (train - train.min()) / np.ptp(train),
             "standard": (train - train.mean(axis=0)) / train.std(axis=0), "unchanged": train}
    if not np.allclose(scaled, (train - least) / size, atol=1e-4):
        return Wrong(next((case for case, value in cases.items() if np.allclose(scaled, value, atol=1e-4)), "train"))
    if np.allclose(new, (test - least) / size, atol=1e-4):
        return None
    own = np.allclose(new, (test - test.min(axis=0)) / np.ptp(test, axis=0), atol=1e-4)
    clipped = np.allclose(new, np.clip((test - least) / size, 0, 1), atol=1e-4)
    return Wrong("own_range" if own else "clipped" if clipped else "test")


def targets(student: Student) -> Wrong | None:
    y = np.array([0, 1, 1, 0])  # a batch without the last species
    integers = require_array(student.call("targets", y, "integers"), (4,))
    if integers.tolist() != y.tolist():
        return Wrong("integers", found=integers.tolist())
    one_hot = np.asarray(student.call("targets", y, "one-hot"))
    if one_hot.shape == (4, 2):
        return Wrong("two_columns")
    return None if np.array_equal(require_array(one_hot, (4, 3)), np.eye(3)[y]) else Wrong("one_hot")


def one_layer(student: Student) -> Wrong | None:
    return _trained(student, ())


def two_layers(student: Student) -> Wrong | None:
    for hidden in (SMALL, MEDIUM, LARGE):
        wrong = _trained(student, hidden)
        if wrong is not None:
            return wrong
    return None


def more_layers(student: Student) -> Wrong | None:
    return _trained(student, (32, 32))


def _trained(student: Student, hidden: tuple[int, ...]) -> Wrong | None:
    """What is wrong with a model of such layers; its accuracy is the mean of three splits."""
    accuracies = []
    for seed in SEEDS:
        rows, model = scaled_rows(seed), student.call("build", hidden)
        require_model(model, rows.x, [4, *hidden, 3])
        if hidden and is_linear(model, 4):
            return Wrong("linear")
        history = student.call("train", model, *rows, seed)
        accuracies.append(require_curves(history, model, rows.x_validation, rows.y_validation, 0))
    mean = np.mean(accuracies)
    return None if mean >= LEAST_ACCURACY else Wrong("accuracy", found=f"{mean:.3f}", expected=LEAST_ACCURACY)


def overfit(student: Student) -> Wrong | None:
    history: Any = student.call("overfit", *_sepals())
    curves = history.history
    if "val_loss" not in curves:
        return Wrong("no_validation")
    training, validation, least = curves["loss"][-1], curves["val_loss"][-1], min(curves["val_loss"])
    values = {"training": f"{training:.2f}", "validation": f"{validation:.2f}", "least": f"{least:.2f}"}
    if validation < RISE * least:
        return Wrong("no_rise", **values)
    return None if training < LOWER * validation else Wrong("no_gap", **values)


@functools.cache
def _sepals() -> Rows:
    return scaled_rows(0, 0.6, features=2)


def avoid(student: Student) -> Wrong | None:
    model, rows = student.call("avoid", *_sepals()), _sepals()
    logits = require_array(model.predict(rows.x_validation), (len(rows.y_validation), 3))
    loss = cross_entropy(tensor(logits), tensor(rows.y_validation)).item()
    return None if loss < LEAST_LOSS_AVOIDED else Wrong("loss", found=f"{loss:.2f}", expected=LEAST_LOSS_AVOIDED)


def name_of(student: Student) -> Wrong | None:
    epochs = np.arange(40)
    fall = np.exp(-epochs / 8)
    curves = {"underfitting": (1.1 - 0.002 * epochs, 1.1 - 0.0015 * epochs),
              "overfitting": (fall, 0.35 + 0.7 * np.exp(-epochs / 4) + 0.02 * epochs),
              "about right": (0.1 + fall, 0.13 + fall)}
    for wanted, (training, validation) in curves.items():
        found = student.call("name_of", training.tolist(), validation.tolist())
        if found not in curves:
            return Wrong("no_name", found=found)
        if found != wanted:
            return Wrong(wanted, found=found)
    return None


PARTS = (Part("columns", 5, columns), Part("from_pair_plot", 10, from_pair_plot), Part("split", 15, split),
         Part("scale", 15, scale), Part("targets", 10, targets), Part("one_layer", 10, one_layer),
         Part("two_layers", 10, two_layers), Part("more_layers", 5, more_layers), Part("overfit", 10, overfit),
         Part("avoid", 5, avoid), Part("name_of", 5, name_of))
