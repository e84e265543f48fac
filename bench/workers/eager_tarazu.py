"""A loop without `jit` in Tarazu, and small operations, for `bench/eager.py`."""

from __future__ import annotations

from collections.abc import Callable

import models
from eager_cases import Cases, serve_eager
from workloads import LEARNING_RATE, Workload, data

import tarazu as tz

MODELS = {"mlp": lambda workload: models.mlp([*workload.shape, *workload.widths]), "cnn": lambda _: models.cnn(),
          "lstm": lambda workload: models.lstm_classifier(*workload.widths),
          "layer": lambda workload: models.layer_classifier(*workload.widths)}


def step_of(workload: Workload) -> Callable[[], float]:
    tz.random.seed(0)
    x, y = map(tz.tensor, data(workload))
    model = MODELS[workload.kind](workload)
    model(x)
    optimizer = tz.optim.Adam(model.parameters(), lr=LEARNING_RATE)

    def step() -> float:
        optimizer.zero_grad()
        loss = tz.nn.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()
    return step


def _backward_of_chain(w: tz.Tensor) -> None:
    w.grad = None
    tz.tanh(w * 2.0 + 1.0).sum().backward()


def small() -> Cases:
    tz.random.seed(0)
    x, y, w = tz.randn(8), tz.randn(8), tz.randn(8, requires_grad=True)
    rows, matrix, labels = tz.randn(8, 8), tz.randn(8, 8, requires_grad=True), tz.arange(8)
    ones, zeros = tz.ones(8), tz.zeros(8)
    return {
        "add": lambda: x + y, "add a number": lambda: x + 1.0, "add, tracked": lambda: w + y, "exp": lambda: tz.exp(x),
        "relu": lambda: tz.relu(x), "sum": lambda: x.sum(), "mean": lambda: x.mean(), "max of rows":
        lambda: rows.max(axis=1), "reshape": lambda: rows.reshape(4, 16), "transpose": lambda: rows.T,
        "x[i]": lambda: rows[3], "x[i:j]": lambda: rows[2:5], "x[i, j]": lambda: rows[3, 4], "x > 0": lambda: x > 0,
        "matrix product": lambda: rows @ matrix, "softmax": lambda: tz.softmax(x), "softmax, tracked":
        lambda: tz.softmax(w), "layer norm": lambda: tz.layer_norm(rows, ones, zeros), "gelu": lambda: tz.gelu(x),
        "cross entropy, tracked": lambda: tz.nn.cross_entropy(matrix, labels), "concat": lambda: tz.concat([x, y]),
        "forward and backward": lambda: _backward_of_chain(w)}


if __name__ == "__main__":
    serve_eager(step_of, small)
