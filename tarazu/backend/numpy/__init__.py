"""The definition: graphs interpreted node by node in NumPy. Other backends are measured by it; it is not optimized."""

from tarazu.backend.numpy.program import BACKEND, evaluate

__all__ = ["BACKEND", "evaluate"]
