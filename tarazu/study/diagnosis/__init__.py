"""The diagnosis: evidence from studies of an experiment, weighed into probabilities of causes."""
