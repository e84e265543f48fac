"""The intermediate representation: the primitives, graphs of them, and what reads and rewrites graphs.

op (the list of primitives) and type_rules/ (shape and dtype of their results); types; node and structure (graphs as
passes use them) and graph (as users see them); interpreter (`bind`, by which operations reach what runs them); origin
(where in the user's program a node was made). Passes over graphs: verify, rewrite (simplification), unread (dead code
in scans), cost (operations and bytes), text and draw/ (for people).
"""
