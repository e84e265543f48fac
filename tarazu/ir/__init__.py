"""The intermediate representation: the primitives, graphs of them, and what reads and rewrites graphs."""
