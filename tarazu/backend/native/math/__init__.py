"""Scalar functions as machine instructions: what each elementwise primitive does to registers."""
