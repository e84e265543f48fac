"""Compiled functions: one trace and one program per signature, checked by guards at each call."""
