"""Products of bfloat16 by the tiles of AMX, registers of two dimensions that are multiplied as matrices.

operations.py writes single instructions, block.py the sums of a block of 2 x 2 tiles with them, packed_rows.py the copy
of a left factor whose rows do not suit them, costs.py says how long all that takes. contraction_choice.py chooses them
like tiles of vectors.
"""
