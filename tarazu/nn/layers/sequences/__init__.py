"""Layers over sequences, (batch, time, features).

attention has MultiHeadAttention, whose masks are made by masks and whose memory of earlier steps is key_value_cache;
simple_attention has attention without projections, transformer layers of encoders and decoders, positions what tells
steps apart, embedding vectors for integers.
"""
