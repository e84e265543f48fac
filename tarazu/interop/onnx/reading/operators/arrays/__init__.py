"""Operators on any array.

elements.py computes each element for itself, types.py changes types, shapes.py and cutting.py shapes, indices.py and
scattering.py pick and put elements, reductions.py joins them, generators.py makes arrays, sequences.py has lists and
optional values, control_flow.py branches and loops.
"""

from tarazu.interop.onnx.reading.operators.arrays import (
    control_flow,
    cutting,
    elements,
    generators,
    indices,
    reductions,
    scattering,
    sequences,
    shapes,
    types,
)

__all__ = ["control_flow", "cutting", "elements", "generators", "indices", "reductions", "scattering", "sequences",
           "shapes", "types"]
