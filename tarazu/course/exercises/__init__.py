"""EXERCISES of each lesson, the judges by number: tensors.py."""
