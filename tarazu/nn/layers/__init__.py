"""Layers, a file for each family; `checks` of inputs are shared.

dense, embedding (integers, positions, table columns), convolution, pooling, attention, transformer, normalization,
regularization (dropout), activation, reshaping, and sequential, which calls others in order; sequences/ has recurrent
layers, preprocessing/ those that learn from data before training.
"""
