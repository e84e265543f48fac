"""Layers over sequences, images and volumes, channels last: (batch, time, features), (batch, height, width, channels),
(batch, depth, height, width, channels).

convolution; transposed (convolutions that enlarge); separable (depthwise convolutions, and those followed by one that
mixes channels); pooling (over windows, and into a given number of parts); global_pooling (over all); resizing; padding
(which also crops); pixel_shuffle (channels into pixels and back).
"""
