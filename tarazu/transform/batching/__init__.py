"""Batching (vmap): the engine, and a rule per primitive.

engine.py batches a graph, node by node. rules.py has the table of all primitives, and most rules; contract_rules.py has
those of products, convolutions and `solve`, control_rules.py those of calls, loops and branches, gradient_rules.py that
of a gradient which a call brings.
"""
