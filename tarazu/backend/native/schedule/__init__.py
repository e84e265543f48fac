"""From steps to a program: runs, the memory plan, shares of threads, barriers, and the text of the whole."""
