"""Trials of remedies: a fit beside the same with one thing changed, judged by the same rows.

remedies.py is the table of what is changed, trials.py makes the fits and gains of them, parts.py fits halves and
quarters of the rows, measured_advice.py puts gains into the verdict on a run, chart.py draws gains.
"""
