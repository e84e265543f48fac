"""Functions that make a `Dataset` of what lies on disk: images.py, text.py; and of series: timeseries.py."""
