"""Layers over sequences, (batch, time, features)."""
