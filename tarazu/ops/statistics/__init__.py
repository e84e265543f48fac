"""Statistics of the elements of a tensor.

averages.py has weighted means, moments and ranges, missing.py the reductions that leave out nan, quantiles.py what a
sorted axis says, running.py cumulative maxima and the like, counts.py bins and histograms, dependence.py covariances
and correlations.
"""
