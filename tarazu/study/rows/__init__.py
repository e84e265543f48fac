"""Studies of the rows: features that give the target away, validation rows of another kind, wrong targets.

leakage.py and shift.py have the public studies; row_order.py and groups.py look at copies and numbered columns,
independence.py and two_samples.py have the tests, plain.py and transforms.py make rows plain, shown.py shows results.
"""
