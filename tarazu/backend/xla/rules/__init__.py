"""One row per primitive, written in the public API of JAX, by family; table.py joins them."""
