"""Layers that learn from the data before training, by `adapt`, and are saved with the model.

normalization of features; batches is what they adapt to.
"""
