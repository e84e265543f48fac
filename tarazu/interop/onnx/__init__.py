"""ONNX, the format of models that most frameworks and runtimes share.

export/ writes it, reading/ is `tz.load` of its files.
"""
