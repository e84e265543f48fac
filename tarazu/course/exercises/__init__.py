"""EXERCISES of each lesson, the judges by number: bias_variance.py, overfitting.py, tensors.py."""
