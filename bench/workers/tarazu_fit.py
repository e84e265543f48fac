"""Training with Tarazu's `model.fit`, in the precision that BENCH_PRECISION names."""

from __future__ import annotations

import os
import statistics

import models
from serve import Train, serve
from workloads import LEARNING_RATE, Workload, data

import tarazu as tz

MODELS = {"mlp": lambda workload: models.mlp([*workload.shape, *workload.widths]), "cnn": lambda _: models.cnn(),
          "cnn_same": lambda _: models.cnn("same"), "resnet18": lambda _: models.resnet18(),
          "separable": lambda _: models.separable(),
          "lstm": lambda _: models.lstm_classifier(), "transformer": lambda _: models.transformer_classifier()}


def prepare(workload: Workload) -> Train:
    x, y = data(workload)
    tz.random.seed(0)
    model = MODELS[workload.kind](workload)
    model.compile(tz.optim.Adam(lr=LEARNING_RATE), "cross_entropy", metrics=["accuracy"],
                  precision=os.environ.get("BENCH_PRECISION", "float32"))

    def train(epochs: int) -> dict[str, float]:
        """Beside the whole call, which also judges the run, the seconds of its epochs as the history has them."""
        rows = model.fit(x, y, batch_size=workload.batch, epochs=epochs, verbose=False).rows
        within = statistics.fmean(row["seconds"] for row in rows)
        return {"within": within, "loss": rows[-1]["loss"], "accuracy": rows[-1]["accuracy"]}

    return train


if __name__ == "__main__":
    serve(prepare)
