"""The XLA backend: graphs compiled by JAX for CPUs, GPUs and TPUs.

backend.py is what the rest of Tarazu sees of it; program.py lets JAX compile graphs and single primitives, by the rows
of rules/; devices.py puts arrays on devices and meshes; processes.py joins several processes; precision.py computes
half types in float32; export.py writes and reads programs.
"""

from tarazu.backend.xla.backend import BACKEND

__all__ = ["BACKEND"]
