"""Functions into functions: gradients. Each transformation is an engine of one screen and a table of rules."""

from tarazu.transform import vjp_rules as _vjp_rules  # fills the table

__all__: list[str] = []
del _vjp_rules
