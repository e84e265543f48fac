"""Primitives that ONNX lacks, each with the reason."""

from __future__ import annotations

from tarazu.ir import op as ops
from tarazu.ir.op import Op

_NO_COMPLEX = "ONNX's operators take no complex numbers"
_NO_DECOMPOSITION = "ONNX has no decompositions of matrices, nor solutions of linear systems"
REASONS: dict[Op, str] = {
    ops.LGAMMA: "ONNX has no gamma function",
    ops.POLYGAMMA: "ONNX has no gamma function",
    ops.CONJ: _NO_COMPLEX,
    ops.IMAG: _NO_COMPLEX,
    ops.BITCAST: "ONNX reads no bits as another dtype before opset 26",
    ops.FFT: _NO_COMPLEX,
    ops.CHOLESKY: _NO_DECOMPOSITION,
    ops.QR: _NO_DECOMPOSITION,
    ops.EIGH: _NO_DECOMPOSITION,
    ops.EIG: _NO_DECOMPOSITION,
    ops.SVD: _NO_DECOMPOSITION,
    ops.SLOGDET: _NO_DECOMPOSITION,
    ops.SOLVE: _NO_DECOMPOSITION,
    ops.RANDOM_BITS: "ONNX's random numbers are others in each runtime; put the model into evaluation mode",
}
