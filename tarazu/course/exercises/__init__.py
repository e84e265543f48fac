"""EXERCISES of each lesson, the judges by number.

bias_variance.py, graphs.py, high_level.py, keras.py, lightning.py, low_level.py, mixing.py, overfitting.py,
pytorch.py, tensorflow.py, tensors.py and tricks.py, by the names of the lessons.
"""
