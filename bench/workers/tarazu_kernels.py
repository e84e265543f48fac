"""The kernels of one jitted step of training, as `tz.profile` has them; those of one name together."""

from __future__ import annotations

from typing import Any

from networks import jitted_step, model_for
from serve import Train, serve
from workloads import Workload, data

import tarazu as tz
from tarazu.runtime.profile import PYTHON, THREADS, WAITING, Profile, Row

SECONDS, WIDTH = 2.0, 60  # of measuring; letters of what a kernel does


def prepare(workload: Workload) -> Train:
    x, y = map(tz.tensor, data(workload._replace(rows=workload.batch)))
    model, optimizer = model_for(workload)
    model(x)
    step = jitted_step(model, optimizer)
    return lambda _: described(tz.profile(step, x, y, seconds=SECONDS))


def described(profile: Profile) -> dict[str, Any]:
    """The kernels, and the shares of what is none."""
    kernels: dict[str, list[Row]] = {}
    rest = {row.kind: row.share for row in profile.rows if row.kind in (WAITING, THREADS, PYTHON)}
    for row in profile.rows:
        if row.kind not in rest and row.seconds:
            kernels.setdefault(row.name, []).append(row)
    return {"milliseconds": profile.seconds * 1e3, "rest": rest, "kernels": [*map(together, kernels.values())]}


def together(rows: list[Row]) -> dict[str, Any]:
    """Rates are those of all calls; shares of peaks those of the machine with the threads that take part."""
    seconds, peak = sum(row.seconds for row in rows), rows[0].peak
    gflops, gigabytes = (sum(sizes) / seconds / 1e9 for sizes in
                         ([row.flops for row in rows], [row.bytes for row in rows]))
    return {"name": rows[0].name, "what": rows[0].what[:WIDTH], "calls": sum(row.calls for row in rows),
            "seconds": seconds, "share": sum(row.share for row in rows), "gflops": gflops, "gigabytes": gigabytes,
            "flops_share": gflops / peak.gflops if peak else 0.0,
            "bytes_share": gigabytes / peak.gigabytes if peak else 0.0}


if __name__ == "__main__":
    serve(prepare)
