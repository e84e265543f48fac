"""From graphs to the steps of a program: launches of nests of loops, calls of NumPy, loops and branches."""
