"""Cross-validation: a model is trained on the rows outside of each fold, and scored on those in it.

cross_validate.py is `cross_validate`, result.py what it gives, chart.py its picture. folds.py deals the rows, models.py
builds the models of the folds and checks that they share nothing, callbacks.py finds the callbacks of each, ranges.py
has the ranges of scores; together.py trains small models as replicas of one program.
"""
