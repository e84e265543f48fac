"""Curves of the loss: against the number of rows, the capacity of the model, and the epochs.

learning_curve.py retrains on fewer rows, and power_law.py carries the curve on. estimates.py has the points of curves:
losses of several fits with intervals. fits.py makes the fits with a progress bar, and chart.py draws.
"""
