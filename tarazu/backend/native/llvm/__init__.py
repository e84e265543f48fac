"""LLVM: its IR as text, the target processor, object code."""
