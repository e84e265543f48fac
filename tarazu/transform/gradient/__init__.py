"""Reverse-mode differentiation: the tape, the engine, and a rule per primitive."""
