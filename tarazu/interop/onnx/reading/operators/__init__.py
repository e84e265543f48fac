"""The functions of ONNX's operators, by family; importing them fills the table.

arrays/ has what works on any array: elements, shapes, indices, reductions, control flow; networks/ what networks are
made of.
"""

from tarazu.interop.onnx.reading.operators import arrays, networks
from tarazu.interop.onnx.reading.table import TABLE

__all__ = ["TABLE", "arrays", "networks"]
