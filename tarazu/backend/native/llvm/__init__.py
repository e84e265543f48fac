"""LLVM: its IR as text, the processor that code is made for, object code in memory."""
