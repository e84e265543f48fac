"""The kernels of a training step that take the most time, by `tz.profile`, and what limits them."""

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
    header = ["kernels that take the most", "ms", "share", "calls", "GF/s", "of peak", "GB/s", "of peak", "limited by"]
    rest = ", ".join(f"{kind} {share:.1%}" for kind, share in found["rest"].items())
    title = f"a step: {found['milliseconds']:.3g} ms, of which outside of kernels: {rest}"
    return "\n".join([title, text_table(header, map(_row, worst(found["kernels"])))])


def worst(kernels: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(kernels, key=lambda kernel: -kernel["seconds"])[:WORST]


def limit(kernel: dict[str, Any]) -> str:
    """The peak that the kernel is closest to, unless it is far below both; caches move more than memory can."""
    moves = "caches" if kernel["bytes_share"] > 1 else "memory"
    shares = {"products": kernel["flops_share"], moves: kernel["bytes_share"]}
    peak = max(shares, key=lambda name: shares[name])
    return peak if shares[peak] >= LIMITED else "neither"


def _row(kernel: dict[str, Any]) -> list[str]:
    return [f"{kernel['name']} {kernel['what']}", f"{kernel['seconds'] * 1e3:.3g}", f"{kernel['share']:.1%}",
            str(kernel["calls"]), f"{kernel['gflops']:.1f}", f"{kernel['flops_share']:.0%}",
            f"{kernel['gigabytes']:.1f}", f"{kernel['bytes_share']:.0%}", limit(kernel)]
