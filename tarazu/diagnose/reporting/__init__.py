"""Reporting: a self-contained HTML page about a run (report.py), with its charts as SVG (svg.py, axis.py).

plots.py has the data of the last chart: a confusion matrix, or predicted against true values.
"""
