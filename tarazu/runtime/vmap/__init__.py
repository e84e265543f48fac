"""Functions of one example as functions of many (vmap.py), and several copies of a model as one program (replicas.py).

A function is traced for one lane (lane_trace.py), and transform/batching makes the graph of all lanes of it.
lane_axes.py reads `in_axes` and `out_axes`.
"""
