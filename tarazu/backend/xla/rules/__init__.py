"""What each primitive is in JAX: one row per primitive, written in JAX's public API.

table.py joins the rows and runs graphs by them. The families: elementwise, special (functions that XLA lacks), shape,
reduce (sorts too), index, contract (convolutions and Fourier too), linalg, random_bits, control. bounds.py lets bounded
loops raise.
"""
