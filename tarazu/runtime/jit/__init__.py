"""Compiled functions: one trace and one program for each signature, which is looked up at each call.

What a call does: `Jit.match` (jit.py) makes a key of its arguments: nesting, shapes, dtypes, whether they are tracked,
Python values. Of what was compiled for that key, `Compiled.match` (compiled.py) tests the guards, the attributes that
were read, and what was captured from outside. Where nothing fits, `trace_call` (traced_call.py) traces the function,
unless one that reaches the like of it was traced before: shared_traces.py keeps traces, likeness.py says what is alike.
`Compiled.run` then runs the program and updates the handles that the function changes, which input_source.py finds;
captured_types.py tests types.
repeated.py is the short way for calls with another array and all else as it was.
signature_text.py and captured_names.py are for messages, attribute_values.py and frozen_draws.py for warnings of
Python values that became constants, kept_tensors.py of tensors that stay outside without values; exported.py holds
programs that were read from files.
"""
