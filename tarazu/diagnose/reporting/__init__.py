"""Reporting: a self-contained HTML page about a run (report.py); page.py is the frame that all pages share.

panels.py has what the page shows of predictions, plots.py its data and score_charts.py its pictures; word.py is the
word in its foot. rate_chart.py is the picture of a search for a learning rate.
"""
