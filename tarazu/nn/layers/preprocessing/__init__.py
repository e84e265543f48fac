"""Layers that learn from the data before training, by `adapt`, and are saved with the model.

normalization of features, text_vectorization by the ways of splitting; batches is what they adapt to.
"""
