"""Random numbers as functions of a generator state: bits.py, and distributions.py on top of it."""
