"""Elements by position: indexing, searching, sorting, sets, windows."""
