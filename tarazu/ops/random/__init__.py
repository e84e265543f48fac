"""Random numbers as functions of a generator state: bits.py, with distributions.py and counts.py on top of it."""
