"""Random numbers as functions of a generator state."""
