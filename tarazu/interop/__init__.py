"""Models of other frameworks and in other formats.

files.py is `tz.load`, which tells formats apart; imported.py a model of steps that another framework described; onnx/
has ONNX.
"""
