"""What `compile` was told in Keras, and how far training had come.

compiling reads the optimizer, with losses (and metrics) beside it; penalties are the regularizers of layers;
own_optimizers are those that tz.optim has not; optimizer_state is what the optimizer knew of earlier steps.
"""
