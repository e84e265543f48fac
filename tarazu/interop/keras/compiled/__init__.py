"""What `compile` was told in Keras, and how far training had come.

compiling reads the optimizer, with losses (and metrics) beside it; penalties are the regularizers of layers;
optimizer_state is what the optimizer knew of earlier steps.
"""
