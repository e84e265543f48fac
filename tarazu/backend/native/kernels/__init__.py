"""From one launch to the LLVM IR of its kernel.

kernels.py chooses the kernel of each launch, after batches.py has said what are the items of neighbors around batches
of products and row_blocks.py has cut large ones into blocks. elementwise_kernel.py, reduction_kernel.py and
contraction.py write those of nests of loops, special/ the others. A contraction (a product) is put in normal form by
contraction_form.py, divided by contraction_choice.py, and written with tile_code.py, packing.py and amx/ (tiles that
are multiplied as matrices). What they share: kernel.py (a kernel, and a call of one), loops.py, merge_axes.py,
expression.py (the instructions of expressions).
"""
