"""Training with Tarazu's `model.fit` on XLA: its CPU device, or the one that BENCH_DEVICE names ("gpu")."""

from __future__ import annotations

import os

from serve import serve
from tarazu_fit import prepare

import tarazu as tz

if __name__ == "__main__":
    tz.default_device(os.environ.get("BENCH_DEVICE", "xla"))
    serve(prepare)
