"""The report of a run: a page with charts."""
