"""Layers that learn from the data before training, by `adapt`, and are saved with the model.

normalization of features, text_vectorization by the ways of splitting, lookup of categories by a vocabulary, categories
as vectors, by bins and by hashes. batches is what they adapt to, options are checks.
"""
