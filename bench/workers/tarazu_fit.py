"""Training with Tarazu's `model.fit`, in the precision that BENCH_PRECISION names."""

from __future__ import annotations

import os
import statistics

from networks import model_for
from serve import Train, serve
from workloads import Workload, data


def prepare(workload: Workload) -> Train:
    x, y = data(workload)
    model, optimizer = model_for(workload)
    model.compile(optimizer, "cross_entropy", metrics=["accuracy"],
                  precision=os.environ.get("BENCH_PRECISION", "float32"))

    def train(epochs: int) -> dict[str, float]:
        """Beside the whole call, which also judges the run, the seconds of its epochs as the history has them."""
        rows = model.fit(x, y, batch_size=workload.batch, epochs=epochs, verbose=False).rows
        within = statistics.fmean(row["seconds"] for row in rows)
        return {"within": within, "loss": rows[-1]["loss"], "accuracy": rows[-1]["accuracy"]}

    return train


if __name__ == "__main__":
    serve(prepare)
