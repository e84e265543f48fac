"""Elements by position: index.py (gather, scatter, assignment), key.py (the key in x[key]), searching, sorting, sets,
windows."""
