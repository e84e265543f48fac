"""Scores of predictions: of classes, of numbers, of probabilities, and what each column contributes to them.

classes.py, numbers.py, calibration.py, threshold_curves.py and importance.py, in this order."""
