"""ONNX: models read from its files.

reading/ is `tz.load` of an ONNX file.
"""
