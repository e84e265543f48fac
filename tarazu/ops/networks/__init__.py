"""Functions that networks are built from: activations, normalization, convolution, pooling, attention, recurrence."""
