"""EXERCISES of each lesson, the judges by number: overfitting.py, tensors.py."""
