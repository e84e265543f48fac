"""Operators that networks are made of.

contractions.py has products, convolution.py convolutions, pooling.py pools, windows.py the options of both,
normalization.py norms and softmax, recurrent.py recurrent layers, resize.py and images.py images, signal.py spectra,
quantization.py whole numbers in place of floats, attention.py attention, trees.py trees and n-grams.
"""

from tarazu.interop.onnx.reading.operators.networks import (
    attention,
    contractions,
    convolution,
    images,
    normalization,
    pooling,
    quantization,
    recurrent,
    resize,
    signal,
    trees,
    windows,
)

__all__ = ["attention", "contractions", "convolution", "images", "normalization", "pooling", "quantization",
           "recurrent", "resize", "signal", "trees", "windows"]
