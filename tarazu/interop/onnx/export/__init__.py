"""From a model to a file of ONNX that takes any number of rows: `tz.export(model, "model.onnx")`.

to_onnx.py traces a model with three numbers of rows; merged.py makes one graph of the three, in which sizes.py has the
sizes that follow the rows. values.py is what a value is in ONNX, emitter.py writes its nodes, kernels.py knows the
dtypes that onnxruntime has them for, rules/ has a row per primitive, and rows for named calls that ONNX has operators
for. program.py runs the rows over a graph, tidied.py makes fewer nodes of them, model_file.py makes, checks and writes
the file.
"""
