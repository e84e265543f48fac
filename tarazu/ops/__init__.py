"""What users call: functions of tensors, each a few primitives put together.

typing.py has the types in signatures, promote.py brings what users pass to one dtype, placement.py to one device.
create.py makes tensors; elementwise/ has functions of single elements, shape.py other arrangements, splitting.py parts
of tensors, reduce.py reductions, statistics/ averages, quantiles and counts, contract.py and einsum.py products,
indexing/ elements by position, control_flow/ loops and branches, random/ random numbers, networks/ what networks are
built from. linalg/ and fft/ are extensions of the array API standard, dtype_functions.py its functions of dtypes.
"""
