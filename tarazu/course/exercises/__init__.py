"""EXERCISES of each lesson, the judges by number: keras.py, lightning.py, pytorch.py, tensorflow.py, tensors.py."""
