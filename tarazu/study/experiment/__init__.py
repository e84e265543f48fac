"""The fits that studies are made of: a model made again and again, changed, trained, and measured row by row.

experiment.py has the fit and what it leaves, changes.py the changes to a model, remake.py makes a model again.
"""
