"""ONNX files read: from the file to a model.

file.py reads and checks the file; functions.py writes calls of functions out; graph.py makes steps; weights.py says
which arrays are trained; model.py is the model; table.py the table of operators, which those in operators/ fill;
values.py what flows between steps; bounds.py what a model may take of memory and time.
"""
