"""Tensors: the handle that users hold, its operators, how it is made, and what it shares with other libraries.

tensor.py is the class, with what it inherits from operators.py (with deferred.py: methods imported at their first use),
compat.py (the names of other frameworks, with detached.py for `.data`) and dlpack.py (with namespace.py: the array API
standard). creation.py makes tensors of data, foreign.py reads arrays of other libraries. row_table.py has tensors of
any number of rows, variable.py is TensorFlow's `Variable`.
"""
