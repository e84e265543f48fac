"""Functions into functions: gradients, batching. Each is an engine of one screen and a table of rules."""

from tarazu.transform import batch_rules as _batch_rules
from tarazu.transform import vjp_rules as _vjp_rules  # both fill their tables

__all__: list[str] = []
del _batch_rules, _vjp_rules
