"""The kernels of a training step that lose the most time, by `tz.profile`, and what limits them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from peers import OURS, PEERS, Failure, Worker
from report import text_table

WORST = 3
LIMITED = 0.7  # of a peak, from which on it is what limits
PROFILING = PEERS[OURS]._replace(worker="tarazu_kernels")


def describe(name: str, python: str) -> str:
    """A table of the worst kernels of a step of the workload `name`, or why there is none."""
    worker = Worker(PROFILING, python, name, {})
    try:
        found: dict[str, Any] = worker.train(1)
    except Failure as failure:
        return f"kernels: failed: {failure}"
    finally:
        worker.stop()
    header = ["kernels that lose the most", "ms", "share", "calls", "GF/s", "of peak", "GB/s", "of peak", "limited by"]
    title = f"a step: {found['milliseconds']:.3g} ms, of which at barriers {found['waiting']:.1%}"
    return "\n".join([title, text_table(header, map(_row, worst(found["kernels"])))])


def worst(kernels: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that take the most time beyond what they would at the peak that they are closest to."""
    return sorted(kernels, key=lambda kernel: -kernel["seconds"] * (1 - min(_closest(kernel)[1], 1)))[:WORST]


def _closest(kernel: dict[str, Any]) -> tuple[str, float]:
    """The peak, and how much of it the kernel reaches."""
    return max([("products", kernel["flops_share"]), ("memory", kernel["bytes_share"])], key=lambda found: found[1])


def _row(kernel: dict[str, Any]) -> list[str]:
    peak, share = _closest(kernel)
    limit = peak if share >= LIMITED else "neither"
    return [f"{kernel['name']} {kernel['what']}", f"{kernel['seconds'] * 1e3:.3g}", f"{kernel['share']:.1%}",
            str(kernel["calls"]), f"{kernel['gflops']:.1f}", f"{kernel['flops_share']:.0%}",
            f"{kernel['gigabytes']:.1f}", f"{kernel['bytes_share']:.0%}", limit]
