"""The most memory that a worker has held."""

from __future__ import annotations

import sys


def peak() -> int:
    """Bytes on the device where the framework counts them, else of the process; 0 where neither is known."""
    torch, jax = sys.modules.get("torch"), sys.modules.get("jax")
    if torch and torch.cuda.is_initialized():
        return torch.cuda.max_memory_allocated()
    counted = jax and jax.local_devices()[0].memory_stats()
    return counted["peak_bytes_in_use"] if counted else of_process()


def of_process() -> int:
    """Bytes at most so far; 0 where that is not known."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
