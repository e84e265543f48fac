"""EXERCISES of each lesson, the judges by number: tensors.py, low_level.py, graphs.py."""
