"""Damages of files that others read or write too: Keras, ONNX, StableHLO."""

KERAS = {}
ONNX = {}
STABLEHLO = {}
