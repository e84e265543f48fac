"""The fits that studies are made of.

remake.py makes a compiled model again with new weights; changes.py changes it: wider, deeper, regularized, at another
rate; experiment.py repeats a fit with other seeds, rows and changes, and gives the loss of each row; groups.py says
which of several fits train as replicas of one program; targets.py refuses targets that are all the same.
"""
