"""What messages say of names that are not there.

foreign_names.py has the names of torch, Keras, TensorFlow and NumPy, and what stands for each here; missing.py makes
the errors. The tables are imported when such a message is made.
"""
