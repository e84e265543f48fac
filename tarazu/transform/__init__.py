"""Functions into functions: gradients, batching. Each is an engine of one screen and a table of rules."""

from tarazu.transform.gradient import (
    rules as _vjp_rules,  # fills its table; that of batching is filled by the first vmap
)

__all__: list[str] = []
del _vjp_rules
