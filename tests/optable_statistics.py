"""The op table, continued: parts of tensors, diagonals, statistics, scatters, bins."""

import numpy as np
from optable import OTHER, POSITIVE, SPREAD, Domain, case, op

import tarazu as tz

# Parts
op("split", SPREAD, also="ib", shapes=[((2, 4),)], indices_or_sections=2, axis=1)
case("split at indices", lambda x: tz.split(x, [1, 3, -1], 1), lambda x: np.split(x, [1, 3, -1], 1), SPREAD,
     shapes=[((2, 5),)])
case("split by sizes", lambda x: tz.split(x, sizes=(2, 3)) + tz.split(x, sizes=3), lambda x: (x[:2], x[2:], x[:3], x[3:]),
     SPREAD, shapes=[((5, 2),)])
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
op("nanquantile", WITH_NAN, shapes=[((2, 5),)], q=0.3, axis=1)

# Order
op("median", SPREAD, shapes=[((2, 3),), ((2, 4),)], axis=1)
op("quantile", SPREAD, shapes=[((2, 3, 2),)], q=(0.1, 0.75), axis=(0, 2), keepdims=True)
for _method in ("lower", "higher", "nearest", "midpoint"):
    op("percentile", SPREAD, shapes=[((5,),)], q=35, method=_method)
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
