"""Callbacks: objects that `fit` notifies, those of our own among them."""
