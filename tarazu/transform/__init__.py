"""Transformations of functions: gradient/ and batching/, each an engine and a table with a rule per primitive.

custom.py has calls that bring their own gradient: `custom_vjp` and `checkpoint`; typing.py the types in signatures.
"""

from tarazu.transform.gradient import rules as _  # fills the table of gradients; the first vmap fills that of batching

__all__: list[str] = []
