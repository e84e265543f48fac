"""This process as one of several that train together, for those who import from `runtime`; `backend/xla` has it."""

from tarazu.backend.xla.processes import count, from_first, index, is_first, leave, wait

__all__ = ["count", "from_first", "index", "is_first", "leave", "wait"]
