"""ONNX, the format of models that most frameworks and runtimes share.

export/ writes it.
"""
