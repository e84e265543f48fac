"""Decompositions of the loss of a repeated fit into noise, bias, and the variances of the sample and of the seed.

additive.py has the squared loss and the cross-entropy, zero_one.py the 0-1 loss, row by row from arrays of predictions;
decomposition.py their means, with the intervals of estimates.py. bias_variance.py is the study: fits.py makes its fits,
predictions.py reads their outputs, chart.py draws.
"""
