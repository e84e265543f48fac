"""Layers around a layer whose weight is computed of other tensors in each call.

reparametrized (what they share), weight_norm (length and direction), spectral_norm (divided by the largest singular
value).
"""
