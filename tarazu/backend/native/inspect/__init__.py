"""What people see of native programs: their schedule as text, and the time that each step takes.

schedule_text.py is for `native_text()`. timed.py (programs that measure their steps), ticks.py (the processor's clock)
and peak.py (the machine's best rates) are for `tz.profile`. simulate.py predicts the times on many cores, machine.py
has what those cost beyond their kernels, handed_over.py what goes from one to another. work.py describes a step, for
all.
"""
