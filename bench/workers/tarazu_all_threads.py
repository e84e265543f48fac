"""Training with Tarazu's `model.fit` on all threads, also where others need the cores."""

from __future__ import annotations

from serve import serve
from tarazu_fit import prepare

from tarazu.backend.native.threads import thread_count

thread_count.CROWDED = 0.0  # no run counts as crowded

if __name__ == "__main__":
    serve(prepare)
