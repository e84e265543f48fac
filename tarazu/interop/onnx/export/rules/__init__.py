"""What each primitive is in ONNX: one row per primitive, or the reason why ONNX has none.

A row takes the emitter, the type of the result, the inputs, and the attributes. table.py joins the rows. The families:
elementwise, real_functions (what ONNX or onnxruntime lacks, composed), shape, reduce (sorts too), index, contract,
convolution, control, refused. named.py has rows for named calls that ONNX has operators for, pooling.py those of
windows, attention.py that of calls with several results.
"""
