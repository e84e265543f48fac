"""Trials of remedies: an experiment's fit beside the same with one thing changed, judged by the same rows."""
