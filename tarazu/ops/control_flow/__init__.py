"""Loops (loops.py) and branches (branch.py) that a trace keeps as one operation, and scans in a tree (associative.py).

composite.py makes a function a named call in graphs, with a gradient of its own; bodies.py traces the functions, and
gradient_flow.py says through which results gradients can flow.
"""
