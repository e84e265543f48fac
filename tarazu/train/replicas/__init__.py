"""Several trainings of one model, which differ in weights, seeds and rows, as replicas of one program.

cost.py says for which models that is known to give the same and to be faster, rows.py gives each replica batches of its
own rows, training.py trains and predicts, fits.py does what `fit` does after each epoch: validation, history, the
weights of the best epoch.
"""
