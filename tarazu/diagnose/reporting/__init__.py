"""Reporting: a self-contained HTML page about a run, with its charts as SVG."""
