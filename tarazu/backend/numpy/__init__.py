"""The definition: graphs interpreted node by node in NumPy. Other backends are compared with it; it is never optimised."""

from tarazu.backend.numpy.program import BACKEND, evaluate

__all__ = ["BACKEND", "evaluate"]
