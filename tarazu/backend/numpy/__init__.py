"""The reference backend: graphs run node by node in NumPy. The tests compare the other backends with it.

Its kernels (kernels.py) also compute what runs eagerly.
"""

from tarazu.backend.numpy.program import BACKEND, evaluate

__all__ = ["BACKEND", "evaluate"]
