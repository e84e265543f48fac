"""Layers, a file for each family; `checks` of inputs are shared.

dense, activation, normalization, regularization (dropout), reshaping, and sequential, which calls others in order;
embedding (integers, positions, table columns), recurrent, attention, transformer; spatial/ has convolution, pooling,
resizing and what else works on sequences, images and volumes.
"""
