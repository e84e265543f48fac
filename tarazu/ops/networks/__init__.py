"""Functions that networks are built from: activations, normalization, convolution, pooling, attention, recurrence.

A file per family; recurrent_gradient.py has the gradients of recurrent.py, window_options.py the options that
convolution and pooling share, unpooling.py max pooling with indices and its inverse. The rest: linear.py, softmax.py,
embedding.py, interpolation.py, and images/, functions of images."""
