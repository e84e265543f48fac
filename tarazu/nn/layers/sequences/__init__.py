"""Layers over sequences, (batch, time, features).

recurrent has LSTM, GRU, SimpleRNN and RNN, bidirectional both directions, cells single steps; recurrent_weights and
time_loop are what these share. masks says which steps have values, and how layers learn of it.
"""
