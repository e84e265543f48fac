"""Twenty steps of a small MLP over devices or processes; process 0 prints their losses, and rows per second, as JSON.

`parallel_fit.py one`, `data` (each batch divided) or `tensor` (weights divided by 4, batches by 2).
"""

from __future__ import annotations

import json
import os
import sys

import models
from workloads import LEARNING_RATE, WORKLOADS, data

import tarazu as tz

STEPS, EPOCHS = 20, 4  # EPOCHS are timed, over all rows


class Losses(tz.train.Callback):
    def __init__(self) -> None:
        self.found: list[float] = []

    def on_step_end(self, run: tz.train.Run) -> None:
        self.found.append(run.loss)


def main(layout: str) -> None:
    workload, losses = WORKLOADS["mlp128"], Losses()
    x, y = data(workload)
    tz.random.seed(0)
    model = models.mlp([*workload.shape, *workload.widths])
    model.compile(tz.optim.Adam(lr=LEARNING_RATE), "cross_entropy")
    if layout == "tensor":
        model.shard(tz.mesh(data=2, model=4), {"0.weight": (None, "model"), "0.bias": ("model",),
                                               "1.weight": ("model", None)})
    devices = {"one": "xla:0", "data": "all", "tensor": None}[layout]
    few = STEPS * workload.batch
    model.fit(x[:few], y[:few], batch_size=workload.batch, epochs=1, devices=devices, seed=0, verbose=False,
              callbacks=[losses])
    whole = len(x) // workload.batch * workload.batch  # no short last batch, which would be compiled within an epoch
    history = model.fit(x[:whole], y[:whole], batch_size=workload.batch, epochs=EPOCHS, devices=devices, verbose=False)
    rate = whole / min(row["seconds"] for row in history.rows)
    if os.environ.get("TARAZU_PROCESS", "0") == "0":
        print(json.dumps({"losses": losses.found, "rows_per_second": rate}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
