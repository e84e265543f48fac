"""What computes: tensors, the interpreters that run or trace primitives, gradients, jit, random generators, devices."""
