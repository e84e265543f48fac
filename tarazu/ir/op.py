"""The closed list of primitives: every row a name, a category and a type rule. All other operations compose them.

Whatever runs or transforms primitives (NumPy kernels, gradients, batching, ...) is a table with one row per primitive
of `ALL`; a test compares them.
"""

from __future__ import annotations

from tarazu.ir.type_rules import along_axes, contract, control, elementwise, index, linalg, shape
from tarazu.ir.type_rules.checks import ANY, BITS, FLOAT, NUMBER, REAL, Rule
from tarazu.ir.type_rules.convolution import convolution


class Op:
    """A primitive; `multiple` is whether it has several results. Each is one object, and equal to no other."""

    __slots__ = ("category", "multiple", "name", "rule")

    def __init__(self, name: str, category: str, rule: Rule, *, multiple: bool = False) -> None:
        self.name, self.category, self.rule, self.multiple = name, category, rule, multiple
        ALL.append(self)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    @property
    def is_elementwise(self) -> bool:
        return self.category == "elementwise"


ALL: list[Op] = []


def _elementwise(name: str, rule: Rule) -> Op:
    return Op(name, "elementwise", rule)


def _map(name: str, kinds: tuple[str, ...]) -> Op:
    return _elementwise(name, elementwise.elementwise(kinds))


def _compare(name: str, kinds: tuple[str, ...]) -> Op:
    return _elementwise(name, elementwise.comparison(kinds))


# Elementwise, one input
NEG = _map("neg", NUMBER)
ABS = _elementwise("abs", elementwise.absolute)
SIGN = _map("sign", NUMBER)
FLOOR = _map("floor", ("float",))
CEIL = _map("ceil", ("float",))
ROUND = _map("round", FLOAT)  # halves to the even neighbor; both parts of a complex number
TRUNC = _map("trunc", ("float",))
SQRT = _map("sqrt", FLOAT)
EXP = _map("exp", FLOAT)
EXPM1 = _map("expm1", FLOAT)
LOG = _map("log", FLOAT)
LOG1P = _map("log1p", FLOAT)
SIN = _map("sin", FLOAT)
COS = _map("cos", FLOAT)
TAN = _map("tan", FLOAT)
ASIN = _map("asin", FLOAT)
ACOS = _map("acos", FLOAT)
ATAN = _map("atan", FLOAT)
SINH = _map("sinh", FLOAT)
COSH = _map("cosh", FLOAT)
TANH = _map("tanh", FLOAT)
ASINH = _map("asinh", FLOAT)
ACOSH = _map("acosh", FLOAT)
ATANH = _map("atanh", FLOAT)
SIGMOID = _map("sigmoid", ("float",))  # not composed: the gradient of 1 / (1 + exp(-x)) is inf * 0 far out
ERF = _map("erf", ("float",))
LGAMMA = _map("lgamma", ("float",))
POLYGAMMA = _elementwise("polygamma", elementwise.polygamma)
NOT = _map("not", BITS)
CONJ = _map("conj", ("complex",))  # not composed: real - 1j * imag makes nan of an infinite part
IMAG = _elementwise("imag", elementwise.complex_part)  # the real part is a cast

# Elementwise, two inputs
ADD = _map("add", NUMBER)
SUB = _map("sub", NUMBER)
MUL = _map("mul", NUMBER)
DIV = _map("div", FLOAT)
FLOOR_DIVIDE = _map("floor_divide", REAL)
REMAINDER = _map("remainder", REAL)  # with the sign of the divisor
POW = _map("pow", NUMBER)
ATAN2 = _map("atan2", ("float",))
MAXIMUM = _map("maximum", (*REAL, "bool"))
MINIMUM = _map("minimum", (*REAL, "bool"))
EQUAL = _compare("equal", ANY)
NOT_EQUAL = _compare("not_equal", ANY)
LESS = _compare("less", (*REAL, "bool"))
LESS_EQUAL = _compare("less_equal", (*REAL, "bool"))
GREATER = _compare("greater", (*REAL, "bool"))
GREATER_EQUAL = _compare("greater_equal", (*REAL, "bool"))
AND = _map("and", BITS)
OR = _map("or", BITS)
XOR = _map("xor", BITS)
SHIFT_LEFT = _map("shift_left", ("int", "uint"))
SHIFT_RIGHT = _map("shift_right", ("int", "uint"))  # keeps the sign of signed integers

# Elementwise, the rest
WHERE = _elementwise("where", elementwise.where)
CAST = _elementwise("cast", elementwise.cast)
BITCAST = _elementwise("bitcast", elementwise.bitcast)
STOP_GRADIENT = _elementwise("stop_gradient", elementwise.same)

# Shape
RESHAPE = Op("reshape", "shape", shape.reshape)
TRANSPOSE = Op("transpose", "shape", shape.transpose)
BROADCAST = Op("broadcast", "shape", shape.broadcast)
SLICE = Op("slice", "shape", shape.slice_)
PAD = Op("pad", "shape", shape.pad)  # inputs: the tensor and the scalar to pad with
CONCAT = Op("concat", "shape", shape.concat)
FLIP = Op("flip", "shape", shape.flip)
IOTA = Op("iota", "shape", shape.iota)
# The same values on a device, or divided over a mesh. Not composed: no other primitive moves a value.
PLACE = Op("place", "shape", shape.place)

# Index. `axes` are indexed by integer tensors that broadcast together; their shape comes first in the result, then the
# other axes. Indices from -size to size - 1; NumPy raises for others, compiled backends clamp them.
GATHER = Op("gather", "index", index.gather)
SCATTER_ADD = Op("scatter_add", "index", index.scatter)
SCATTER_SET = Op("scatter_set", "index", index.scatter)
SCATTERS = frozenset({SCATTER_ADD, SCATTER_SET})

# Reduce
SUM = Op("sum", "reduce", along_axes.reduction(NUMBER))
PROD = Op("prod", "reduce", along_axes.reduction(NUMBER))
MAX = Op("max", "reduce", along_axes.reduction((*REAL, "bool"), needs_elements=True))
MIN = Op("min", "reduce", along_axes.reduction((*REAL, "bool"), needs_elements=True))
ANY_TRUE = Op("any", "reduce", along_axes.reduction(("bool",)))
ALL_TRUE = Op("all", "reduce", along_axes.reduction(("bool",)))
ARGMAX = Op("argmax", "reduce", along_axes.arg_reduction)  # the first of equal ones
ARGMIN = Op("argmin", "reduce", along_axes.arg_reduction)
CUMSUM = Op("cumsum", "reduce", along_axes.cumulative(NUMBER))
CUMPROD = Op("cumprod", "reduce", along_axes.cumulative(NUMBER))  # not composed: products in other order overflow

# Contract: the result has the batch axes, then the free axes of the first, then those of the second
DOT = Op("dot", "contract", contract.dot)
# Channels last. Not composed of slices and DOT: that would be a node per element of the window, forward and back, and
# backends have kernels for the whole. `dilation_input` and negative padding make its gradients the same primitive.
CONV = Op("conv", "contract", convolution)
PRODUCTS = frozenset({DOT, CONV})

# Fourier, over complex elements; "backward" is the conjugate transform, not scaled. Composed of DOT it would take n * n
FFT = Op("fft", "contract", along_axes.fft)

# Linalg: matrices in the last two axes. Not composed: loops over elements with branches, which LAPACK has at hand.
# `solve` gives inverses and triangular solutions too, and is what all their gradients need.
CHOLESKY = Op("cholesky", "linalg", linalg.cholesky)
QR = Op("qr", "linalg", linalg.qr, multiple=True)
EIGH = Op("eigh", "linalg", linalg.eigh, multiple=True)
EIG = Op("eig", "linalg", linalg.eig, multiple=True)  # of matrices that are not symmetric; its results are complex
SVD = Op("svd", "linalg", linalg.svd, multiple=True)
SLOGDET = Op("slogdet", "linalg", linalg.slogdet, multiple=True)  # no other primitive gives the sign
SOLVE = Op("solve", "linalg", linalg.solve)

# Sort: ascending and stable, NaN last; gives values and indices
SORT = Op("sort", "sort", along_axes.sort, multiple=True)

# Random: Philox 4x32-10 of the state (two key words, two words that count the draws)
RANDOM_BITS = Op("random_bits", "random", shape.random_bits)

# Control: `call` runs a named graph (a composite or a jitted function), `cond` one of two: a choice by `where` computes
# both, and an infinite gradient of the one not taken would make nan of the other's. `barrier` gives its inputs, but
# computations before and after it are never shared, and all of its inputs are there before any of its results.
CALL = Op("call", "control", control.call, multiple=True)
SCAN = Op("scan", "control", control.scan, multiple=True)
WHILE = Op("while", "control", control.while_, multiple=True)
COND = Op("cond", "control", control.cond, multiple=True)
BARRIER = Op("barrier", "control", control.barrier, multiple=True)
