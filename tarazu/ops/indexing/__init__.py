"""Elements by position: index.py (gather, scatter, assignment), key.py (the key in x[key]), scatter (along an axis),
segments (reductions by segment), searching, sorting, sets, diagonals, differences, windows.
"""
