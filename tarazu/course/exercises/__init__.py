"""EXERCISES of each lesson, the judges by number: high_level.py, low_level.py, overfitting.py and tensors.py."""
