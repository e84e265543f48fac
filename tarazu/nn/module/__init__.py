"""The base classes of layers and models, `Module` (module.py) and `LastAxisLayer` (last_axis.py), and the parts of
`Module`.

arguments (of the constructor), parameter, by_path (the error for a path at which nothing is), loaded (a state that fits
in part), trainable (compile, fit, evaluate, predict, save), moving (to devices), summary, mode (a block in training or
evaluation mode), observers (a block that is told of each call), masks (how those over time go from call to call),
masked (tensors that carry them), error_path (the layer in which an error was raised).
"""
