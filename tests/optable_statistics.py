"""The op table, continued: parts of tensors, diagonals, statistics, scatters, bins."""

import numpy as np
from optable import OTHER, POSITIVE, SPREAD, Domain, case, distinct_index, index, op

import tarazu as tz

# Parts
op("split", SPREAD, also="ib", shapes=[((2, 4),)], indices_or_sections=2, axis=1)
case("split at indices", lambda x: tz.split(x, [1, 3, -1], 1), lambda x: np.split(x, [1, 3, -1], 1), SPREAD,
     shapes=[((2, 5),)])
case("split by sizes", lambda x: tz.split(x, sizes=(2, 3)) + tz.split(x, sizes=3),
     lambda x: (x[:2], x[2:], x[:3], x[3:]), SPREAD, shapes=[((5, 2),)])
case("array_split, chunk", lambda x: tz.array_split(x, 3) + tz.chunk(x, 3), lambda x: np.array_split(x, 3) * 2, SPREAD,
     shapes=[((5,),)])
case("hsplit, vsplit, dsplit", lambda x: (*tz.hsplit(x, 2), *tz.vsplit(x, [1]), *tz.dsplit(x, 3)),
     lambda x: (*np.hsplit(x, 2), *np.vsplit(x, [1]), *np.dsplit(x, 3)), SPREAD, shapes=[((3, 2, 3),)])
case("hstack, vstack, dstack", lambda x, y: [f([x, y]) for f in (tz.hstack, tz.vstack, tz.dstack)],
     lambda x, y: [f([x, y]) for f in (np.hstack, np.vstack, np.dstack)], SPREAD, SPREAD, also="ib",
     shapes=[((2,), (2,)), ((2, 3), (2, 3)), ((2, 1, 2), (2, 1, 2))])
op("unflatten", SPREAD, also="ib", shapes=[((2, 6, 2),)], like=lambda x: x.reshape(2, 3, 2, 2), axis=1, shape=(3, -1))
for _turns in (1, 2, 3):
    op("rot90", SPREAD, shapes=[((2, 3, 2),)], like=lambda x, k=_turns: np.rot90(x, k, (2, 0)), k=_turns, axes=(2, 0))

# Diagonals
op("diagonal", SPREAD, also="ib", shapes=[((3, 4, 2),)], offset=1, axis1=1, axis2=0)
op("diag", SPREAD, also="ib", shapes=[((3,),), ((2, 3),)], k=1)
op("diagflat", SPREAD, also="ib", shapes=[((2, 2),)], k=-2)
case("tril_indices", lambda: (*tz.tril_indices(3, 4, k=1), *tz.triu_indices(3, k=-1)),
     lambda: (*np.tril_indices(3, 1, 4), *np.triu_indices(3, -1)), shapes=[()])

# Averages
op("average", SPREAD, shapes=[((2, 3),)], axis=1)
case("average with weights", lambda x, w: tz.average(x, 1, w), lambda x, w: np.average(x, 1, w), SPREAD, POSITIVE,
     shapes=[((2, 3, 2), (3,)), ((2, 3), (2, 3))])
case("moments, std_mean, var_mean", lambda x: (*tz.moments(x, 0), *tz.std_mean(x, correction=1), *tz.var_mean(x, -1)),
     lambda x: (x.mean(0), x.var(0), x.std(ddof=1), x.mean(), x.var(-1), x.mean(-1)), SPREAD, shapes=[((3, 2),)])
op("ptp", SPREAD, also="i", shapes=[((2, 3),)], axis=1)

# nan left out
WITH_NAN = Domain(lambda rng, shape: np.where(rng.permuted(np.arange(np.prod(shape)).reshape(shape), axis=-1) % 3 == 0,
                                              np.nan, SPREAD.draw(rng, shape)))
for _name in ("nansum", "nanprod", "nanmean", "nanvar", "nanstd", "nanmax", "nanmin", "nanmedian"):
    op(_name, WITH_NAN, shapes=[((2, 5),)], axis=1)
op("nansum", SPREAD, also="ib", shapes=[((2, 3),)], keepdims=True)
for _name in ("nanargmax", "nanargmin", "nancumsum", "nancumprod"):
    op(_name, WITH_NAN, shapes=[((2, 4),)], axis=1)
for _name in ("nancumsum", "nancumprod"):
    op(_name, WITH_NAN, shapes=[((2, 4),)])
op("nanpercentile", WITH_NAN, shapes=[((5,),)], q=30)
op("nanquantile", WITH_NAN, shapes=[((2, 5),)], q=0.3, axis=1)

# Order
op("median", SPREAD, shapes=[((2, 3),), ((2, 4),)], axis=1)
op("quantile", SPREAD, shapes=[((2, 3, 2),)], q=(0.1, 0.75), axis=(0, 2), keepdims=True)
for _method in ("lower", "higher", "nearest", "midpoint"):
    op("percentile", SPREAD, shapes=[((5,),)], q=35, method=_method)
op("argpartition", SPREAD, shapes=[((5,),)], like=lambda x: np.argsort(x), kth=2)
op("in_top_k", Domain(lambda rng, shape: rng.integers(0, 4, shape), fixed=True), SPREAD, shapes=[((3,), (3, 4))],
   like=lambda i, x: (x > x[np.arange(3), i][:, None]).sum(1) < 2, k=2)
op("saturate_cast", SPREAD, shapes=[((2, 3),)], like=lambda x: x.clip(0, 255).astype(np.uint8), dtype="uint8")
case("kthvalue", lambda x: tz.kthvalue(x, 2, 0), lambda x: (np.sort(x, 0)[1], np.argsort(x, 0)[1]), SPREAD,
     shapes=[((3, 2),)])
for _name, _extreme, _index in (("cummax", np.maximum, np.argmax), ("cummin", np.minimum, np.argmin)):
    op(_name, SPREAD, shapes=[((2, 5),)], like=lambda x, f=_extreme, i=_index: (
        f.accumulate(x, 1), np.stack([i(x[:, :n + 1], 1) for n in range(x.shape[1])], 1)), axis=1)
op("logcumsumexp", SPREAD, shapes=[((2, 5),)], like=lambda x: np.logaddexp.accumulate(x, 1), axis=1)


def _recurrence(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The products and the affine maps from the last column on."""
    products, sums = x.copy(), y.copy()
    for i in range(x.shape[1] - 2, -1, -1):
        products[:, i] = products[:, i + 1] * x[:, i]
        sums[:, i] = sums[:, i + 1] * x[:, i] + y[:, i]
    return products, sums


case("associative_scan", lambda x, y: tz.associative_scan(lambda a, b: (a[0] * b[0], a[1] * b[0] + b[1]), (x, y),
     axis=1, reverse=True), _recurrence, SPREAD, OTHER, shapes=[((2, 6), (2, 6))])

# Counts and dependence
COUNT = Domain(lambda rng, shape: rng.integers(0, 4, shape), fixed=True)
op("bincount", COUNT, like=lambda x: np.bincount(x, minlength=5), shapes=[((6,),)], length=5)
case("bincount with weights", lambda x, w: tz.bincount(x, w, length=4), lambda x, w: np.bincount(x, w, 4), COUNT,
     SPREAD, shapes=[((6,), (6,))])
op("histogram", SPREAD, shapes=[((7,),)], bins=3)
case("histogram in edges", lambda x, w: tz.histogram(x, [-1.0, 0.0, 0.1, 2.0], weights=w, density=True),
     lambda x, w: np.histogram(x, [-1.0, 0.0, 0.1, 2.0], weights=w, density=True), SPREAD, POSITIVE,
     shapes=[((3, 3), (3, 3))])
case("bucketize, digitize", lambda x, b: [f(x, b, right=r) for f in (tz.bucketize, tz.digitize) for r in (False, True)],
     lambda x, b: [np.searchsorted(b, x, side) for side in ("left", "right", "right", "left")], COUNT,
     Domain(lambda rng, shape: np.sort(rng.integers(0, 4, shape)), fixed=True), shapes=[((5,), (3,))])
op("multi_hot", index(4), like=lambda i: ((np.eye(4)[i] * (i >= 0)[..., None]).max(-2) > 0).astype(np.float32),
   shapes=[((2, 3),)], num_classes=4)
op("cov", SPREAD, shapes=[((2, 4),), ((3,),)])
case("cov with weights", lambda x, f, a: tz.cov(x, rowvar=False, correction=0, fweights=f, aweights=a),
     lambda x, f, a: np.cov(np.repeat(x, f, 0), rowvar=False, ddof=0, aweights=np.repeat(a, f)), SPREAD,
     Domain(lambda rng, shape: rng.integers(1, 3, shape), fixed=True), POSITIVE, shapes=[((4, 2), (4,), (4,))])
op("corrcoef", SPREAD, shapes=[((2, 4),)])
for _p, _norm in ((2, lambda d: np.sqrt((d**2).sum(-1))), (1, lambda d: abs(d).sum(-1)), (3, lambda d: (
        abs(d)**3).sum(-1)**(1 / 3))):
    op("cdist", SPREAD, OTHER, shapes=[((2, 2, 3), (4, 3))],
       like=lambda x, y, f=_norm: f(x[..., :, None, :] - y[..., None, :, :]), p=_p)
op("trapezoid", SPREAD, shapes=[((2, 3, 2),)], axis=1, dx=0.5)
case("trapezoid at points", lambda y, x: tz.trapezoid(y, x, axis=0), lambda y, x: np.trapezoid(y, x, axis=0), SPREAD,
     OTHER, shapes=[((3, 2), (3,)), ((3, 2), (3, 2))])
op("unravel_index", index(24), like=lambda i: np.unravel_index(i % 24, (2, 3, 4)), shapes=[((2, 3),)], shape=(2, 3, 4))
case("logspace, geomspace", lambda: (tz.logspace(-1, 2, 4, 2.0), tz.geomspace(-2, -32, 5)),
     lambda: (np.logspace(-1, 2, 4, base=2, dtype=np.float32), np.geomspace(-2, -32, 5, dtype=np.float32)), shapes=[()])


# Scatters
def _scattered(ufunc: np.ufunc, start: float, x: np.ndarray, where: np.ndarray, size: int = 4) -> np.ndarray:
    out = np.full((size, *x.shape[1:]), start, x.dtype)
    ufunc.at(out, where, x)
    return out


for _name, _ufunc, _start in (("sum", np.add, 0), ("prod", np.multiply, 1), ("max", np.maximum, -np.inf),
                              ("min", np.minimum, np.inf)):
    op(f"segment_{_name}", SPREAD, Domain(lambda rng, shape: rng.permutation(np.arange(*shape) % 4) - 1, fixed=True),
       also="i" if _name in ("sum", "prod") else "", like=lambda x, i, f=_ufunc, s=_start: _scattered(f, s, x, i),
       shapes=[((6, 2), (6,))], num_segments=4)
case("index_add", lambda x, u, i: tz.index_add(x, 1, i, u, alpha=2), lambda x, u, i: x + 2 * _scattered(
    np.add, 0, u.T, i).T, SPREAD, SPREAD, index(4), also="i", shapes=[((2, 4), (2, 5), (5,))])
case("index_copy, index_fill", lambda x, u, i: (tz.index_copy(x, 0, i, u), tz.index_fill(x, 0, i, 2)),
     lambda x, u, i: (np.put(y := x.copy(), i, u) or y, np.put(z := x.copy(), i, 2) or z), SPREAD, SPREAD,
     distinct_index(4), also="i", shapes=[((4,), (2,), (2,))])


def _put(x: np.ndarray, indices: np.ndarray, updates: np.ndarray) -> np.ndarray:
    out = x.copy()
    np.put_along_axis(out[:indices.shape[0]], indices, updates, 1)
    return out


def _reduced(ufunc: np.ufunc, x: np.ndarray, u: np.ndarray, i: np.ndarray, start: float | None = None) -> np.ndarray:
    out = x.copy()
    rows = np.arange(len(u))[:, None]
    if start is not None:
        out[rows, i] = start
    ufunc.at(out, (rows, i), u)
    return out


PERMUTATIONS = Domain(lambda rng, shape: rng.permuted(np.broadcast_to(np.arange(4), (shape[0], 4)), axis=1)[
    :, :shape[1]], fixed=True)
case("scatter", lambda x, u, i: tz.scatter(x, 1, i, u), lambda x, u, i: _put(x, i, u), SPREAD, SPREAD, PERMUTATIONS,
     also="i", shapes=[((3, 4), (2, 3), (2, 3))])
for _name, _ufunc, _start in (("sum", np.add, 0), ("prod", np.multiply, 1), ("amax", np.maximum, -np.inf),
                              ("amin", np.minimum, np.inf)):
    case(f"scatter_reduce {_name}", lambda x, u, i, r=_name: (
        tz.scatter_reduce(x, 1, i, u, r), tz.scatter_reduce(x, 1, i, u, r, include_self=False)),
        lambda x, u, i, f=_ufunc, s=_start: (_reduced(f, x, u, i), _reduced(f, x, u, i, s)), SPREAD, OTHER, index(3),
        shapes=[((3, 3), (2, 4), (2, 4))])
case("scatter_reduce mean", lambda x, u, i: tz.scatter_reduce(x, 1, i, u, "mean"),
     lambda x, u, i: _reduced(np.add, x, u, i) / _reduced(np.add, np.ones_like(x), np.ones_like(u), i), SPREAD, OTHER,
     index(3), shapes=[((3, 3), (2, 4), (2, 4))])
