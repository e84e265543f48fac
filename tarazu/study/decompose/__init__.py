"""Decompositions of the error of a repeated fit into noise, bias, and the variances of the sample and of the seed."""
