"""Tarazu on a GPU beside torch eager, torch.compile and JAX by hand: one command of at most 8 minutes.

Run `python bench/gpu.py` where JAX, torch and NumPy are; Tarazu itself need not be installed. It compares the op table
on the device with NumPy, trains the workloads of `bench/training.py` in float32 (of all its digits) and in mixed
precision, prints a table, and writes gpu.json after each measurement, so that what it has stays where it is stopped.
Each part has a share of the time that is left, in which float32 and eager torch come first; what fails, or is too slow,
stands in the table with its error.
`--device cpu` tries all this without a GPU.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from gpu_found import Found
from gpu_parts import check_op_table, train
from peers import XLA, fresh_caches, machine, python_for, use_two_cores
from workloads import WORKLOADS

PEERS_BESIDE = {XLA: "jax", "torch": "torch", "jax": "jax", "compile": "torch"}  # and the library of each
PRECISIONS = ("float32", "bfloat16")
NAMES = {"gpt2": 2.0, "resnet18": 1.5, "mlp128": 1.0, "lstm": 1.0, "gpt": 1.0, "unet": 1.2, "vit": 1.2,
         "separable": 1.2, "transformer": 1.0, "cnn_same": 0.8, "wavenet": 1.0, "bags": 0.8,
         "mlp32": 0.8}  # shares of the time, the most telling first, without those whose like is there
SECONDS, TO_END, OF_OP_TABLE = 470.0, 10.0, 0.18  # of all, what is left for the end, the op table's share
OP_TABLE = "ops"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="part",
                        help=f"of {', '.join([OP_TABLE, *WORKLOADS])}; {', '.join([OP_TABLE, *NAMES])}")
    parser.add_argument("--device", choices=("gpu", "cpu"), default="gpu")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"for everything; {SECONDS:g}")
    parser.add_argument("--rows", type=int, help="of each workload")
    parser.add_argument("--precisions", default=",".join(PRECISIONS), help="of " + ", ".join(PRECISIONS))
    parser.add_argument("--out", type=Path, default=Path("gpu.json"))
    found = parser.parse_args()
    found.parts, found.precisions = found.parts or [OP_TABLE, *NAMES], found.precisions.split(",")
    if unknown := {*found.parts, *found.precisions} - {OP_TABLE, *WORKLOADS, *PRECISIONS}:
        parser.error(f"{', '.join(sorted(unknown))}: neither a part nor a precision")
    return found


def main() -> None:
    given, start = arguments(), time.perf_counter()
    end = start + given.seconds - TO_END
    if given.device == "cpu":
        use_two_cores()
    known = {library: python_for(library) for library in {*PEERS_BESIDE.values()}}
    pythons = {peer: known[library] for peer, library in PEERS_BESIDE.items()}
    found = Found(machine(pythons), given.device)
    print(found.machine, flush=True)
    trained = [name for name in given.parts if name != OP_TABLE]
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(fresh_caches(folder))

        def write() -> None:
            found.write(given.out)

        write()
        if OP_TABLE in given.parts:
            whole = end if not trained else time.perf_counter() + OF_OP_TABLE * (end - time.perf_counter())
            check_op_table(found, pythons[XLA], whole, write)
        for i, name in enumerate(trained):
            now, shares = time.perf_counter(), [NAMES.get(other, 1.0) for other in trained[i:]]
            part_end = now + (end - now) * shares[0] / sum(shares)
            train(found, name, given.precisions, pythons, given.rows, part_end, write)
            print(f"{name}: {time.perf_counter() - start:.0f} s", flush=True)
    print(found.table())
    print(f"{given.out}, {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
