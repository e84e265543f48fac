"""Models that Keras 3 saved, `.keras` files, as Tarazu models.

archive (the zip and its JSON) and saved_weights (the HDF5 part) read files that nobody needs to trust; reading is what
`tz.load` calls. model makes the model of a config, functional the graph of layers, calls the arguments of their calls.
options is one layer's config while it is read, layers/ has a function for each layer class, merging and operations what
is no layer here, activations the functions, own_layers what `tz.nn` lacks. compiled/ is for what `compile` was told,
and for the state of the optimizer.
"""
