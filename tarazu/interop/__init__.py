"""Models of other frameworks and in other formats.

files.py is `tz.load` and `tz.export`, which tell formats apart; onnx/ is ONNX; imported.py a model of steps that
another framework described.
"""
