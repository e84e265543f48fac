"""Curves of the loss: against the number of rows, the capacity of the model, and the epochs.

learning_curve.py retrains on fewer rows, and power_law.py carries the curve on. capacity_curve.py retrains models of
other sizes, which capacities.py makes, or of any setting. epoch_curve.py reads
the losses of all epochs of a few fits. descents.py looks for the best positions of a curve, and for
a second descent. estimates.py has the points of curves:
losses of several fits with intervals. fits.py makes the fits with a progress bar, and chart.py draws.
"""
