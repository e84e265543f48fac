"""The lowering of one graph: nodes become groups, loops and branches, and groups become launches of kernels.

lower_graph.py goes over the nodes; builder.py keeps where they are stored. nests.py (reductions, products), pairs.py
(products of bfloat16, two at a time), winograd.py (convolutions in tiles, by the matrices of toom_cook.py; dilated.py
rewrites dilated ones for them), surroundings.py (the zeros that convolutions need around their inputs), frames.py
(which tensors are computed into the middle of them), zeros.py (copies with zeros around for the others), group.py (what
one kernel computes) and expressions.py make groups, launches.py launches of them; scatters.py does sums of rows by
index, control.py and carries.py loops.
"""
