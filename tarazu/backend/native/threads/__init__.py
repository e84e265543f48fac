"""Threads that run one program together: starting, waiting, sleeping."""
