"""Formulas that all backends share: philox (random bits) and polygamma."""
