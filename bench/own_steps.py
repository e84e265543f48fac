"""The models of docs/own_steps.md in `fit`, beside the same steps in a loop by hand over a jitted function.

python bench/own_steps.py [epochs] [turns]: medians of milliseconds a step, taking turns; the last column is the loop's
time over that of `fit`.
"""

from __future__ import annotations

import re
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import tarazu as tz
from tarazu.base.pytree import flatten, map_leaves

PAGE = Path(__file__).parents[1] / "docs" / "own_steps.md"
BATCH = 64


def models_of_page() -> dict[str, tuple[Any, Any]]:
    """The models, which have trained for an epoch, with the tree of arrays that each trains on."""
    start, *scripts = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {"__name__": "page"}
    exec(start, names)
    for script in scripts:
        exec(re.sub(r"epochs=\d+", "epochs=1", script).replace("seed=0)", "seed=0, verbose=0)"), names)
    images, labels = names["images"], names["labels"]
    triplets = {"anchor": images, "same": images[names["same"]], "other": images[names["other"]]}
    return {"autoencoder": (names["model"], images), "vae": (names["vae"], images), "gan": (names["gan"], images),
            "siamese": (names["siamese"], triplets), "distillation": (names["student"], (images, labels)),
            "physics": (names["physics"], names["times"]), "contrastive": (names["contrastive"], images)}


def by_hand(model: Any, data: Any, epochs: int) -> Callable[[], int]:
    """A loop over shuffled batches around a jitted step; it gives how many steps it took."""
    step = tz.jit(model.train_step)
    rows = len(flatten(data)[0][0])

    def loop() -> int:
        steps = 0
        for _ in range(epochs):
            order = np.random.default_rng(steps).permutation(rows)
            for i in range(0, rows - BATCH + 1, BATCH):
                taken = order[i:i + BATCH]
                result = step(map_leaves(lambda x, taken=taken: tz.asarray(x[taken]), data))
                steps += 1
        float(next(iter(result.values())))
        return steps

    return loop


def in_fit(model: Any, data: Any, epochs: int) -> Callable[[], int]:
    """The same by `fit`."""
    rows = len(flatten(data)[0][0]) // BATCH * BATCH
    cut = map_leaves(lambda x: x[:rows], data)

    def fit() -> int:
        x, y = cut if isinstance(cut, tuple) else (cut, None)
        model.fit(x, y, epochs=epochs, batch_size=BATCH, verbose=0)
        return epochs * rows // BATCH

    return fit


def main(epochs: int = 5, turns: int = 5) -> None:
    print(f"{'model':14}{'fit, ms a step':>16}{'by hand, ms a step':>20}{'ratio':>8}")
    for name, (model, data) in models_of_page().items():
        ways = {"fit": in_fit(model, data, epochs), "by hand": by_hand(model, data, epochs)}
        times: dict[str, list[float]] = {way: [] for way in ways}
        for way in ways.values():
            way()  # compiled
        for _ in range(turns):
            for way, run in ways.items():
                start = time.perf_counter()
                steps = run()
                times[way].append((time.perf_counter() - start) / steps * 1e3)
        fit, hand = (statistics.median(times[way]) for way in ways)
        print(f"{name:14}{fit:16.3f}{hand:20.3f}{hand / fit:8.2f}", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
