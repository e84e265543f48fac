"""What networks are made of: activations, normalization, convolution, pooling, recurrence, attention."""
