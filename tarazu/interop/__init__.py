"""Models of other frameworks and in other formats.

files.py is `tz.load`, which tells formats apart; keras/ reads models that Keras saved.
"""
