"""Measuring: per-sample losses and curves in, numbers with their intervals out; nothing here judges.

measure.py makes all measurements of a run, with bootstrap.py (intervals) and curves.py (trend, noise and jumps over
epochs). trivial.py has the losses of the best prediction that looks at no input, shift.py compares the means of two
sets of rows.
"""
