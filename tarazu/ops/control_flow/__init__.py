"""Loops and branches that a trace keeps as one operation."""
