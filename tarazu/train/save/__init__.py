"""Models and tensors on disk: save, load, StableHLO.

saving.py writes the folder of a model, loading.py reads it and checks its format (`read_description`); the JSON in it
comes from structure.py (layers), content.py (values), names.py (classes and functions), differences.py (what changed
after construction), training.py (what `compile` was told) and checked.py (a trial before anything is written).
tensor_file.py has tensors, weights.py the weights alone. export.py writes StableHLO, and has what all of `tz.export`
begins with; first_process.py lets process 0 write.
"""
