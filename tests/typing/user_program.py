"""A program as users write it, by which the types of the public API are checked as strictly as mypy can.

`mypy` reads it with the options of `--strict` (pyproject.toml). It is not run: other tests run what is in it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import tarazu as tz
from tarazu import Tensor, nn
from tarazu.train import Callback

# Tensors


def tensors() -> tuple[float, list[float], tz.Tensor]:
    x = tz.tensor([[1.0, 2.0], [3.0, 4.0]], dtype="float32")
    y = tz.zeros(2, 2) + tz.ones((2, 2)) * tz.arange(2.0) - tz.full((2, 2), 0.5)
    z: Tensor = x @ y
    z = (z**2).sum(axis=0).sqrt()
    z = tz.where(z > 0, tz.log(z), tz.exp(-z))
    parts = tz.concat([z, z[::-1]], axis=0).reshape(2, -1)
    parts = tz.stack([parts, parts], axis=0).astype(tz.float64)
    array: np.ndarray[Any, Any] = parts.numpy()
    shared = tz.asarray(array)
    q, r = tz.linalg.qr(x)
    same = bool(tz.isclose(q @ r, x).all())
    flags = x.shape, x.ndim, x.dtype is tz.float32, x.size, len(x), same
    assert flags and tz.softmax(x, -1).shape == (2, 2) and shared.shape[0] > 0
    value: Any = x.mean().item()
    numbers: Any = z.tolist()
    return float(value), list(numbers), tz.einsum("ij,jk->ik", x, x)


def gradients() -> Tensor:
    w = tz.tensor([3.0, 4.0], requires_grad=True)
    loss = (w * w).sum()
    loss.backward()
    assert w.grad is not None
    with tz.no_grad():
        w -= 0.1 * w.grad

    def energy(v: Tensor) -> Tensor:
        return (v**3).sum()

    slope = tz.grad(energy)(w)
    value, again = tz.value_and_grad(energy)(w)
    curvature = tz.hessian(energy)(w)
    per_row = tz.vmap(tz.grad(energy))(tz.ones((5, 2)))
    result: Tensor = slope + again + value + curvature.sum() + per_row.sum()
    return result


@tz.jit
def step(x: Tensor, y: Tensor) -> Tensor:
    return tz.tanh(x) * y


def compiled() -> Tensor:
    def body(carry: Tensor, row: Tensor) -> tuple[Tensor, Tensor]:
        return carry + row, carry

    total, _ = tz.scan(body, tz.zeros(3), tz.ones((4, 3)))
    limited = tz.while_loop(lambda v: v.sum() < 10, lambda v: v * 2, total)
    either = tz.cond(limited.sum() > 3, lambda v: v, lambda v: -v, limited)
    result: Tensor = step(either, limited)
    tz.random.seed(0)
    return result + tz.random.normal((3,)) + tz.random.uniform((3,), 0.0, 1.0)


# Models


class Residual(nn.Module):
    """A block of a user's own."""

    def __init__(self, width: int, *, dropout: float = 0.1) -> None:
        self.first = tz.nn.Dense(width, "relu")
        self.second = tz.nn.Dense(width)
        self.norm = tz.nn.LayerNorm(width)
        self.dropout = tz.nn.Dropout(dropout)
        self.scale = tz.nn.Parameter(tz.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm(x + self.scale * self.dropout(self.second(self.first(x))))
        return y


class Encoder(tz.nn.Module):
    """Layers in a list, and a layer that waits for its input."""

    def __init__(self, words: int, width: int, depth: int) -> None:
        self.embedding = tz.nn.Embedding(words, width, padding_idx=0, mask=True)
        self.blocks = [Residual(width) for _ in range(depth)]
        self.attention = tz.nn.MultiHeadAttention(4, width, causal=True)
        self.head = tz.nn.Sequential(tz.nn.LSTM(width, return_sequences=True), tz.nn.GRU(width), tz.nn.Dense(3))

    def forward(self, tokens: Tensor) -> Tensor:
        x: Tensor = self.embedding(tokens)
        for block in self.blocks:
            x = block(x)
        result: Tensor = self.head(x + self.attention(x))
        return result


class Scaling(nn.Module):
    """A layer that learns its size from its first input."""

    def build(self, x: Tensor) -> None:
        self.weight = nn.Parameter(tz.ones(x.shape[-1]))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight


class Autoencoder(nn.Module):
    """A model with a loss of its own."""

    def __init__(self) -> None:
        self.encoder, self.decoder = nn.Dense(2, in_features=8), nn.Dense(8, in_features=2)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.decoder(self.encoder(x))
        return y

    def compute_loss(self, batch: Tensor) -> dict[str, Tensor]:
        loss = tz.nn.mse(self(batch), batch)
        return {"loss": loss, "root": loss.sqrt()}


def convolutional() -> tz.nn.Sequential:
    return tz.nn.Sequential([
        tz.nn.Rescaling(1 / 255), tz.nn.RandomFlip("horizontal"), tz.nn.Conv2D(16, 3, padding="same"),
        tz.nn.BatchNorm(), tz.relu, tz.nn.MaxPool2D(2), tz.nn.Conv2D(32, 3, strides=2, activation="relu"),
        tz.nn.GlobalAvgPool2D(), tz.nn.Dense(10, kernel_initializer="he_normal")])


def functional() -> tz.nn.Model:
    image, table = tz.nn.Input((8, 8, 1)), tz.nn.Input(3, name="table")
    x = tz.nn.Flatten()(tz.nn.Conv2D(4, 3)(image))
    x = tz.concat([x, tz.nn.Dense(5, "relu")(table)], -1)
    return tz.nn.Model([image, table], {"kind": tz.nn.Dense(2)(x), "size": x.mean(-1)})


# Training


class Patience(Callback):
    """A callback of a user's own."""

    def __init__(self) -> None:
        self.losses: list[float] = []

    def on_epoch_end(self, run: Any) -> None:
        self.losses.append(float(run.history[-1]["loss"]))


def confidence(prediction: Tensor, target: Tensor) -> Tensor:
    return tz.softmax(prediction, -1).max(axis=-1)


def trained(folder: Path) -> str:
    x, y = tz.data.load("two_moons").in_memory()
    model = tz.nn.Sequential(tz.nn.Dense(32, "relu"), tz.nn.Dense(2))
    schedule = tz.optim.linear_warmup(tz.optim.cosine_decay(0.01, steps=90), steps=10)
    optimizer = tz.optim.AdamW(lr=schedule, clip_norm=1.0, groups={"*.bias": {"weight_decay": 0}})
    smooth = functools.partial(tz.nn.cross_entropy, label_smoothing=0.1)
    model.compile(optimizer, loss=smooth, metrics=["accuracy", tz.train.Recall(average=None), confidence],
                  regularizer={"*.weight": tz.optim.L2(1e-4)})
    history = model.fit(x, y, epochs=3, batch_size=32, validation_split=0.2, seed=0, verbose=0, callbacks=[
        tz.train.EarlyStopping(patience=3), tz.train.Checkpoint(folder / "run"), Patience()])
    last: dict[str, float] = history[-1]
    scores: dict[str, float] = model.evaluate(x, y)
    predicted: Tensor = model.predict(x)
    model.save(folder / "moons.tz")
    again = tz.load(folder / "moons.tz")
    model.save_weights(folder / "moons.safetensors")
    report = model.load_weights(folder / "moons.safetensors")
    return f"{last['loss']} {scores['loss']} {predicted.shape} {again} {report} {history.verdict} {model.summary()}"


def by_hand(model: nn.Module, batches: Iterator[tuple[Tensor, Tensor]]) -> float:
    optimizer = tz.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    loss = tz.zeros(())
    for x, y in batches:
        loss = tz.nn.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    names = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    model.freeze()
    model.eval()
    return float(loss) + len(names) + model.count_parameters()


# Data, tables and studies


def datasets() -> int:
    rows = np.arange(12.0).reshape(6, 2)
    dataset = tz.data.Dataset((rows, np.arange(6))).shuffle(seed=0).map(lambda row: (row[0] * 2, row[1])).batch(2)
    total = 0
    for x, y in dataset:
        total += int(x.shape[0]) + len(y)
    train, test = tz.data.train_test_split(rows, test_size=0.2, seed=0)[:2]
    return total + len(train) + len(test)


def tables(path: Path) -> Any:
    return tz.fit_table(path, target="species")


def build() -> nn.Module:
    return nn.Sequential(nn.Dense(8, "relu"), nn.Dense(2)).compile("adam", loss="cross_entropy", metrics=["accuracy"])


def studies(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> str:
    curve = tz.study.learning_curve(build, x, y, epochs=8, draws=2)
    parts = tz.study.bias_variance(build, x, y, epochs=8)
    found = tz.study.diagnose(build, x, y, epochs=8, budget=4)
    return f"{curve} {parts} {found}"


def refused() -> str:
    try:
        tz.zeros(2) + tz.zeros(3)
    except tz.TarazuError as error:
        return f"{error.problem} {error.expected} {error.fix}"
    return ""


if __name__ == "__main__":
    print(tensors(), gradients(), compiled(), refused(), datasets(), trained(Path("runs")))
