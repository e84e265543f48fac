"""How each layer class of Keras becomes a layer of Tarazu: functions of its `Options`, by family.

core (dense, embeddings, activations, shapes, dropout), convolution (and pooling, padding, resizing), normalization,
recurrent, attention, preprocessing (of numbers, and augmentation of images); table has them all by name.
"""
