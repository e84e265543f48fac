"""Type rules: shape and dtype of the result of each primitive. Which rule a primitive has is in ir/op.py.

elementwise; shape (reshape, transpose, slice, pad, concat, iota, ...); along_axes (reductions, running sums, sorts,
Fourier); index (gather, scatter); contract (dot); convolution; linalg; control (call, scan, while, cond); checks (what
the rules share).
"""
