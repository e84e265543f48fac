"""From steps to a program: runs (runs.py), where buffers lie (memory_plan.py), and the text of the whole (emit.py).

work_sharing.py says how threads share the items of a step, and when two accesses conflict; emit.py puts the barriers,
and pending.py has the accesses since the last one.
"""
