"""Weights of torch's layers in Tarazu's and back, matched by names, or by position and shape.

In the order in which a state goes through it: state.py reads states and files, shards.py several files of one state,
units.py puts tensors of a state together that belong to one layer, attention_names.py has the names that layers of
attention go by; slots.py lists the layers of a model, flattened.py finds those behind a `Flatten`, kinds.py is the
table of layers, layouts.py how a tensor here becomes one of torch; matching.py decides which layer is which, misses.py
says why one is none, report.py what went where; load.py and export.py are what users call.
"""
