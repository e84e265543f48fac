"""Trials of remedies: an experiment's fit beside the same with one thing changed, judged by the same rows.

trials.py has fits and gains, remedies.py the table of what is changed, parts.py fits on parts of the rows.
"""
