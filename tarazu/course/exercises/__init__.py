"""EXERCISES of each lesson, the judges by number.

bias_variance.py, high_level.py, low_level.py, overfitting.py and tensors.py, by the names of the lessons.
"""
