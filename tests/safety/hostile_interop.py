"""Damages of files that others read or write too: Keras, ONNX, StableHLO."""

from damages import BYTES, PLACES

KERAS = {**BYTES, **PLACES}
ONNX = {**BYTES, **PLACES}
STABLEHLO = {**BYTES, **PLACES}
