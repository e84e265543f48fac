"""LLVM: its IR as text, the processor that code is made for, object code in memory.

types.py and values.py are the types and values of IR, function.py writes modules and functions, target.py describes the
processor, permission.py asks the system for a part of it, assemble.py makes and loads object code.
"""
