"""Tracing: primitives become nodes of a graph, and what a function reads or changes outside takes part.

trace.py is the interpreter; captures.py knows the tensors from outside, guards.py the Python values on which a trace
depends (such as the training mode), attributes.py those of them that are attributes of modules and optimizers,
contents.py what is in their lists, set_attributes.py and assigned.py those that the function sets, origins.py where in
the user's program it is. substitution.py lets tensors stand in for others. shapes.py is the trace of a function that is
not to be run, to see whether it would and what comes out.
"""
