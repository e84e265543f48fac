"""Makes cases: a recipe and a source of rows in, arrays with planted faults and a Tarazu model out.

A *source* is a data set (or a function that draws one). A *recipe* is data: how many rows, which faults are planted in
them, and how the model is made and fitted. Both halves of the benchmark use this file; each brings its own sources.
"""

from __future__ import annotations

import importlib.util
import math
import zlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import ModuleType

import numpy as np

import tarazu as tz

CAUSES = ("healthy", "too_little_data", "too_much_capacity", "label_noise", "too_little_capacity",
          "too_little_training", "learning_rate_too_high", "too_much_regularisation", "shift", "leakage")
VARIANCE = ("too_little_data", "too_much_capacity", "label_noise")  # the causes that a gap to new data comes from
MOST_TEST_ROWS = 3000


@dataclass(frozen=True)
class Source:
    """Rows: standardised features, and class numbers (int64) or a standardised target (float32)."""

    x: np.ndarray
    y: np.ndarray
    image: tuple[int, int] | None = None  # the features are the pixels of a picture, height x width
    domain: np.ndarray | None = None  # a number for each row: where or when it is from

    @property
    def task(self) -> str:
        return "classification" if self.y.dtype == np.int64 else "regression"

    @property
    def outputs(self) -> int:
        return int(self.y.max()) + 1 if self.task == "classification" else 1


@dataclass(frozen=True)
class Recipe:
    """One case as data. `shift` and `leak` are (kind, strength...) as in `rows`."""

    name: str
    source: str
    seed: int
    train: int
    validation: int
    noise: float = 0.0  # share of training and validation rows with a wrong target
    noise_kind: str = "even"  # "even", "pairs" or "outliers", as in `rows`
    shift: tuple | None = None
    leak: tuple | None = None
    widths: tuple = (64, 64)
    activation: str = "relu"
    dropout: float = 0.0
    weight_decay: float = 0.0
    optimizer: str = "adam"
    lr: float = 1e-3
    epochs: int = 30
    batch_size: int = 32
    keep: str = "best"  # which epoch's weights the fit leaves in the model: "best" (on validation) or "last"


@dataclass(frozen=True)
class Rows:
    x_train: np.ndarray
    y_train: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def rows(recipe: Recipe, source: Source, *, times: float = 1, draw: int = 0, noise: bool = True, shift: bool = True,
         leak: bool = True) -> Rows:
    """The arrays of a case. `times` 4 adds to the same training rows three times as many new ones (another `draw`:
    others); `noise`, `shift` and `leak` False leave that fault out and everything else as it is.

    noise "even": another class, drawn evenly, or the target of another row. "pairs": of each class the wrong ones are
          all called by one other class. "outliers": three to eight standard deviations are added to the target or taken
          off.
    shift ("drift", d): in validation and test rows a third of the features is moved by d standard deviations.
          ("roll", k): pictures there are moved by k pixels along both axes.
          ("domain", q): training rows are those with a low `domain` (up to the quantile q), the others have a high one.
          ("classes", s): low classes (or targets) are rarer in the training rows, the rarest by a factor e^s.
    leak  ("target", p, in_test): more features that tell the target, rightly with probability (or correlation) p; in
          the test rows they are "shuffled" among the rows or "blank" (0). The columns of all rows are in mixed order.
          ("code", p, in_test): the same with one feature, an uneven but monotone function of the target.
          ("copies", p): a share p of the validation rows are copies of training rows.
    """
    test, val, train = _choose(recipe, source, times, draw, shift)
    targets = {"val": source.y[val], "train": source.y[train]}
    if noise and recipe.noise:
        targets = {part: _wrong(y, recipe, source, _random(recipe, "noise " + part, len(y)))
                   for part, y in targets.items()}
    parts = {"train": source.x[train], "val": source.x[val], "test": source.x[test]}
    if recipe.shift and recipe.shift[0] in ("drift", "roll"):
        parts = {part: x if part == "train" and shift else _moved(recipe, source, x) for part, x in parts.items()}
    if recipe.leak and recipe.leak[0] in ("target", "code"):
        known = {**targets, "test": source.y[test]}
        parts = {part: _with_leak(recipe, source, x, known[part], part, leak and part != "test")
                 for part, x in parts.items()}
    if recipe.leak and recipe.leak[0] == "copies" and leak:
        random = _random(recipe, "copies")
        replaced = random.permutation(len(val))[:round(recipe.leak[1] * len(val))]
        copied = random.integers(recipe.train, size=len(replaced))  # the first rows are the same for any `times`
        parts["val"], targets["val"] = parts["val"].copy(), targets["val"].copy()
        parts["val"][replaced], targets["val"][replaced] = parts["train"][copied], targets["train"][copied]
    x = {part: np.ascontiguousarray(value, dtype=np.float32) for part, value in parts.items()}
    return Rows(x["train"], targets["train"], x["val"], targets["val"], x["test"], source.y[test])


def needed(recipe: Recipe) -> int:
    """How many rows a source that draws them has to draw."""
    return 4 * recipe.train + recipe.validation + MOST_TEST_ROWS


def _random(recipe: Recipe, purpose: str, *more: int) -> np.random.Generator:
    """A stream for each purpose, so that leaving one fault out changes nothing else."""
    return np.random.default_rng([recipe.seed, zlib.crc32(purpose.encode()), *more])


def _choose(recipe: Recipe, source: Source, times: float, draw: int, shift: bool) -> tuple[np.ndarray, ...]:
    """The numbers of the test, validation and training rows; no row is in two parts."""
    order = _random(recipe, "rows").permutation(len(source.x))
    kind, strength = (recipe.shift or (None, 0))[:2]
    near, far = order, order  # where training rows and all others come from
    if kind == "domain":
        bound = np.quantile(source.domain, strength)
        near, far = order[source.domain[order] <= bound], order[source.domain[order] > bound]
    n, m = recipe.train, recipe.validation
    test_rows = min(MOST_TEST_ROWS, len(far) - m - (n if kind == "domain" else 4 * n))
    if test_rows < 50:
        raise ValueError(f"{recipe.name}: {len(far)} rows are too few")
    test, val, rest = np.split(far, [test_rows, test_rows + m])
    if kind == "domain" and shift:
        rest = near
    if kind == "classes" and shift:
        rank = source.y[rest].argsort().argsort() if source.task == "regression" else source.y[rest]
        logits = strength * rank / rank.max() + _random(recipe, "classes").gumbel(size=len(rest))
        rest = rest[np.argsort(-logits)]
        rest[:4 * n] = rest[:4 * n][_random(recipe, "classes", 1).permutation(min(4 * n, len(rest)))]
    train, pool = rest[:n], rest[n:4 * n] if kind == "classes" else rest[n:]
    if times > 1:
        train = np.concatenate([train, _random(recipe, "more", draw).permutation(pool)[:round((times - 1) * n)]])
    return test, val, train


def _wrong(y: np.ndarray, recipe: Recipe, source: Source, random: np.random.Generator) -> np.ndarray:
    """`y` with a share of wrong targets."""
    y, chosen = y.copy(), random.permutation(len(y))[:round(recipe.noise * len(y))]
    if recipe.noise_kind == "pairs":
        circle = _random(recipe, "pairs").permutation(source.outputs)  # each class is taken for the next one
        y[chosen] = np.roll(circle, -1)[circle.argsort()[y[chosen]]]
    elif recipe.noise_kind == "outliers":
        y[chosen] += random.choice([-1, 1], size=len(chosen)) * random.uniform(3, 8, size=len(chosen))
    elif source.task == "classification":
        y[chosen] = (y[chosen] + random.integers(1, source.outputs, size=len(chosen))) % source.outputs
    else:
        y[chosen] = random.choice(source.y, size=len(chosen))
    return y


def _moved(recipe: Recipe, source: Source, x: np.ndarray) -> np.ndarray:
    kind, strength = recipe.shift
    if kind == "roll":
        return np.roll(x.reshape(-1, *source.image), (strength, strength), axis=(1, 2)).reshape(len(x), -1)
    random = _random(recipe, "drift")
    moved = random.permutation(x.shape[1])[:math.ceil(x.shape[1] / 3)]
    offset = np.zeros(x.shape[1])
    offset[moved] = strength * random.choice([-1, 1], size=len(moved))
    return x + offset


def _with_leak(recipe: Recipe, source: Source, x: np.ndarray, y: np.ndarray, part: str, tells: bool) -> np.ndarray:
    """`x` with more features, which tell `y` or, where the leak is not there, nothing."""
    kind, strength, in_test = recipe.leak
    random = _random(recipe, "leak " + part, len(y))
    if source.task == "classification":
        told = np.where(random.random(len(y)) < strength, y, random.integers(source.outputs, size=len(y)))
        block = np.eye(source.outputs)[told]
        if kind == "code":
            block = 2 * np.sqrt(told[:, None] / (source.outputs - 1)) - 1
    else:
        block = strength * y[:, None] + math.sqrt(1 - strength**2) * random.normal(size=(len(y), 1))
        if kind == "code":
            block = np.minimum(np.exp(block) - 1.6, 5)
    if not tells:
        block = random.permutation(block) if in_test == "shuffled" else np.zeros_like(block)
    return np.hstack([x, block])[:, _random(recipe, "columns").permutation(x.shape[1] + block.shape[1])]


# The model and its fit.

MODEL_SETTINGS = ("widths", "activation", "dropout", "weight_decay", "optimizer", "lr")
FIT_SETTINGS = ("epochs", "batch_size", "keep")


def build(recipe: Recipe, source: Source) -> tz.nn.Module:
    """A fresh compiled model; `fit(seed=)` decides its first weights."""
    layers: list[tz.nn.Module] = []
    for width in recipe.widths:
        layers.append(tz.nn.Dense(width, activation=recipe.activation))
        if recipe.dropout:
            layers.append(tz.nn.Dropout(recipe.dropout))
    model = tz.nn.Sequential([*layers, tz.nn.Dense(source.outputs)])
    kind, more = {"adam": (tz.optim.Adam, {}), "adamw": (tz.optim.AdamW, {}), "rmsprop": (tz.optim.RMSprop, {}),
                  "sgd": (tz.optim.SGD, {"momentum": 0.9})}[recipe.optimizer]
    optimizer = kind(lr=recipe.lr, weight_decay=recipe.weight_decay, **more)
    if source.task == "classification":
        return model.compile(optimizer, loss="cross_entropy", metrics=["accuracy"])
    return model.compile(optimizer, loss="mse")


def fit_arguments(recipe: Recipe) -> dict:
    """What `fit` is called with, beside the rows and a seed."""
    callbacks = [] if recipe.keep == "best" else [tz.train.KeepBest(restore=False)]
    return {"epochs": recipe.epochs, "batch_size": recipe.batch_size, "callbacks": callbacks, "verbose": 0}


class Case:
    """All that a diagnoser may see of a case."""

    def __init__(self, recipe: Recipe, source: Source) -> None:
        made = rows(recipe, source)
        self.task = source.task
        self.x_train, self.y_train, self.x_val, self.y_val = made.x_train, made.y_train, made.x_val, made.y_val
        settings = asdict(recipe)
        self.model_settings = {name: settings[name] for name in MODEL_SETTINGS}
        self.fit_settings = {name: settings[name] for name in FIT_SETTINGS}
        plain = Recipe("", "", 0, 0, 0, **self.model_settings, **self.fit_settings)
        shape = Source(np.empty((0, 0)), np.array([source.outputs - 1], dtype=source.y.dtype))  # no rows, only outputs
        self.build = lambda **changes: build(replace(plain, **changes), shape)
        self.fit_arguments = lambda **changes: fit_arguments(replace(plain, **changes))

    def fit(self, *, seed: int = 0, **changes: object) -> tuple[tz.nn.Module, tz.record.History]:
        """The user's fit: a fresh model, fitted to the training rows; `changes` replace settings of model or fit."""
        model = self.build(**changes)
        history = model.fit(self.x_train, self.y_train, validation_data=(self.x_val, self.y_val), seed=seed,
                            **self.fit_arguments(**changes))
        return model, history


def half(folder: Path) -> ModuleType:
    """The cases.py of a folder: RECIPES, and `load(recipe)`, which gives the source of a recipe."""
    spec = importlib.util.spec_from_file_location("cases_" + folder.resolve().parent.name, folder / "cases.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
