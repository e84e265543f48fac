"""Functions into functions: gradients and batching, each an engine and a table with a rule per primitive."""

from tarazu.transform.gradient import rules as _  # fills the table of gradients; the first vmap fills that of batching

__all__: list[str] = []
