"""The data of the interactive pages, computed by Tarazu: python docs/interactive/compute.py [five_dots decision curves]

It writes data/NAME.json beside this file, which build.py puts into the pages. Same seeds, same data, up to rounding.
All of it takes some ten minutes on two busy cores.
"""

from __future__ import annotations

import base64
import itertools
import json
import multiprocessing
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

import tarazu as tz

DATA = Path(__file__).parent / "data"
DOTS, NEW_DOTS = ({"x": x[:, 0].astype(float).round(1).tolist(), "y": y.astype(float).round(1).tolist()}
                  for x, y in (part.in_memory() for part in tz.data.load("five_dots")))
PARAMETERS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]

# The network on two moons.
AXES = {"noise": [0.1, 0.25, 0.4], "rows": [40, 120, 400], "width": [2, 8, 64], "dropout": [0.0, 0.4],
        "decay": [0.0, 1.0]}
EDGE, SIDE, EPOCHS = (2.4, 1.8), 32, 100

# The curves: networks of one hidden layer for numbers of four features, with noise.
CURVES = {"noise": [0.1, 0.5, 1.0], "rows": [20, 40, 80, 160, 320], "width": [1, 2, 4, 16, 64]}
STEPS, BATCH, NEW_ROWS = 960, 5, 400


def five_dots(parameters: int) -> dict[str, Any]:
    """A polynomial of so many parameters, fitted to the five dots by gradient descent from zeros."""
    model = tz.nn.Sequential(tz.nn.Dense(1, bias=False, kernel_initializer="zeros"))
    model.compile(tz.optim.SGD(lr=0.2, momentum=0.9), "mse")
    new = terms(NEW_DOTS["x"], parameters), np.array(NEW_DOTS["y"])
    history = model.fit(terms(DOTS["x"], parameters), np.array(DOTS["y"]), validation_data=new, epochs=300, seed=0,
                        callbacks=[tz.train.KeepBest(restore=False)], verbose=0)
    errors = [model.evaluate(terms(part["x"], parameters), part["y"])["loss"] for part in (DOTS, NEW_DOTS)]
    curve = model.predict(terms(np.linspace(0.8, 5.2, 89), parameters))[:, 0]
    return {"parameters": parameters, "errors": rounded(errors, 2), "curve": rounded(curve, 2),
            "verdict": history.verdict.headline}


def terms(x: Any, parameters: int) -> np.ndarray:
    """The first polynomials of Legendre."""
    return np.polynomial.legendre.legvander((np.asarray(x) - 3) / 2, parameters - 1).astype("float32")


def moons(rows: int, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two half circles, one for each class, with noise."""
    random = np.random.default_rng(seed)
    y, angle = np.arange(rows) % 2, random.uniform(0, np.pi, rows)
    x = np.stack([np.where(y == 0, np.cos(angle), 1 - np.cos(angle)),
                  np.where(y == 0, np.sin(angle), 0.5 - np.sin(angle))], axis=1) - [0.5, 0.25]
    return (x + noise * random.normal(size=x.shape)).astype("float32"), y


def decision(noise: float, rows: int, width: int, dropout: float, decay: float) -> dict[str, Any]:
    """One fit of the network: its surface, a byte for each of 32 x 32 places, its curves and its verdict."""
    layers = [layer for _ in range(2) for layer in (tz.nn.Dense(width, "relu"), tz.nn.Dropout(dropout))]
    tz.random.seed(1)
    model = tz.nn.Sequential(*layers, tz.nn.Dense(2))
    model.compile(tz.optim.AdamW(lr=0.01, weight_decay=decay), "cross_entropy", metrics=["accuracy"])
    x, y = moons(rows, noise, seed=0)
    history = model.fit(x, y, validation_data=moons(400, noise, seed=1), epochs=EPOCHS, batch_size=20, seed=0,
                        callbacks=[tz.train.KeepBest(restore=False)], verbose=0)
    places = np.stack(np.meshgrid(np.linspace(-EDGE[0], EDGE[0], SIDE), np.linspace(EDGE[1], -EDGE[1], SIDE)), axis=-1)
    logits = np.asarray(model.predict(places.reshape(-1, 2).astype("float32")), dtype=float)
    share = 1 / (1 + np.exp(np.clip(logits[:, 0] - logits[:, 1], -50, 50)))
    epochs = history.history
    curves = {name: rounded(np.asarray(epochs[name])[1::2], 3) for name in ("loss", "val_loss")}
    verdict = history.verdict
    return {"surface": base64.b64encode(np.round(255 * share).astype(np.uint8).tobytes()).decode(), **curves,
            "accuracy": rounded([model.evaluate(*part)["accuracy"] for part in ((x, y), moons(400, noise, seed=1))], 3),
            "verdict": verdict.name, "headline": verdict.headline.partition(": ")[2],
            "evidence": [finding.evidence for finding in verdict.findings], "advice": list(verdict.advice)}


def waves(rows: int, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of four features, of which two matter: sin(1.5 a) + b / 2, with noise of this standard deviation."""
    random = np.random.default_rng(seed)
    x = random.uniform(-2, 2, (rows, 4))
    return x.astype("float32"), np.sin(1.5 * x[:, 0]) + 0.5 * x[:, 1] + noise * random.normal(size=rows)


def network(width: int) -> Any:
    """A network of one hidden layer, for one number."""
    model = tz.nn.Sequential(tz.nn.Dense(width, "tanh"), tz.nn.Dense(1))
    return model.compile(tz.optim.Adam(lr=0.02), "mse")


def learning(noise: float, width: int) -> dict[str, Any]:
    """Mean losses over the number of rows, and the loss of twice the most rows where they follow a power law."""
    most = CURVES["rows"][-1]
    found = tz.study.learning_curve(lambda: network(width), *waves(most, noise, 0), draws=3, seed=0, batch_size=BATCH,
                                    validation_data=waves(NEW_ROWS, noise, 1), epochs=STEPS * BATCH // most,
                                    sizes=CURVES["rows"])
    forecast = found.predict(2 * most).mean if found.kind == "power law" else None
    return {"train": rounded([point.loss.mean for point in found.points], 4),
            "val": rounded([point.val_loss.mean for point in found.points], 4),
            "forecast": forecast and round(float(forecast), 4)}


def capacity(noise: float, rows: int) -> dict[str, Any]:
    """Bias and variance over the width, of networks for so many rows."""
    found = tz.study.bias_variance(network, *waves(2 * rows, noise, 0), validation_data=waves(NEW_ROWS, noise, 1),
                                   epochs=STEPS * BATCH // rows, batch_size=BATCH, rounds=2, settings=CURVES["width"],
                                   noise=noise**2, seed=0)
    losses = [point.loss for point in found.points]
    return {"bias": rounded([loss.bias.mean for loss in losses], 4),
            "variance": rounded([loss.sample_variance.mean + loss.seed_variance.mean for loss in losses], 4)}


def rounded(values: Iterable[float], digits: int) -> list[float]:
    return [round(float(value), digits) for value in values]


def settings(axes: dict[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """All combinations of the axes, the last one changing first."""
    return (dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values()))


def with_table(fits: list[dict[str, Any]]) -> dict[str, Any]:
    """The fits, with sentences as places in a table of them: most are said often."""
    sentences = sorted({line for fit in fits for line in fit["advice"]})
    for fit in fits:
        fit["advice"] = [sentences.index(line) for line in fit["advice"]]
    return {"axes": AXES, "edge": EDGE, "side": SIDE, "epochs": EPOCHS, "sentences": sentences, "fits": fits,
            "dots": {f"{noise} {rows}": rounded(moons(rows, noise, 0)[0].ravel(), 2)
                     for noise in AXES["noise"] for rows in AXES["rows"]}}


def call(task: tuple[str, dict[str, Any]]) -> Any:
    name, arguments = task
    return globals()[name](**arguments)


def computed(name: str, axes: dict[str, list[Any]]) -> list[Any]:
    """What the function of this name gives for each setting, by two processes."""
    tasks = [(name, one) for one in settings(axes)]
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        return list(track(pool.map(call, tasks), description=name, total=len(tasks)))


def write(name: str, content: Any) -> None:
    DATA.mkdir(exist_ok=True)
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    (DATA / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def main(names: list[str]) -> None:
    """Compute and write the data of the pages of these names."""
    if "five_dots" in names:
        write("five_dots", {"dots": DOTS, "new_dots": NEW_DOTS,
                            "fits": computed("five_dots", {"parameters": PARAMETERS})})
    if "decision" in names:
        write("decision", with_table(computed("decision", AXES)))
    if "curves" in names:
        noise, rows, width = ({name: CURVES[name]} for name in CURVES)
        write("curves", {"axes": CURVES, "steps": STEPS, "new_rows": NEW_ROWS,
                         "learning": computed("learning", noise | width),
                         "capacity": computed("capacity", noise | rows)})


if __name__ == "__main__":
    main(sys.argv[1:] or ["five_dots", "decision", "curves"])
