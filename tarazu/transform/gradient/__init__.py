"""Reverse-mode differentiation: the tape, the engine, and a rule per primitive.

tape.py is the record, notes.py the names and hooks of its nodes, vjp.py the backward pass over it. rules.py has the
table of all primitives, and most rules (elementwise, shape, index, reductions, products); control_rules.py has those of
calls, scans and branches, while_rules.py that of `while`, linalg_rules.py those of decompositions, cumulative_rules.py
that of running products. complex_rules.py adapts rules to complex numbers, graph_cache.py keeps traced gradients.
"""
