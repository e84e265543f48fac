"""Layers, a file for each family; `checks` of inputs are shared.

dense, convolution, pooling, recurrent, normalization, regularization (dropout), activation, reshaping, and sequential,
which calls others in order; sequences/ has those over time.
"""
