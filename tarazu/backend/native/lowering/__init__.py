"""From graphs to the steps of a program (steps.py): launches of nests of loops, calls of NumPy, loops and branches.

region/ lowers one graph. Before it: prepare.py (rewrites), materialize.py (which nodes get memory, with costs.py).
After it: joined_sums.py (neighbors that reduce the same elements), order.py (when weights are updated), in_place.py
(what is written where something else lies), triangles.py (what a causal mask hides). What it is made of: nodes.py and
primitives.py (what a node is and becomes), loop_nest.py (nests), index_map.py (indices), buffers.py (memory and views
of it). trampoline.py lets recursive functions go as deep as a graph does.
"""
