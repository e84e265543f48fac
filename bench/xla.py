"""What our layer above XLA costs: `fit` on XLA beside a `lax.scan` over an epoch that was written by hand in JAX.

Run `python bench/xla.py`, or name workloads; the aim is at most 1.1 times the time. `python bench/xla.py parallel`
trains over devices and over processes instead, and says how far their losses are from those of one device. Both need
JAX. BENCH_DEVICE=gpu measures on a GPU, which JAX then takes by itself.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys

import epochs
from peers import HERE, PEERS, SCAN, XLA, environment, machine, python_for, use_two_cores
from report import seconds, text_table
from workloads import SMALLER, WORKLOADS

AIM, LOOP, PARALLEL = 1.1, "jax", "parallel"
RUNS = [  # a title, layout of workers/parallel_fit.py, devices of each process, processes
    ("1 device", "one", 1, 1), *[(f"{n} devices, data-parallel", "data", n, 1) for n in (2, 4, 8)],
    ("8 devices, data=2, model=4", "tensor", 8, 1), *[(f"{n} processes", "data", 1, n) for n in (2, 4)]]


def compare(names: list[str], rounds: int) -> None:
    """Seconds per epoch of `fit` and of the scan; for the CNN also of a loop of jitted steps, which beats the scan."""
    python = python_for("jax")
    print(machine({XLA: python}), flush=True)
    rows = []
    for name in names:
        peers = [XLA, SCAN, *([LOOP] if WORKLOADS[name].kind == "cnn" else [])]
        found = epochs.measure(name, dict.fromkeys(peers, python), rounds)
        if failed := [f"{PEERS[peer].label}: {found[peer].failure}" for peer in peers if found[peer].failure]:
            print(f"{name}: {'; '.join(failed)}", flush=True)
            continue
        ours = found[XLA]
        for peer in peers[1:]:
            ratio, least = ours.epoch / found[peer].epoch, ours.least / found[peer].least
            rows.append([name, PEERS[peer].label, seconds(ours.epoch), seconds(found[peer].epoch), f"{ratio:.2f}",
                         f"{least:.2f}", "met" if ratio <= AIM else "not met"])
            print(*rows[-1], flush=True)
    header = ["", "against", "fit, s/epoch", "peer, s/epoch", "ratio", "of least times", f"aim {AIM}"]
    print(text_table(header, rows))


def run_parallel(layout: str, devices: int, processes: int) -> dict:
    """What process 0 of a run printed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = []
    for index in range(processes):
        place = {"TARAZU_COORDINATOR": f"127.0.0.1:{port}", "TARAZU_PROCESSES": str(processes),
                 "TARAZU_PROCESS": str(index)} if processes > 1 else {}
        settings = environment(JAX_NUM_CPU_DEVICES=str(devices), JAX_PLATFORMS="cpu", **place)
        started.append(subprocess.Popen([sys.executable, str(HERE / "workers/parallel_fit.py"), layout], env=settings,
                                        stdout=subprocess.PIPE, text=True))
    said = [process.communicate()[0] for process in started]
    return json.loads(said[0].splitlines()[-1])


def parallel() -> None:
    """A table of runs over devices and processes; one that fails shows its error and has no line."""
    rows, expected = [], []
    for title, layout, devices, processes in RUNS:
        try:
            found = run_parallel(layout, devices, processes)
        except (IndexError, json.JSONDecodeError):
            print(f"{title}: failed", flush=True)
            continue
        expected = expected or found["losses"]
        apart = max(abs(loss / other - 1) for loss, other in zip(found["losses"], expected, strict=True))
        rows.append([title, f"{apart:.1e}", f"{found['rows_per_second']:,.0f}"])
        print(*rows[-1], sep=" | ", flush=True)
    print(text_table(["", "loss apart by at most, relative", "rows per second"], rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", metavar="workload",
                        help=f"of {', '.join(WORKLOADS)}; {', '.join(SMALLER)}; or {PARALLEL}")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    if unknown := {*given.workloads} - {*WORKLOADS, PARALLEL}:
        parser.error(f"{', '.join(sorted(unknown))}: not among {', '.join([*WORKLOADS, PARALLEL])}")
    if not os.environ.get("BENCH_DEVICE"):
        os.environ["JAX_PLATFORMS"] = "cpu"
    use_two_cores()
    if PARALLEL in given.workloads:
        parallel()
    if names := [name for name in given.workloads or SMALLER if name != PARALLEL]:
        compare(names, given.rounds)


if __name__ == "__main__":
    main()
