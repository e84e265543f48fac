"""Whether all frameworks train alike: the losses of the first steps, from the same weights, on the same batch.

Run `python bench/same_start.py`, or name workloads; `--peers` and interpreters are those of `bench/training.py`. Tarazu
in float64 is the judge: how far a loss is from it, as a part of the first, is rounding, which Adam makes larger where
gradients are next to nothing. Where all is well, other losses in the tables of `bench/training.py` come from weights of
their own and the order of rows.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from networks import jitted_step, model_for
from peers import OURS, PEERS, Failure, Worker, fresh_caches, pythons_for, use_two_cores
from report import text_table
from workloads import WORKLOADS, data

import tarazu as tz

STEPS, ALLOWED = 5, 1e-4
USUAL = "torch,jax"
LIMIT = 600.0  # seconds of a framework for a step


def save_weights(name: str, file: Path) -> None:
    """Those with which `fit` begins, in the order of the parameters."""
    workload = WORKLOADS[name]._replace(rows=1)
    model, _ = model_for(workload)
    model(tz.asarray(data(workload)[0]))
    np.savez(file, *[parameter.numpy() for parameter in model.parameters()])


def exact_losses(name: str) -> list[float]:
    """Those in float64."""
    workload = WORKLOADS[name]._replace(rows=WORKLOADS[name].batch)
    (x, y), (model, optimizer) = data(workload), model_for(workload)
    model(tz.asarray(x[:1]))
    model.astype("float64")
    x = x.astype("float64") if x.dtype == "float32" else x
    step = jitted_step(model, optimizer)
    return [float(step(tz.asarray(x), tz.asarray(y))) for _ in range(STEPS)]


def losses(name: str, pythons: Mapping[str, str | None]) -> dict[str, list[float] | str]:
    """Of each framework the losses of the first steps, or why there are none."""
    found: dict[str, list[float] | str] = {}
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "weights.npz"
        save_weights(name, weights)
        settings = {**fresh_caches(folder), "BENCH_WEIGHTS": str(weights), "BENCH_ROWS": str(WORKLOADS[name].batch)}
        for peer, python in pythons.items():
            if PEERS[peer].has(WORKLOADS[name].kind):
                found[peer] = _losses(Worker(PEERS[peer], python, name, settings)) if python else "not installed"
    return found


def _losses(worker: Worker) -> list[float] | str:
    try:
        return [worker.train(1, within=LIMIT)["loss"] for _ in range(STEPS)]
    except Failure as failure:
        return f"failed: {failure}"
    finally:
        worker.stop()


def apart(found: Sequence[float], exact: Sequence[float]) -> float:
    """The largest difference, as a part of the first loss."""
    return max(abs(a - b) for a, b in zip(found, exact, strict=True)) / abs(exact[0])


def describe(name: str, exact: Sequence[float], found: Mapping[str, list[float] | str]) -> str:
    """A table of the losses, and how far they are from the exact ones."""
    rows = [["Tarazu in float64", *[f"{loss:.6f}" for loss in exact], ""]]
    for peer, said in found.items():
        if isinstance(said, str):
            rows.append([PEERS[peer].label, *["-"] * STEPS, said])
        else:
            off = apart(said, exact)
            rows.append([PEERS[peer].label, *[f"{loss:.6f}" for loss in said],
                         f"{off:.1e}{'' if off <= ALLOWED else f' (over {ALLOWED:g})'}"])
    return text_table([name, *[f"step {1 + i}" for i in range(STEPS)], "apart"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", metavar="workload", help=f"of {', '.join(WORKLOADS)}; all of them")
    parser.add_argument("--peers", default=USUAL, help=f"with commas; {USUAL}")
    given = parser.parse_args()
    use_two_cores()
    pythons = pythons_for([OURS, *given.peers.split(",")])
    for name in given.workloads or WORKLOADS:
        print(describe(name, exact_losses(name), losses(name, pythons)), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
