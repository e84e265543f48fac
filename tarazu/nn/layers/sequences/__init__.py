"""Layers over sequences, (batch, time, features).

recurrent has LSTM, GRU, SimpleRNN and RNN, bidirectional both directions, cells single steps; recurrent_weights and
time_loop are what these share. masks says which steps have values, and how layers learn of it.

attention has MultiHeadAttention, whose masks are joined in attention_masks and whose memory of earlier steps is
key_value_cache; simple_attention has attention without projections, transformer layers of encoders and decoders,
positions what tells steps apart, embedding vectors for integers.
"""
