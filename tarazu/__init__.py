"""Tarazu: neural networks in two levels that mix freely, and a verdict after every fit.

>>> import tarazu as tz
>>> w = tz.tensor([3.0, 4.0], requires_grad=True)
>>> (w * w).sum().sqrt().backward()
>>> w.grad
Tensor([0.6, 0.8], dtype=float32)

The packages, in the order in which data pass through them; each imports from those above it only, as
tests/test_layout.py says, with one exception for types (docs/design.md, section 1):

    base/       errors, dtypes, devices, nested containers, checks; knows nothing of the rest
    ir/         the intermediate representation: op.py, the closed list of primitives; their type rules; nodes and
                graphs; the interpreter protocol, by which operations reach whatever runs them; rewrites; drawings
    ops/        what users call, composed of primitives: elementwise, shapes, reductions, indexing, linear algebra,
                random numbers, control flow, and what networks are made of
    transform/  gradient/: the tape, the backward pass, a rule per primitive; batching/: an engine and rules for vmap
    backend/    what runs graphs: numpy/ (the definition), native/ (machine code for the CPU), xla/ (GPU, TPU, many
                devices and processes, through JAX)
    runtime/    tensors; eager.py and trace/, the two interpreters; autograd/, jit/, vmap/, random/, augment/; devices
    nn/         module/: the base of layers and models; layers/ by family; losses, initializers
    optim/      optimizers: chains of transformations of gradients; schedules
    data/       datasets of samples and batches; tables, their encoders, scalers and splits: NumPy in and out
    picture/    what is to be drawn, as data; drawn as SVG or by matplotlib
    record/     what a run leaves behind as plain data: history, findings, verdict
    diagnose/   measuring/ (arrays to numbers), judging/ (a history to a verdict), reporting/ (a page)
    train/      loop.py, which is `fit`; sources/ (batches), trainer/ (the compiled step, the run), callbacks/, save/
    draw/       `tz.draw`: pictures of predictions, of what is in a model, and of what its outputs rest on
    interop/    models of other frameworks and formats; files.py is `tz.load`, `tz.export`
    study/      experiments that retrain: curves, bias and variance, looks at rows; why a fit generalizes as it does
    tabular/    fitting.py, from a table to a judged model in one call; scores, report page, run folders
    serve/      saved models behind HTTP
    sklearn/    estimators for scikit-learn
    course/     checks of the course's exercises, quizzes, labs, in English and Punjabi
    cli/        the `tarazu` command

linalg.py and fft.py stand for ops/linalg and ops/fft, random.py for runtime/random, so that `from tarazu.linalg import
inv` works as `tz.linalg.inv` does.

docs/design.md says why, and has a glossary.
"""

from __future__ import annotations

import importlib
import math as _math
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from tarazu import transform as _transform  # the gradient table
from tarazu.base.dtypes import (
    DType,
    bfloat16,
    complex64,
    complex128,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    promote,
    uint8,
    uint16,
    uint32,
    uint64,
)
from tarazu.base.dtypes import bool_ as bool
from tarazu.base.errors import TarazuError, TraceWarning
from tarazu.base.hints.missing import imported_when_asked as _imported_when_asked
from tarazu.base.version import __version__
from tarazu.ir.interpreter import install as _install
from tarazu.ops.contract import matmul, outer, tensordot
from tarazu.ops.control_flow.branch import cond, switch
from tarazu.ops.control_flow.loops import fori_loop, map, scan, while_loop
from tarazu.ops.create import (
    arange,
    empty,
    empty_like,
    eye,
    full,
    full_like,
    geomspace,
    linspace,
    logspace,
    meshgrid,
    one_hot,
    ones_like,
    tril,
    triu,
    zeros_like,
)
from tarazu.ops.dtype_functions import can_cast, finfo, iinfo, isdtype, result_type
from tarazu.ops.elementwise.arithmetic import (
    abs,
    add,
    ceil,
    clip,
    divide,
    floor,
    floor_divide,
    maximum,
    minimum,
    multiply,
    negative,
    positive,
    pow,
    reciprocal,
    remainder,
    round,
    rsqrt,
    sign,
    sqrt,
    square,
    subtract,
    trunc,
)
from tarazu.ops.elementwise.bitwise import (
    bitwise_and,
    bitwise_invert,
    bitwise_left_shift,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
)
from tarazu.ops.elementwise.comparison import (
    equal,
    greater,
    greater_equal,
    isclose,
    isfinite,
    isinf,
    isnan,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    not_equal,
    where,
)
from tarazu.ops.elementwise.complex import angle, conj, imag, real
from tarazu.ops.elementwise.conversion import astype, bitcast, stop_gradient
from tarazu.ops.elementwise.error_functions import erfc, erfinv, logit
from tarazu.ops.elementwise.exponential import exp, exp2, expm1, log, log1p, log2, log10, logaddexp, logaddexp2
from tarazu.ops.elementwise.floats import copysign, fmod, hypot, nextafter, signbit
from tarazu.ops.elementwise.selection import (
    divide_no_nan,
    heaviside,
    lerp,
    masked_fill,
    nan_to_num,
    saturate_cast,
)
from tarazu.ops.elementwise.special import digamma, erf, lgamma, polygamma, sigmoid, sinc
from tarazu.ops.elementwise.trigonometric import (
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cos,
    cosh,
    deg2rad,
    rad2deg,
    sin,
    sinh,
    tan,
    tanh,
)
from tarazu.ops.indexing.index import scatter_add, scatter_set, take, take_along_axis
from tarazu.ops.indexing.sorting import argpartition, argsort, in_top_k, sort, topk
from tarazu.ops.linalg.matrix import kron, vecdot
from tarazu.ops.networks.activations import (
    celu,
    elu,
    gelu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_swish,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    mish,
    relu,
    relu6,
    selu,
    silu,
    soft_shrink,
    softplus,
    softsign,
    tanh_shrink,
    threshold,
)
from tarazu.ops.networks.normalization import batch_norm, group_norm, instance_norm, layer_norm, rms_norm
from tarazu.ops.networks.softmax import log_softmax, softmax, softmin
from tarazu.ops.placement import shard
from tarazu.ops.reduce import (
    all,
    allclose,
    any,
    argmax,
    argmin,
    cumulative_prod,
    cumulative_sum,
    logsumexp,
    max,
    mean,
    min,
    prod,
    std,
    sum,
    var,
)
from tarazu.ops.shape import (
    broadcast_arrays,
    broadcast_to,
    concat,
    expand_dims,
    flatten,
    flip,
    matrix_transpose,
    moveaxis,
    permute_dims,
    reshape,
    roll,
    rot90,
    squeeze,
    stack,
    swapaxes,
    tile,
    unflatten,
    unstack,
)
from tarazu.ops.splitting import array_split, chunk, dsplit, dstack, hsplit, hstack, split, vsplit, vstack
from tarazu.runtime import random
from tarazu.runtime.autograd.autograd import enable_grad, grad, is_grad_enabled, no_grad, value_and_grad
from tarazu.runtime.collection import importing as _importing
from tarazu.runtime.device import default_device, device, devices, mesh
from tarazu.runtime.eager import Eager as _Eager
from tarazu.runtime.random.distributions import dropout, randn
from tarazu.runtime.random.shares import gumbel_softmax
from tarazu.runtime.tensor.creation import asarray, ones, tensor, zeros
from tarazu.runtime.tensor.dlpack import from_dlpack
from tarazu.runtime.tensor.namespace import __array_api_version__
from tarazu.runtime.tensor.namespace import namespace_info as __array_namespace_info__
from tarazu.runtime.tensor.tensor import Tensor

if _TYPE_CHECKING:
    from tarazu.backend.native.threads.thread_count import set_threads
    from tarazu.backend.native.winograd_tile import set_winograd
    from tarazu.interop.files import export, load
    from tarazu.ops import fft, linalg
    from tarazu.ops.control_flow.associative import associative_scan
    from tarazu.ops.einsum import einsum
    from tarazu.ops.indexing.diagonals import diag, diagflat, diagonal, tril_indices, triu_indices
    from tarazu.ops.indexing.differences import diff, trapezoid
    from tarazu.ops.indexing.scatter import index_add, index_copy, index_fill, scatter, scatter_reduce
    from tarazu.ops.indexing.searching import argwhere, count_nonzero, isin, nonzero, searchsorted, unravel_index
    from tarazu.ops.indexing.segments import segment_max, segment_min, segment_prod, segment_sum
    from tarazu.ops.indexing.sets import unique, unique_all, unique_counts, unique_inverse, unique_values
    from tarazu.ops.indexing.windows import pad, repeat, unfold
    from tarazu.ops.linalg.distances import cdist
    from tarazu.ops.linalg.similarity import cosine_similarity, normalize, pairwise_distance
    from tarazu.ops.networks.attention import scaled_dot_product_attention
    from tarazu.ops.networks.convolution import (
        conv1d,
        conv2d,
        conv3d,
        conv_transpose1d,
        conv_transpose2d,
        conv_transpose3d,
    )
    from tarazu.ops.networks.embedding import embedding
    from tarazu.ops.networks.images.color import hsv_to_rgb, rgb_to_grayscale, rgb_to_hsv
    from tarazu.ops.networks.images.filters import gaussian_blur
    from tarazu.ops.networks.images.patches import extract_patches, fold
    from tarazu.ops.networks.images.rearrange import (
        channel_shuffle,
        depth_to_space,
        pixel_shuffle,
        pixel_unshuffle,
        space_to_depth,
    )
    from tarazu.ops.networks.images.sampling import affine_grid, grid_sample, map_coordinates
    from tarazu.ops.networks.interpolation import interpolate
    from tarazu.ops.networks.linear import addmm, bilinear, linear
    from tarazu.ops.networks.pooling import adaptive_average_pool, adaptive_max_pool, average_pool, lp_pool, max_pool
    from tarazu.ops.networks.recurrent import gru, gru_cell, lstm, lstm_cell
    from tarazu.ops.networks.unpooling import max_pool_with_indices, max_unpool
    from tarazu.ops.statistics.averages import average, moments, ptp, std_mean, var_mean
    from tarazu.ops.statistics.counts import bincount, bucketize, digitize, histogram, multi_hot
    from tarazu.ops.statistics.dependence import corrcoef, cov
    from tarazu.ops.statistics.missing import (
        nanargmax,
        nanargmin,
        nancumprod,
        nancumsum,
        nanmax,
        nanmean,
        nanmin,
        nanprod,
        nanstd,
        nansum,
        nanvar,
    )
    from tarazu.ops.statistics.quantiles import (
        kthvalue,
        median,
        nanmedian,
        nanpercentile,
        nanquantile,
        percentile,
        quantile,
    )
    from tarazu.ops.statistics.running import cummax, cummin, logcumsumexp
    from tarazu.runtime.autograd.derivatives import hessian, hvp, jacobian, jvp, vjp
    from tarazu.runtime.autograd.grad_check import grad_check
    from tarazu.runtime.autograd.gradient_tape import GradientTape
    from tarazu.runtime.compile import set_backend
    from tarazu.runtime.debug import debug_nans
    from tarazu.runtime.jit.jit import jit, trace
    from tarazu.runtime.profile import profile
    from tarazu.runtime.tensor.variable import Variable
    from tarazu.runtime.vmap.replicas import replicate
    from tarazu.runtime.vmap.vmap import vmap
    from tarazu.tabular import fit_table
    from tarazu.train import cross_validate
    from tarazu.transform.custom import checkpoint, custom_vjp

__all__ = [
    "DType",
    "GradientTape",
    "TarazuError",
    "Tensor",
    "TraceWarning",
    "Variable",
    "__array_api_version__",
    "__array_namespace_info__",
    "__version__",
    "abs",
    "acos",
    "acosh",
    "adaptive_average_pool",
    "adaptive_max_pool",
    "add",
    "addmm",
    "affine_grid",
    "all",
    "allclose",
    "angle",
    "any",
    "arange",
    "argmax",
    "argmin",
    "argpartition",
    "argsort",
    "argwhere",
    "array_split",
    "asarray",
    "asin",
    "asinh",
    "associative_scan",
    "astype",
    "atan",
    "atan2",
    "atanh",
    "average",
    "average_pool",
    "batch_norm",
    "bfloat16",
    "bilinear",
    "bincount",
    "bitcast",
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "bool",
    "broadcast_arrays",
    "broadcast_to",
    "bucketize",
    "can_cast",
    "cdist",
    "ceil",
    "celu",
    "channel_shuffle",
    "checkpoint",
    "chunk",
    "clip",
    "complex64",
    "complex128",
    "concat",
    "cond",
    "conj",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "copysign",
    "corrcoef",
    "cos",
    "cosh",
    "cosine_similarity",
    "count_nonzero",
    "cov",
    "cross_validate",
    "cummax",
    "cummin",
    "cumprod",
    "cumsum",
    "cumulative_prod",
    "cumulative_sum",
    "custom_vjp",
    "data",
    "debug_nans",
    "default_device",
    "deg2rad",
    "depth_to_space",
    "device",
    "devices",
    "diag",
    "diagflat",
    "diagnose",
    "diagonal",
    "diff",
    "digamma",
    "digitize",
    "divide",
    "divide_no_nan",
    "draw",
    "dropout",
    "dsplit",
    "dstack",
    "e",
    "einsum",
    "elu",
    "embedding",
    "empty",
    "empty_like",
    "enable_grad",
    "equal",
    "erf",
    "erfc",
    "erfinv",
    "exp",
    "exp2",
    "expand_dims",
    "expm1",
    "export",
    "extract_patches",
    "eye",
    "fft",
    "finfo",
    "fit_table",
    "flatten",
    "flip",
    "float16",
    "float32",
    "float64",
    "floor",
    "floor_divide",
    "fmod",
    "fold",
    "fori_loop",
    "from_dlpack",
    "full",
    "full_like",
    "gaussian_blur",
    "gelu",
    "geomspace",
    "glu",
    "grad",
    "grad_check",
    "greater",
    "greater_equal",
    "grid_sample",
    "group_norm",
    "gru",
    "gru_cell",
    "gumbel_softmax",
    "hard_shrink",
    "hard_sigmoid",
    "hard_swish",
    "hard_tanh",
    "heaviside",
    "hessian",
    "histogram",
    "hsplit",
    "hstack",
    "hsv_to_rgb",
    "hvp",
    "hypot",
    "iinfo",
    "imag",
    "in_top_k",
    "index_add",
    "index_copy",
    "index_fill",
    "inf",
    "instance_norm",
    "int8",
    "int16",
    "int32",
    "int64",
    "interop",
    "interpolate",
    "is_grad_enabled",
    "isclose",
    "isdtype",
    "isfinite",
    "isin",
    "isinf",
    "isnan",
    "jacobian",
    "jit",
    "jvp",
    "kron",
    "kthvalue",
    "layer_norm",
    "leaky_relu",
    "lerp",
    "less",
    "less_equal",
    "lgamma",
    "linalg",
    "linear",
    "linspace",
    "load",
    "log",
    "log1p",
    "log2",
    "log10",
    "log_sigmoid",
    "log_softmax",
    "logaddexp",
    "logaddexp2",
    "logcumsumexp",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "logit",
    "logspace",
    "logsumexp",
    "lp_pool",
    "lstm",
    "lstm_cell",
    "map",
    "map_coordinates",
    "masked_fill",
    "matmul",
    "matrix_transpose",
    "max",
    "max_pool",
    "max_pool_with_indices",
    "max_unpool",
    "maximum",
    "mean",
    "median",
    "mesh",
    "meshgrid",
    "min",
    "minimum",
    "mish",
    "moments",
    "moveaxis",
    "multi_hot",
    "multiply",
    "nan",
    "nan_to_num",
    "nanargmax",
    "nanargmin",
    "nancumprod",
    "nancumsum",
    "nanmax",
    "nanmean",
    "nanmedian",
    "nanmin",
    "nanpercentile",
    "nanprod",
    "nanquantile",
    "nanstd",
    "nansum",
    "nanvar",
    "negative",
    "newaxis",
    "nextafter",
    "nn",
    "no_grad",
    "nonzero",
    "normalize",
    "not_equal",
    "one_hot",
    "ones",
    "ones_like",
    "optim",
    "outer",
    "pad",
    "pairwise_distance",
    "percentile",
    "permute_dims",
    "pi",
    "pixel_shuffle",
    "pixel_unshuffle",
    "polygamma",
    "positive",
    "pow",
    "prod",
    "profile",
    "promote",
    "ptp",
    "quantile",
    "rad2deg",
    "randn",
    "random",
    "real",
    "reciprocal",
    "record",
    "relu",
    "relu6",
    "remainder",
    "repeat",
    "replicate",
    "reshape",
    "result_type",
    "rgb_to_grayscale",
    "rgb_to_hsv",
    "rms_norm",
    "roll",
    "rot90",
    "round",
    "rsqrt",
    "saturate_cast",
    "scaled_dot_product_attention",
    "scan",
    "scatter",
    "scatter_add",
    "scatter_reduce",
    "scatter_set",
    "searchsorted",
    "segment_max",
    "segment_min",
    "segment_prod",
    "segment_sum",
    "selu",
    "serve",
    "set_backend",
    "set_threads",
    "set_winograd",
    "shard",
    "sigmoid",
    "sign",
    "signbit",
    "silu",
    "sin",
    "sinc",
    "sinh",
    "sklearn",
    "soft_shrink",
    "softmax",
    "softmin",
    "softplus",
    "softsign",
    "sort",
    "space_to_depth",
    "split",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "std_mean",
    "stop_gradient",
    "study",
    "subtract",
    "sum",
    "swapaxes",
    "switch",
    "tabular",
    "take",
    "take_along_axis",
    "tan",
    "tanh",
    "tanh_shrink",
    "tensor",
    "tensordot",
    "threshold",
    "tile",
    "topk",
    "trace",
    "train",
    "trapezoid",
    "tril",
    "tril_indices",
    "triu",
    "triu_indices",
    "trunc",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "unflatten",
    "unfold",
    "unique",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
    "unravel_index",
    "unstack",
    "value_and_grad",
    "var",
    "var_mean",
    "vecdot",
    "vjp",
    "vmap",
    "vsplit",
    "vstack",
    "where",
    "while_loop",
    "zeros",
    "zeros_like",
]

_install(_Eager())

pi, e, inf, nan = _math.pi, _math.e, _math.inf, _math.nan
newaxis = None
cumsum, cumprod = cumulative_sum, cumulative_prod
_PARTS = {"nn": "nn", "optim": "optim", "data": "data", "diagnose": "diagnose", "record": "record", "train": "train",
          "tabular": "tabular", "study": "study", "interop": "interop", "sklearn": "sklearn", "fft": "ops.fft",
          "linalg": "ops.linalg", "serve": "serve", "draw": "draw"}

# Names that are imported when they are first asked for, so that an import costs little; by module. The block for type
# checkers above says the same, and a test compares the two.
_LAZY = {
    "backend.native.threads.thread_count": "set_threads",
    "backend.native.winograd_tile": "set_winograd",
    "interop.files": "export load",
    "ops.networks.attention": "scaled_dot_product_attention",
    "ops.networks.convolution": "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d",
    "ops.einsum": "einsum",
    "ops.networks.embedding": "embedding",
    "ops.networks.images.color": "hsv_to_rgb rgb_to_grayscale rgb_to_hsv",
    "ops.networks.images.filters": "gaussian_blur",
    "ops.networks.images.patches": "extract_patches fold",
    "ops.networks.images.rearrange": "channel_shuffle depth_to_space pixel_shuffle pixel_unshuffle space_to_depth",
    "ops.networks.images.sampling": "affine_grid grid_sample map_coordinates",
    "ops.networks.interpolation": "interpolate",
    "ops.networks.linear": "addmm bilinear linear",
    "ops.networks.pooling": "adaptive_average_pool adaptive_max_pool average_pool lp_pool max_pool",
    "ops.networks.recurrent": "gru gru_cell lstm lstm_cell",
    "ops.networks.unpooling": "max_pool_with_indices max_unpool",
    "ops.linalg.similarity": "cosine_similarity normalize pairwise_distance",
    "ops.control_flow.associative": "associative_scan",
    "ops.indexing.diagonals": "diag diagflat diagonal tril_indices triu_indices",
    "ops.indexing.differences": "diff trapezoid",
    "ops.indexing.scatter": "index_add index_copy index_fill scatter scatter_reduce",
    "ops.indexing.searching": "argwhere count_nonzero isin nonzero searchsorted unravel_index",
    "ops.indexing.segments": "segment_max segment_min segment_prod segment_sum",
    "ops.indexing.sets": "unique unique_all unique_counts unique_inverse unique_values",
    "ops.indexing.windows": "pad repeat unfold",
    "ops.linalg.distances": "cdist",
    "ops.statistics.averages": "average moments ptp std_mean var_mean",
    "ops.statistics.counts": "bincount bucketize digitize histogram multi_hot",
    "ops.statistics.dependence": "corrcoef cov",
    "ops.statistics.missing": "nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmin nanprod nanstd "
                              "nansum nanvar",
    "ops.statistics.quantiles": "kthvalue median nanmedian nanpercentile nanquantile percentile quantile",
    "ops.statistics.running": "cummax cummin logcumsumexp",
    "runtime.compile": "set_backend",
    "runtime.debug": "debug_nans",
    "runtime.jit.jit": "jit trace",
    "runtime.autograd.derivatives": "hessian hvp jacobian jvp vjp",
    "runtime.autograd.grad_check": "grad_check",
    "runtime.autograd.gradient_tape": "GradientTape",
    "runtime.profile": "profile",
    "runtime.vmap.replicas": "replicate",
    "runtime.tensor.variable": "Variable",
    "runtime.vmap.vmap": "vmap",
    "transform.custom": "checkpoint custom_vjp",
    "tabular": "fit_table",
    "train": "cross_validate",
}
_find = _imported_when_asked(__name__, _LAZY)


def __getattr__(name: str) -> _Any:
    """A part, or a name of `_LAZY`."""
    if name in _PARTS:
        with _importing():
            return importlib.import_module(f"tarazu.{_PARTS[name]}")
    return _find(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_PARTS, *" ".join(_LAZY.values()).split()})
