"""Scalar functions as machine instructions: what each elementwise primitive does to registers.

elementwise.py is the table of primitives. Its rows: arithmetic.py, casts.py, half.py (float16 and bfloat16), and the
functions of mathematics, which formulas.py lists: exponential, logarithm, power, trigonometry, gamma. They are written
with number.py (registers with operators) and functions.py (outlining, slow paths, the C library).
"""
