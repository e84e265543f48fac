"""The op table: one line per operation with what its tests need. Other suites (backends, batching) read it too.

`op(name, ...)` compares `tz.<name>` with `np.<name>`; `case(title, function, reference, ...)` any two functions.
Domains say how inputs are drawn: away from kinks, poles and ties, so that central differences hold.
"""

import math
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy import linalg, special

import tarazu as tz
from tarazu.base.device import CPU
from tarazu.base.pytree import flatten
from tarazu.ir import op as ops
from tarazu.ir.interpreter import bind
from tarazu.ops.contract import dot_general
from tarazu.ops.elementwise import bitcast
from tarazu.ops.random.bits import bits


class Domain(NamedTuple):
    """How an input is drawn; `fixed` inputs (indices, conditions) keep their dtype when a test varies it."""

    draw: Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
    fixed: bool = False


class Record(NamedTuple):
    """A line of the table."""

    name: str
    function: Callable[..., Any]
    reference: Callable[..., Any]
    domains: tuple[Domain, ...]
    shapes: tuple[tuple[tuple[int, ...], ...], ...]  # each a shape per input
    also: str  # exact in NumPy for "i"ntegers, "b"ooleans too
    orders: int  # of derivatives to check
    special: bool  # whether NaN, infinities and signed zeros give what the reference gives

    def draw(self, choice: int, dtype: Any = None) -> list[np.ndarray]:
        """Inputs of the shapes number `choice`, always the same ones; those that are not fixed cast to `dtype`."""
        rng = np.random.default_rng([zlib.crc32(self.name.encode()), choice])
        arrays = [domain.draw(rng, shape) for domain, shape in zip(self.domains, self.shapes[choice], strict=True)]
        if dtype is None:
            return arrays
        return [x if domain.fixed else cast(x, dtype) for domain, x in zip(self.domains, arrays, strict=True)]

    @property
    def differentiable(self) -> list[int]:
        """The positions of the inputs that gradients flow to."""
        return [i for i, domain in enumerate(self.domains) if not domain.fixed]


def cast(x: np.ndarray, dtype: Any) -> np.ndarray:
    """Values drawn as floats in another dtype: small whole numbers for integers, not below 0 for unsigned ones."""
    dtype = np.dtype(dtype)
    if dtype.kind in "iu":
        x = np.rint(4 * (abs(x) if dtype.kind == "u" else x))
    return (x > 0) if dtype.kind == "b" else (x + 0.5j * x).astype(dtype) if dtype.kind == "c" else x.astype(dtype)


def leaves(result: Any) -> list[Any]:
    """The tensors or arrays of a result."""
    return flatten(result)[0]


def _grid(offset: float) -> Domain:
    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        size = math.prod(shape)
        return np.reshape(0.41 * (rng.permutation(size) - size // 2) + offset + rng.uniform(0, 0.02, size), shape)
    return Domain(draw)


SPREAD = _grid(0.15)  # no two alike, none near 0, a whole or half number
OTHER = _grid(0.27)  # none near one of SPREAD
POSITIVE = Domain(lambda rng, shape: rng.uniform(0.4, 2.4, shape))
UNIT = Domain(lambda rng, shape: rng.uniform(-0.8, 0.8, shape))
ABOVE_1 = Domain(lambda rng, shape: rng.uniform(1.2, 3, shape))
BOOL = Domain(lambda rng, shape: rng.random(shape) < 0.5, fixed=True)
WHOLE = Domain(lambda rng, shape: rng.integers(-5, 6, shape), fixed=True)
SHIFT = Domain(lambda rng, shape: rng.integers(0, 6, shape), fixed=True)
STATE = Domain(lambda rng, shape: rng.integers(0, 2**32, shape, np.uint32), fixed=True)


def index(size: int) -> Domain:
    return Domain(lambda rng, shape: rng.integers(-size, size, shape), fixed=True)


def distinct_index(size: int) -> Domain:
    return Domain(lambda rng, shape: rng.permutation(size)[:math.prod(shape)].reshape(shape), fixed=True)


UNARY = ((),), ((3,),), ((2, 3),), ((0, 3),)
BINARY = ((), ()), ((3,), (3,)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((2, 3), ()), ((0, 3), (3,))
RECORDS: list[Record] = []


def case(name: str, function: Callable[..., Any], reference: Callable[..., Any], *domains: Domain, shapes: Any = None,
         also: str = "", orders: int = 2, special: bool = False) -> None:
    shapes = shapes or (UNARY, BINARY)[len(domains) - 1]
    RECORDS.append(Record(name, function, reference, domains, tuple(shapes), also, orders, special))


def op(name: str, *domains: Domain, like: Callable[..., Any] | None = None, shapes: Any = None, also: str = "",
       orders: int = 2, **options: Any) -> None:
    function, reference = getattr(tz, name), like or getattr(np, name)
    title = name + "".join(f" {key}={value}" for key, value in options.items())
    theirs = {} if like else options
    case(title, lambda *xs: function(*xs, **options), lambda *xs: reference(*xs, **theirs), *domains, shapes=shapes,
         also=also, orders=orders, special=shapes is None)


# Element by element, one input
op("negative", SPREAD, also="i")
op("positive", SPREAD, also="i")
op("abs", SPREAD, also="i")
op("sign", SPREAD, also="i")
op("floor", SPREAD, also="i")
op("ceil", SPREAD, also="i")
op("round", SPREAD, also="i")
for _decimals, _unit in ((1, 0.1), (-1, 10.0)):  # a fifth above what they are rounded to
    op("round", Domain(lambda rng, shape, unit=_unit: (np.rint(SPREAD.draw(rng, shape) / 0.4) + 0.2) * unit), also="i",
       decimals=_decimals)
op("trunc", SPREAD, also="i")
op("sqrt", POSITIVE, orders=3)
op("rsqrt", POSITIVE, like=lambda x: 1 / np.sqrt(x))
op("square", SPREAD, also="i")
op("exp", UNIT, orders=3)
op("exp2", UNIT)
op("expm1", UNIT)
op("log", POSITIVE, orders=3)
op("log1p", POSITIVE)
op("log2", POSITIVE)
op("log10", POSITIVE)
op("sin", SPREAD, orders=3)
op("cos", SPREAD)
op("tan", UNIT)
op("asin", UNIT)
op("acos", UNIT)
op("atan", SPREAD)
op("sinh", UNIT)
op("cosh", UNIT)
op("tanh", SPREAD, orders=3)
op("asinh", SPREAD)
op("acosh", ABOVE_1)
op("deg2rad", SPREAD, shapes=[((3,),)])
op("rad2deg", SPREAD, shapes=[((3,),)])
op("atanh", UNIT)
op("sigmoid", SPREAD, like=special.expit, orders=3)
op("erf", UNIT, like=special.erf)
op("erfc", SPREAD, like=special.erfc)
op("erfinv", UNIT, like=special.erfinv, shapes=[((2, 3),)], orders=3)
op("logit", Domain(lambda rng, shape: rng.uniform(0.1, 0.9, shape)), like=special.logit)
op("sinc", SPREAD, shapes=[((3,),)])
op("sinc", Domain(lambda rng, shape: rng.uniform(-0.08, 0.08, shape)), shapes=[((3,),)], orders=3)
op("lgamma", POSITIVE, like=special.gammaln, shapes=UNARY)
op("digamma", POSITIVE, like=special.digamma)
case("polygamma 0", lambda x: tz.polygamma(0, x), lambda x: special.polygamma(0, x), POSITIVE)
case("polygamma 2", lambda x: tz.polygamma(2, x), lambda x: special.polygamma(2, x), POSITIVE)
case("polygamma 1 negative", lambda x: tz.polygamma(1, -x), lambda x: special.zeta(2, -x), Domain(
    lambda rng, shape: rng.integers(0, 4, shape) + rng.uniform(0.3, 0.7, shape)))
op("isnan", SPREAD, also="i")
op("nan_to_num", SPREAD, also="ib", shapes=[((3,),)])
op("nan_to_num", SPREAD, nan=1.5, posinf=2.5)
op("isinf", SPREAD, also="i")
op("isfinite", SPREAD, also="i")
op("logical_not", SPREAD, also="ib")
case("bitwise_invert of booleans", tz.bitwise_invert, np.invert, BOOL)
op("bitwise_invert", WHOLE, shapes=UNARY)
op("clip", SPREAD, min=-0.5, max=0.8)
op("clip", SPREAD, also="i", min=-1, max=2)
op("clip", SPREAD, min=-0.5)
op("clip", SPREAD, max=0.8)
op("clip", SPREAD, like=lambda x: x)
op("stop_gradient", SPREAD, like=lambda x: x, orders=0)
op("astype", SPREAD, like=lambda x: x.astype(np.float32), orders=0, dtype="float32")
op("astype", SPREAD, like=lambda x: x.astype(np.int16), orders=0, shapes=UNARY, dtype="int16")
case("cast up", lambda x: tz.astype(tz.astype(x, "float32"), "float64").astype("float64"),
     lambda x: x.astype(np.float32).astype(float), SPREAD, orders=0)
case("place", lambda x: bind(ops.PLACE, x, where=CPU), lambda x: x, SPREAD)
case("bitcast", lambda x: bitcast(x, "float64"), lambda x: x.view(float), WHOLE, shapes=(((3,),), ((2, 3),)))

# Element by element, more inputs
op("add", SPREAD, SPREAD, also="i")
op("subtract", SPREAD, SPREAD, also="i")
op("multiply", SPREAD, SPREAD, also="i")
op("divide", SPREAD, POSITIVE, orders=3)
op("floor_divide", SPREAD, POSITIVE, also="i", like=lambda x, y: np.where(  # NumPy lacks the standard's special cases
    np.isinf(x) | np.isinf(y), np.floor(x / np.where(x.dtype.kind == "f", y, 1)), np.floor_divide(x, y)
    ).astype(x.dtype))
op("remainder", SPREAD, POSITIVE, also="i")
op("fmod", SPREAD, POSITIVE, also="i")
op("pow", POSITIVE, SPREAD, orders=3)
case("cube", lambda x: x**3, lambda x: x**3, SPREAD, orders=3, also="i")
op("atan2", SPREAD, SPREAD)
op("hypot", SPREAD, SPREAD, orders=3)
op("logaddexp", SPREAD, SPREAD, orders=3)
op("logaddexp2", SPREAD, SPREAD, shapes=[((2, 1), (3,))])
op("heaviside", SPREAD, SPREAD, shapes=[((2, 1), (3,))])
op("isclose", SPREAD, SPREAD, also="ib", shapes=[((2, 1), (1, 3))])
case("allclose", tz.allclose, lambda x, y: np.bool(np.allclose(x, y)), SPREAD, SPREAD, shapes=[((2, 3), (3,))])
op("divide_no_nan", SPREAD, BOOL, like=lambda x, y: np.where(y, x, 0), shapes=[((2, 3), (3,))])
op("lerp", SPREAD, OTHER, UNIT, like=lambda x, y, w: x + w * (y - x), shapes=[((2, 3), (2, 1), (3,))])
op("masked_fill", SPREAD, BOOL, like=lambda x, m: np.where(m, x.dtype.type(-1), x), also="i", value=-1,
   shapes=[((2, 3), (3,))])
op("maximum", SPREAD, OTHER, also="ib")
op("minimum", SPREAD, OTHER, also="ib")
op("equal", SPREAD, SPREAD, also="ib")
op("not_equal", SPREAD, SPREAD, also="ib")
op("less", SPREAD, SPREAD, also="ib")
op("less_equal", SPREAD, SPREAD, also="ib")
op("greater", SPREAD, SPREAD, also="ib")
op("greater_equal", SPREAD, SPREAD, also="ib")
op("logical_and", SPREAD, SPREAD, also="ib")
op("logical_or", SPREAD, SPREAD, also="ib")
op("logical_xor", SPREAD, SPREAD, also="ib")
op("bitwise_and", WHOLE, WHOLE, shapes=BINARY)
op("bitwise_or", WHOLE, BOOL, shapes=BINARY)
op("bitwise_xor", BOOL, BOOL, shapes=BINARY)
op("bitwise_left_shift", WHOLE, SHIFT, shapes=BINARY)
op("bitwise_right_shift", WHOLE, SHIFT, shapes=BINARY)
op("where", BOOL, SPREAD, SPREAD, also="ib", shapes=[((), (), ()), ((3,), (2, 3), ()), ((2, 1), (3,), (1, 3)),
                                                     ((0,), (0,), ())])

# Shape
case("reshape", lambda x: tz.reshape(x, (3, -1)), lambda x: x.reshape(3, -1), SPREAD, also="ib",
     shapes=[((2, 3),), ((6, 0),)])
case("reshape of transposed", lambda x: tz.reshape(x.T, (6,)), lambda x: x.T.reshape(6), SPREAD, shapes=[((2, 3),)])
case("flatten", lambda x: tz.flatten(x, 1), lambda x: x.reshape(2, -1), SPREAD, also="ib",
     shapes=[((2, 3, 2),), ((2,),)])
op("permute_dims", SPREAD, also="ib", shapes=[((2, 3, 4),)], axes=(2, 0, 1))
op("matrix_transpose", SPREAD, also="ib", shapes=[((2, 3),), ((2, 0, 3),)])
case("swapaxes", lambda x: tz.swapaxes(x, 0, -1), lambda x: x.swapaxes(0, -1), SPREAD, shapes=[((2, 3, 4),)])
op("moveaxis", SPREAD, shapes=[((2, 3, 4),)], source=0, destination=-1)
op("moveaxis", SPREAD, shapes=[((2, 3, 4),)], source=(0, 1), destination=(-1, 0))
op("expand_dims", SPREAD, also="ib", shapes=UNARY, axis=-1)
op("squeeze", SPREAD, also="ib", shapes=[((1, 3, 1),), ((),)])
op("squeeze", SPREAD, shapes=[((1, 3, 1),)], axis=0)
op("broadcast_to", SPREAD, also="ib", shapes=[((),), ((3,),), ((2, 1),)], shape=(4, 2, 3))
case("broadcast_arrays", lambda *xs: tz.broadcast_arrays(*xs), np.broadcast_arrays, SPREAD, SPREAD, also="ib")
case("concat", lambda *xs: tz.concat(xs, axis=1), lambda *xs: np.concatenate(xs, 1), SPREAD, SPREAD, also="ib",
     shapes=[((2, 3), (2, 1)), ((2, 0), (2, 2))])
case("concat flat", lambda *xs: tz.concat(xs, axis=None), lambda *xs: np.concatenate(xs, None), SPREAD, SPREAD)
case("stack", lambda *xs: tz.stack(xs, axis=-1), lambda *xs: np.stack(xs, -1), SPREAD, SPREAD, also="ib",
     shapes=[((2, 3), (2, 3)), ((), ())])
op("unstack", SPREAD, also="ib", shapes=[((2, 3),)], axis=1)
op("flip", SPREAD, also="ib", shapes=UNARY)
op("flip", SPREAD, shapes=[((2, 3, 2),)], axis=(0, 2))
op("roll", SPREAD, also="ib", shapes=[((2, 3),), ((2, 0),)], shift=2, axis=1)
op("roll", SPREAD, shapes=[((4, 3),)], shift=-5, axis=0)
case("pad", lambda x: tz.pad(x, [(1, 0), (2, 3)], 7), lambda x: np.pad(x, [(1, 0), (2, 3)], constant_values=7), SPREAD,
     also="i", shapes=[((2, 3),), ((0, 3),)])
case("pad with a tensor", lambda x, v: tz.pad(x, [(1, 2)], v), lambda x, v: np.pad(x, [(1, 2)], constant_values=v),
     SPREAD, SPREAD, shapes=[((3,), ())])
op("tile", SPREAD, also="ib", shapes=[((2, 3),), ((3,),)], like=lambda x: np.tile(x, (2, 2)), repetitions=(2, 2))
case("slice", lambda x: x[1:, ::2], lambda x: x[1:, ::2], SPREAD, also="ib", shapes=[((3, 5),), ((1, 4),)])
case("slice backwards", lambda x: x[::-2, 3:0:-1], lambda x: x[::-2, 3:0:-1], SPREAD, also="ib", shapes=[((3, 5),)])
case("index with numbers", lambda x: x[1, None, ..., -1], lambda x: x[1, None, ..., -1], SPREAD, shapes=[((2, 3, 4),)])
case("index with tensors", lambda x, i, j: x[i, :, j], lambda x, i, j: x[i, :, j], SPREAD, index(4), index(3),
     shapes=[((4, 2, 3), (2, 1), (5,))])
case("index with side by side tensors", lambda x, i, j: x[:, i, j], lambda x, i, j: x[:, i, j], SPREAD, index(4),
     index(3), also="ib", shapes=[((2, 4, 3), (2, 1), (5,)), ((0, 4, 3), (2,), (2,))])
case("index with a mask", lambda x: x[np.array([True, False, True])], lambda x: x[[0, 2]], SPREAD, shapes=[((3, 2),)])

# Index
op("take", SPREAD, index(4), also="ib", shapes=[((2, 4, 3), (5,)), ((4, 4), (2, 2)), ((2, 4), (0,))], axis=1)
op("take_along_axis", SPREAD, index(4), also="ib", shapes=[((2, 4), (2, 3)), ((1, 4), (1, 0)), ((2, 4), (1, 1)),
                                                          ((1, 4), (3, 2))], axis=1)
op("take_along_axis", SPREAD, index(2), shapes=[((2, 3, 4), (1, 3, 1))], axis=0)


def _scatter_add(x: np.ndarray, updates: np.ndarray, where: np.ndarray) -> np.ndarray:
    out = x.copy()
    np.add.at(out, where, updates)
    return out


def _set(x: np.ndarray, key: Any, value: Any) -> np.ndarray:
    out = x.copy()
    out[key] = value
    return out


def _assigned(x: Any, key: Any, value: Any) -> Any:
    out = x.clone()
    out[key] = value
    return out


case("scatter_add", lambda x, u, i: tz.scatter_add(x, u, (i,), (0,)), _scatter_add, SPREAD, SPREAD, index(4), also="i",
     shapes=[((4, 2), (6, 2), (6,)), ((4,), (0,), (0,))])
case("scatter_set", lambda x, u, i: tz.scatter_set(x, u, (i,), (0,)), lambda x, u, i: _set(x, i, u), SPREAD, SPREAD,
     distinct_index(4), also="ib", shapes=[((4, 2), (3, 2), (3,)), ((4,), (0,), (0,))])
case("setitem slice", lambda x, v: _assigned(x, (slice(1, None), -1), v), lambda x, v: _set(x, (slice(1, None), -1), v),
     SPREAD, SPREAD, also="ib", shapes=[((3, 2), ()), ((3, 2), (2,))])
case("setitem tensor", lambda x, v, i: _assigned(x, i, v), lambda x, v, i: _set(x, i, v), SPREAD, SPREAD,
     distinct_index(4), shapes=[((4, 2), (2,), (3,))])
op("one_hot", index(4), like=lambda i: np.eye(4, dtype=np.float32)[i] * (i >= 0)[..., None], shapes=UNARY,
   num_classes=4)

# Reduce
for _reduction, _more in (("sum", "ib"), ("prod", "ib"), ("mean", ""), ("max", "ib"), ("min", "ib"), ("any", "ib"),
                          ("all", "ib"), ("var", ""), ("std", "")):
    op(_reduction, SPREAD, also=_more, shapes=[((2, 3),), ((3,),)])
    op(_reduction, SPREAD, also=_more, shapes=[((2, 3, 2),), ((3, 4, 0),)], axis=1)
    op(_reduction, SPREAD, also=_more, shapes=[((2, 3, 2),)], axis=(0, -1), keepdims=True)
op("sum", SPREAD, also="i", shapes=[((0, 3),), ((),)], axis=())
op("prod", SPREAD, shapes=[((0, 3),), ((),)], axis=None)
op("var", SPREAD, shapes=[((2, 3),)], axis=1, correction=1)
op("argmax", SPREAD, also="ib", shapes=[((2, 3),), ((),)])
op("argmax", SPREAD, also="ib", shapes=[((2, 3),)], axis=0, keepdims=True)
op("argmin", SPREAD, also="ib", shapes=[((2, 3),)], axis=1)
op("cumulative_sum", SPREAD, also="i", shapes=[((2, 3),), ((0, 3),)], axis=1)
op("cumulative_sum", SPREAD, shapes=[((4,),)])
op("logsumexp", UNIT, shapes=[((2, 3),)], like=lambda x: special.logsumexp(x, 1), axis=1)
op("logsumexp", UNIT, shapes=[((2, 3),), ((),)], like=special.logsumexp)

# Contract
op("matmul", SPREAD, SPREAD, also="i", shapes=[((2, 3), (3, 4)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)),
                                               ((4, 1, 2, 3), (5, 3, 2)), ((3,), (2, 3, 2)), ((2, 2, 3), (3,)),
                                               ((2, 0), (0, 3))])
op("tensordot", SPREAD, SPREAD, also="i", shapes=[((2, 3, 4), (3, 4, 2))])
op("tensordot", SPREAD, SPREAD, shapes=[((2, 3, 4), (4, 2, 3))], axes=((0, 2), (1, 0)))
op("tensordot", SPREAD, SPREAD, shapes=[((2,), (3,))], axes=0)
op("vecdot", SPREAD, SPREAD, also="i", shapes=[((2, 3), (2, 3)), ((3,), (3,))])
op("outer", SPREAD, SPREAD, also="i", shapes=[((2,), (3,)), ((0,), (3,))])
case("dot_general", lambda x, y: dot_general(x, y, ((3, 0), (0, 2)), ((1,), (3,))),
     lambda x, y: np.einsum("abcd,deab->bce", x, y), SPREAD, SPREAD, also="i", shapes=[((2, 3, 2, 4), (4, 5, 2, 3))])

# Linear algebra
def _matrices(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(-1, 1, shape) + np.eye(*shape[-2:]) * np.arange(2, 2 + shape[-1])


MATRIX = Domain(_matrices)  # of full rank, with eigenvalues and singular values that differ
SQUARE = ((3, 3),), ((2, 1, 2, 2),), ((1, 1),), ((0, 2, 2),)
TALL_AND_WIDE = ((3, 3),), ((2, 4, 2),), ((2, 3),)


def _symmetric(x: Any) -> Any:
    return x + tz.matrix_transpose(x)


def _without_signs(q: Any, r: Any) -> Any:
    """What of a decomposition does not depend on the signs of columns."""
    return q**2, r**2


for _name in ("inv", "det", "slogdet"):
    case(_name, getattr(tz.linalg, _name), getattr(np.linalg, _name), MATRIX, shapes=SQUARE)
case("cholesky", lambda x: tz.linalg.cholesky(x @ x.mT + tz.eye(x.shape[-1])),
     lambda x: np.linalg.cholesky(x @ x.mT + np.eye(x.shape[-1])), MATRIX, shapes=SQUARE)
case("cholesky upper", lambda x: tz.linalg.cholesky(x @ x.mT, upper=True), lambda x: np.linalg.cholesky(x @ x.mT).mT,
     MATRIX, shapes=SQUARE)
case("solve", tz.linalg.solve, np.linalg.solve, MATRIX, SPREAD, shapes=[((3, 3), (3, 2)), ((2, 2), (2,)),
                                                                       ((4, 1, 2, 2), (3, 2, 1)), ((2, 2), (2, 0))])
case("qr", lambda x: tz.linalg.qr(x), lambda x: tuple(np.linalg.qr(x)), MATRIX, shapes=TALL_AND_WIDE)
case("qr complete", lambda x: tz.linalg.qr(x, mode="complete"), lambda x: tuple(np.linalg.qr(x, "complete")), MATRIX,
     shapes=[((3, 3),), ((2, 2, 3),)])
case("eigh", lambda x: _without_signs(*tz.linalg.eigh(_symmetric(x))),
     lambda x: _without_signs(*np.linalg.eigh(x + x.mT)), MATRIX, shapes=SQUARE)
case("eigvalsh", lambda x: tz.linalg.eigvalsh(_symmetric(x)), lambda x: np.linalg.eigvalsh(x + x.mT), MATRIX,
     shapes=SQUARE)
case("svd", lambda x: [y**2 for y in tz.linalg.svd(x, full_matrices=False)],
     lambda x: [y**2 for y in np.linalg.svd(x, full_matrices=False)], MATRIX, shapes=TALL_AND_WIDE)
case("svd full", lambda x: [y**2 for y in tz.linalg.svd(x)], lambda x: [y**2 for y in np.linalg.svd(x)], MATRIX,
     shapes=[((2, 2),)])
case("svdvals", tz.linalg.svdvals, np.linalg.svdvals, MATRIX, shapes=TALL_AND_WIDE)
case("pinv", tz.linalg.pinv, np.linalg.pinv, MATRIX, shapes=TALL_AND_WIDE)
case("matrix_rank", tz.linalg.matrix_rank, np.linalg.matrix_rank, MATRIX, shapes=TALL_AND_WIDE)
case("matrix_power", lambda x: tz.linalg.matrix_power(x, 5), lambda x: np.linalg.matrix_power(x, 5), UNIT, also="i",
     shapes=[((2, 3, 3),)])
case("matrix_power below 0", lambda x: tz.linalg.matrix_power(x, -2), lambda x: np.linalg.matrix_power(x, -2), MATRIX,
     shapes=[((3, 3),)])
for _order in ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf):
    case(f"matrix_norm {_order}", lambda x, _order=_order: tz.linalg.matrix_norm(x, ord=_order),
         lambda x, _order=_order: np.linalg.matrix_norm(x, ord=_order), MATRIX, shapes=[((2, 3),), ((2, 3, 3),)])
for _order in (0, 1, 2, 3, 0.5, -1.5, math.inf, -math.inf):
    case(f"vector_norm {_order}", lambda x, _order=_order: tz.linalg.vector_norm(x, ord=_order, axis=-1),
         lambda x, _order=_order: np.linalg.vector_norm(x, ord=_order, axis=-1), SPREAD, shapes=[((3,),), ((2, 3),)])


def _without_order(values: Any, vectors: Any, real: Callable[[Any], Any]) -> list[Any]:
    """What of an eigendecomposition depends neither on the order of eigenvalues nor on the phase of vectors."""
    return [real((values + values * values).sum(-1)), (abs(vectors) ** 4).sum(-1)]


def _least_squares(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, ...]:
    solution, residuals, rank, values = np.linalg.lstsq(a, b)
    return solution, residuals[0], np.int64(rank), values


case("eig", lambda x: _without_order(*tz.linalg.eig(x), tz.real),
     lambda x: _without_order(*np.linalg.eig(x), np.real), MATRIX, shapes=[((3, 3),), ((2, 2, 2),)])
case("eigvals", lambda x: tz.sort(tz.real(tz.linalg.eigvals(x))), lambda x: np.sort(np.linalg.eigvals(x).real), MATRIX,
     shapes=[((2, 2),)])
case("lu", tz.linalg.lu, linalg.lu, SPREAD, shapes=[((3, 3),), ((3, 2),), ((2, 3),)])
case("lu_factor", tz.linalg.lu_factor, lambda x: (
    linalg.lu_factor(x)[0], np.argmax(linalg.lu(x)[0], axis=-2)), SPREAD, shapes=[((2, 3, 3),)])
case("lu_solve", lambda a, b: tz.linalg.lu_solve(tz.linalg.lu_factor(a), b), np.linalg.solve, MATRIX, SPREAD,
     shapes=[((3, 3), (3, 2))])
case("solve_triangular", lambda a, b: tz.linalg.solve_triangular(a, b, upper=True),
     lambda a, b: np.linalg.solve(np.triu(a), b), MATRIX, SPREAD, shapes=[((2, 3, 3), (3, 2))])
case("solve_triangular of ones", lambda a, b: tz.linalg.solve_triangular(a, b, unit_diagonal=True),
     lambda a, b: np.linalg.solve(np.tril(a, -1) + np.eye(3), b), MATRIX, SPREAD, shapes=[((3, 3), (3,))])
case("lstsq", lambda a, b: tz.linalg.lstsq(a, b), _least_squares, MATRIX, SPREAD,
     shapes=[((4, 2), (4,))])
case("matrix_exp", tz.linalg.matrix_exp, linalg.expm, MATRIX, shapes=[((2, 2),), ((2, 3, 3),)])
case("logdet", lambda x: tz.linalg.logdet(x @ x.mT), lambda x: np.log(np.linalg.det(x @ x.mT)), MATRIX,
     shapes=[((2, 2, 2),)])
for _order in (2, -2, 1, "fro"):
    case(f"cond {_order}", lambda x, _order=_order: tz.linalg.cond(x, _order),
         lambda x, _order=_order: np.linalg.cond(x, _order), MATRIX, shapes=[((2, 2),)])
case("kron", tz.linalg.kron, np.kron, SPREAD, SPREAD, also="i", shapes=[((2, 2), (3, 1)), ((2,), (2, 2))])
case("norm", lambda x: tz.linalg.norm(x), np.linalg.norm, SPREAD, shapes=[((2, 3),)])
case("norm over two axes", lambda x: tz.linalg.norm(x, 1, axis=(2, 0), keepdims=True),
     lambda x: np.linalg.norm(x, 1, axis=(2, 0), keepdims=True), SPREAD, shapes=[((2, 2, 3),)])
case("norm over an axis", lambda x: tz.linalg.norm(x, 3, axis=0), lambda x: np.linalg.norm(x, 3, axis=0), SPREAD,
     shapes=[((2, 3),)])
case("multi_dot", lambda *xs: tz.linalg.multi_dot(xs), lambda *xs: np.linalg.multi_dot(xs), SPREAD, SPREAD, SPREAD,
     shapes=[((2, 5), (5, 1), (1, 3)), ((3,), (3, 2), (2,))])
case("cross", tz.linalg.cross, np.linalg.cross, SPREAD, SPREAD, also="i", shapes=[((3,), (3,)), ((2, 1, 3), (4, 3))])
case("diagonal", lambda x: tz.linalg.diagonal(x, offset=-1), lambda x: np.linalg.diagonal(x, offset=-1), SPREAD,
     also="ib", shapes=[((2, 3, 4),), ((1, 1),)])
case("trace", lambda x: tz.linalg.trace(x, offset=1), lambda x: np.linalg.trace(x, offset=1), SPREAD, also="i",
     shapes=[((2, 3, 4),), ((1, 1),)])

# Sort
op("sort", SPREAD, also="ib", shapes=[((2, 3),), ((0,),)], axis=-1)
op("sort", SPREAD, also="i", shapes=[((4, 2),)], like=lambda x: np.sort(x, 0)[::-1], axis=0, descending=True)
op("argsort", SPREAD, also="ib", shapes=[((2, 3),)], like=lambda x: np.argsort(x, 0, stable=True), axis=0)
case("topk", lambda x: tz.topk(x, 2), lambda x: (np.sort(x)[:, :-3:-1], np.argsort(x)[:, :-3:-1]), SPREAD,
     shapes=[((3, 4),)])

# Composites
op("relu", SPREAD, also="i", like=lambda x: np.maximum(x, 0))
op("leaky_relu", SPREAD, like=lambda x: np.where(x > 0, x, 0.1 * x), slope=0.1)
op("elu", SPREAD, like=lambda x: np.where(x > 0, x, np.expm1(np.where(x > 0, 0, x))))
op("softplus", SPREAD, like=lambda x: np.logaddexp(x, 0), orders=3)
op("gelu", SPREAD, like=lambda x: x * special.ndtr(x), shapes=UNARY, orders=3)
op("silu", SPREAD, like=lambda x: x * special.expit(x), shapes=UNARY)
op("softmax", UNIT, like=lambda x: special.softmax(x, -1), shapes=[((3,),), ((2, 3),), ((0, 3),)], orders=3)
op("softmax", UNIT, like=lambda x: special.softmax(x, 0), shapes=[((2, 3),)], axis=0)
op("log_softmax", UNIT, like=lambda x: special.log_softmax(x, -1), shapes=[((3,),), ((2, 3),), ((0, 3),)])
case("layer_norm", tz.layer_norm, lambda x, w, b: (x - x.mean(-1, keepdims=True)) / np.sqrt(
    x.var(-1, keepdims=True) + 1e-5) * w + b, SPREAD, SPREAD, SPREAD, shapes=[((2, 3), (3,), (3,)), ((3,), (3,), (3,))])

# From nothing
case("arange", lambda: tz.arange(2, 12, 3), lambda: np.arange(2, 12, 3), shapes=[()], orders=0)
case("arange of floats", lambda: tz.arange(1.0, -1.0, -0.25), lambda: np.arange(1, -1, -0.25, np.float32), shapes=[()])
case("linspace", lambda: tz.linspace(0, 3, 7), lambda: np.linspace(0, 3, 7, dtype=np.float32), shapes=[()])
case("eye", lambda: tz.eye(2, 3, k=1), lambda: np.eye(2, 3, 1, np.float32), shapes=[()])
case("full", lambda: tz.full((2, 3), 7), lambda: np.full((2, 3), 7), shapes=[()])
op("full_like", SPREAD, also="i", shapes=UNARY, fill_value=3)
op("zeros_like", SPREAD, also="ib", shapes=UNARY)
op("ones_like", SPREAD, also="ib", shapes=UNARY)


def philox(state: np.ndarray, size: int) -> np.ndarray:
    """Philox 4x32-10 in Python's own integers, block by block."""
    words: list[int] = []
    for block in range(-(-size // 4)):
        counter, key = [block & 0xFFFFFFFF, block >> 32, int(state[2]), int(state[3])], [int(state[0]), int(state[1])]
        for _ in range(10):
            first, second = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
            counter = [(second >> 32) ^ counter[1] ^ key[0], second & 0xFFFFFFFF,
                       (first >> 32) ^ counter[3] ^ key[1], first & 0xFFFFFFFF]
            key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
        words += counter
    return np.array(words[:size], np.uint32)


case("random_bits", lambda s: bits(s, (2, 3)), lambda s: philox(s, 6).reshape(2, 3), STATE, shapes=[((4,),)])


# Control
def _recurrence(x: Any, w: Any) -> Any:
    return tz.scan(lambda h, row: (tz.tanh(h * w + row), h * row), tz.zeros_like(w), x)


def _recurrence_in_numpy(x: np.ndarray, w: np.ndarray) -> Any:
    h, rows = np.zeros_like(w), []
    for row in x:
        rows.append(h * row)
        h = np.tanh(h * w + row)
    return h, np.array(rows).reshape(x.shape)


case("scan", _recurrence, _recurrence_in_numpy, UNIT, UNIT, shapes=[((4, 3), (3,)), ((1, 2), (2,)), ((0, 2), (2,))])
case("scan reversed", lambda x: tz.scan(lambda c, r: (c + r, c * r), tz.zeros_like(x[0]), x, reverse=True)[1],
     lambda x: (np.cumsum(x[::-1], 0)[::-1] - x) * x, SPREAD, shapes=[((4, 2),)])
case("while_loop", lambda x: tz.while_loop(lambda c: (c * c).sum() < 99, lambda c: c * 2 + 1, x), lambda x: _doubled(x),
     POSITIVE, shapes=[((3,),)], orders=0)


case("while_loop with a bound", lambda x: tz.while_loop(lambda c: c.sum() < 50, lambda c: c * c + x, x + 1, bound=9),
     lambda x: _squared(x), POSITIVE, shapes=[((3,),)])
case("cond", lambda x: tz.cond(x.sum() > 0, lambda x: x**2, tz.sin, x), lambda x: x**2 if x.sum() > 0 else np.sin(x),
     SPREAD, shapes=[((),), ((3,),)])
case("switch", lambda x, i: tz.switch(i, [lambda x: x**2, tz.sin, tz.exp], x),
     lambda x, i: [np.square, np.sin, np.exp][max(0, min(2, i))](x), UNIT, WHOLE, shapes=[((3,), ()), ((), ())])
case("fori_loop", lambda x: tz.fori_loop(1, 4, lambda i, c: c * x + i.astype(x.dtype), x),
     lambda x: ((x * x + 1) * x + 2) * x + 3, UNIT, shapes=[((3,),)])
case("map", lambda x: tz.map(lambda row: (row * row).sum(), x), lambda x: (x * x).sum(1), SPREAD, shapes=[((2, 3),)])
case("checkpoint", lambda x: tz.grad(lambda x: tz.checkpoint(lambda x: tz.sin(x)**2)(x).sum())(
    tz.astype(x, "float64")), lambda x: np.sin(2 * x), UNIT, shapes=[((3,),)])


def _squared(x: np.ndarray) -> np.ndarray:
    c = x + 1
    while c.sum() < 50:
        c = c * c + x
    return c


def _doubled(x: np.ndarray) -> np.ndarray:
    while (x * x).sum() < 99:
        x = x * 2 + 1
    return x


import optable_images  # noqa: E402, F401 (a sequel too)
import optable_networks  # noqa: E402, F401 (its lines follow these)
import optable_standard  # noqa: E402, F401 (and so do these)
import optable_statistics  # noqa: E402, F401 (and these)
