"""Training in JAX with `lax.scan` over an epoch, also where a loop of steps is faster (see jax_jit.py)."""

from __future__ import annotations

import functools

from jax_jit import prepare
from serve import serve

if __name__ == "__main__":
    serve(functools.partial(prepare, always_scan=True))
