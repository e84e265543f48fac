"""The reference backend: graphs run node by node in NumPy. The tests compare the other backends with it.

Its kernels also compute what runs eagerly. kernels.py has one for each primitive, those of convolution, linalg, philox
(random bits) and special (functions that NumPy lacks) among them; program.py runs graphs, and adds the kernels of
calls, loops and branches; quiet.py turns floating-point warnings off.
"""

from tarazu.backend.numpy.program import BACKEND, evaluate
from tarazu.backend.numpy.quiet import quietly

__all__ = ["BACKEND", "evaluate", "quietly"]
