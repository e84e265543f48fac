"""Functions that make a `Dataset` of what lies on disk, images.py and text.py, and of series: timeseries.py.

folders.py finds the files in folders, and their classes.
"""
