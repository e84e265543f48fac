"""The lowering of one graph: nodes become groups, loops and branches, and groups become launches of kernels.

lower_graph.py goes over the nodes; builder.py keeps where they are stored. nests.py (reductions, products), pairs.py
(products of bfloat16, two at a time), convolutions/ (their tiles and the zeros around their inputs), group.py (what one
kernel computes) and expressions.py make groups, launches.py launches of them; scatters.py does sums of rows by index,
control.py and carries.py loops.
"""
