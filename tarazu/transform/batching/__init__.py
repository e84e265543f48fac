"""Batching (vmap): the engine, and a rule per primitive."""
