"""EXERCISES of each lesson, the judges by number: overfitting.py, tensors.py.

Those of comparing pages: keras.py, lightning.py, pytorch.py, tensorflow.py.
"""
