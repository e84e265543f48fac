"""Layers, a file for each family; `checks` of inputs are shared.

dense, convolution, pooling, normalization, regularization (dropout), activation, reshaping, and sequential, which calls
others in order; sequences/ has those over time, preprocessing/ those that learn from data before training.
"""
