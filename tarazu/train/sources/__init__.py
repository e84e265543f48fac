"""Where batches come from: rows in memory (rows.py) or streams (stream.py, with reader.py), put together in chunks.

inputs.py decides which of the two it is, and holds out validation rows; datasets.py asks a `tz.data.Dataset` for
either. reading.py makes a tree of arrays (arrays.py) of what users pass, numbers.py checks each array, class_weights.py
weighs rows by their classes, precision_loss.py warns of what float32 would lose. chunk.py is a chunk, pace.py says how
many steps it has.
"""
