"""One row per primitive in the public API of JAX, by family."""
