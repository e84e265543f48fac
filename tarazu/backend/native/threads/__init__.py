"""Threads that run one program together: starting, waiting, sleeping.

thread_count.py says on how many threads a program runs; pool.py has the helper threads; barrier.py is the native code
by which threads wait for each other, and helpers for programs; sleep.py that by which they sleep. Where a program has
barriers is decided in schedule/emit.py.
"""
