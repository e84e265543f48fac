"""The XLA backend: graphs compiled by JAX for CPUs, GPUs and TPUs."""

from tarazu.backend.xla.backend import BACKEND

__all__ = ["BACKEND"]
