"""Studies of the rows: features that give the target away, validation rows of another kind, wrong targets.

leakage.py looks for features that are made from the target, by the test of independence.py, of single columns and the
groups that groups.py finds; row_order.py for copies and rows in order. shift.py compares training and validation rows
by the tests of two_samples.py. label_noise.py fits models to folds and judges targets by class_noise.py and
number_noise.py. plain.py reads rows of any kind, transforms.py and ridge.py have what the tests share, shown.py
pictures and frames.
"""
