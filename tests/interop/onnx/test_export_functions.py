"""The op table through ONNX, sizes that follow the number of rows, loops and branches."""

import numpy as np
import pytest
from onnx_programs import assert_close, exported_as_called, of_fixed_shapes, outputs, session
from optable import RECORDS, leaves

import tarazu as tz
from tarazu.base.errors import CompileError

pytestmark = pytest.mark.extras
GROUP = 25  # lines of the table in one model, as opening one costs more than running it
NO_BITS = "fmod, signbit, copysign, nextafter, erfinv, bitcast"
NO_GAMMA = "lgamma, digamma, polygamma 0, polygamma 2, polygamma 1 negative"
NO_MATRICES = ("inv, det, slogdet, cholesky, cholesky upper, solve, qr, qr complete, eigh, eigvalsh, svd, svd full, "
               "svdvals, pinv, matrix_rank, matrix_power below 0, matrix_norm nuc, matrix_norm 2, matrix_norm -2, eig, "
               "eigvals, lu_solve, solve_triangular, solve_triangular of ones, lstsq, matrix_exp, logdet, cond 2, "
               "cond -2, cond 1, cond fro, solve of complex")
NO_COMPLEX = ("real, imag, angle, conj, abs of complex, complex arithmetic, complex products, expm1 of complex, "
              "fft.fft, fft.ifft, fft.rfft, fft.ihfft, fft.irfft, fft.hfft, fft.fftn, fft.ifftn, fft.rfftn, "
              "fft.irfftn, fft.stft, fft.istft")
REFUSED = {name: reason for names, reason in (
    (NO_BITS, "reads no bits"), (NO_GAMMA, "no gamma function"), (NO_MATRICES, "no decompositions of matrices"),
    (NO_COMPLEX, "no complex numbers"), ("random_bits", "random numbers"),
    ("while_loop with a bound", "a while_loop with a bound")) for name in names.split(", ")}
EXPORTED = [record for record in RECORDS if record.name not in REFUSED]
GROUPS = [EXPORTED[i:i + GROUP] for i in range(0, len(EXPORTED), GROUP)]


def drawn(record):
    return [np.asarray(x) for x in record.draw(min(2, len(record.shapes) - 1), "float32")]


@pytest.mark.parametrize("records", GROUPS, ids=lambda records: f"{records[0].name} to {records[-1].name}")
def test_operations_compute_the_same_in_onnxruntime(records):
    arrays = [drawn(record) for record in records]
    wanted = [leaves(record.function(*map(tz.asarray, some))) for record, some in zip(records, arrays, strict=True)]

    def together(*xs):
        rest = list(xs)
        return [leaf for record, some in zip(records, arrays, strict=True)
                for leaf in leaves(record.function(*[rest.pop(0) for _ in some]))]

    flat = [x for some in arrays for x in some]
    proto = of_fixed_shapes(together, flat, sum(map(len, wanted)))
    found = iter(outputs(session(proto), flat))
    for record, of_record in zip(records, wanted, strict=True):
        assert_close([next(found) for _ in of_record], of_record, 1e-5, 1e-5, record.name)


def test_what_is_refused_says_why():
    records = {record.name: record for record in reversed(RECORDS)}  # of two lines with one name the first
    assert set(REFUSED) <= set(records)
    for name, reason in REFUSED.items():
        arrays = drawn(records[name])
        with pytest.raises(CompileError) as raised:
            of_fixed_shapes(records[name].function, arrays, 1)
        assert reason in str(raised.value), name


X, Y = (np.random.default_rng(i).normal(size=(4, 6)).astype(np.float32) for i in range(2))


def halves(c, _):
    return c * 0.5, c.sum()


ROWS_MATTER = {  # functions in which sizes or numbers follow the rows
    "numbers of rows": lambda x, y: tz.arange(len(x)) + x[:, 0],
    "mean over rows": lambda x, y: x - x.mean(0, keepdims=True),
    "variance over rows": lambda x, y: x.var(0),
    "products of rows": lambda x, y: x @ y.T,
    "softmax over rows": lambda x, y: tz.softmax(x, 0),
    "flattened": lambda x, y: x.reshape(-1),
    "twice as many": lambda x, y: tz.concat([x, y, x[:1]]).reshape(-1, 2, 3),
    "two sizes that follow": lambda x, y: tz.zeros((len(x), len(x), 2)) + (x @ y.T)[..., None],
    "reshaped with two": lambda x, y: (x[:, None] * y[None]).reshape(len(x), 2 * len(y), 3),
    "last row": lambda x, y: x[-1],
    "rows turned round": lambda x, y: tz.flip(x, 0)[1:],
    "padded rows": lambda x, y: tz.pad(x, [(1, 2), (0, 0)], value=3.0),
    "sorted": lambda x, y: (tz.sort(x, axis=0), tz.argsort(y, axis=0)),
    "running sums": lambda x, y: tz.cumsum(x, 0),
    "identity": lambda x, y: tz.eye(len(x)) * x[:, :1],
    "filled": lambda x, y: tz.full((len(x), 2), 7.0),
    "scan over rows": lambda x, y: tz.scan(lambda c, row: (c + row, c * row), tz.zeros(6), x),
    "scan of fixed length": lambda x, y: tz.scan(halves, x, None, length=3),
    "loop to the rows": lambda x, y: tz.fori_loop(0, len(x), lambda i, c: c + x[i], tz.zeros(6)),
    "while": lambda x, y: tz.while_loop(lambda c: c.sum() < 100, lambda c: c + abs(y), abs(x)),
    "branches": lambda x, y: tz.cond(x.sum() > y.sum(), lambda: x * 2, lambda: y),
    "branch in a loop": lambda x, y: tz.scan(lambda c, row: (tz.cond(row.sum() > 0, lambda: c + row, lambda: c), c),
                                             tz.zeros(6), x),
    "vmap": lambda x, y: tz.vmap(lambda a, b: tz.softmax(a)[b.argmax()])(x, y),
    "set rows": lambda x, y: tz.where(tz.arange(len(x))[:, None] == 0, y, x),
    "gathered by rows": lambda x, y: tz.take_along_axis(x, tz.argsort(y, axis=1), axis=1),
    "added at places": lambda x, y: tz.index_add(tz.zeros((3, 6)), 0, tz.argmax(y[:, :3], axis=1), x),
    "segments": lambda x, y: tz.segment_sum(x, tz.argmax(y[:, :3], axis=1), 3),
    "einsum": lambda x, y: tz.einsum("bi,ci,i->bc", x, y, x[0]),
    "gradient": lambda x, y: tz.grad(lambda a: (tz.tanh(a) * y).sum())(x),
}


@pytest.mark.parametrize("name", ROWS_MATTER)
def test_sizes_follow_the_number_of_rows(name):
    exported_as_called(ROWS_MATTER[name], X, Y, rows=(2, 5, 8))


SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.5, 1e-30, 1e30, 1e-4, -1e-4],
                   np.float32)
FUNCTIONS = [tz.relu, tz.sign, tz.floor, tz.ceil, tz.round, tz.trunc, tz.sqrt, tz.exp, tz.expm1, tz.log, tz.log1p,
             tz.sinh, tz.cosh, tz.tanh, tz.asinh, tz.acosh, tz.atanh, tz.sigmoid, tz.erf, tz.isnan, tz.abs]
PAIRS = [tz.add, tz.divide, tz.maximum, tz.minimum, tz.floor_divide, tz.remainder, tz.atan2, tz.less, tz.greater_equal,
         tz.equal, tz.not_equal]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_special_numbers(dtype):
    functions = [f for f in FUNCTIONS if dtype == "float32" or f is not tz.erf]
    pairs = [f for f in PAIRS if dtype == "float32" or f is not tz.atan2]
    x = SPECIAL.astype(dtype)
    first, second = (a.reshape(-1) for a in np.meshgrid(x, x))
    for names, call, arrays in ((functions, lambda x: [f(x) for f in functions], [x]),
                                (pairs, lambda x, y: [f(x, y) for f in pairs], [first, second])):
        wanted = [y.numpy() for y in call(*map(tz.asarray, arrays))]
        found = outputs(session(of_fixed_shapes(call, arrays, len(names))), arrays)
        for function, one, other in zip(names, found, wanted, strict=True):
            np.testing.assert_allclose(one, other, rtol=2e-6 if dtype == "float32" else 1e-13, atol=1e-37,
                                       err_msg=function.__name__)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", "uint32", "uint64"])
def test_integers(dtype):
    rng = np.random.default_rng(3)
    low = 0 if dtype[0] == "u" else -100
    x, y = rng.integers(low, 100, (5, 4)).astype(dtype), rng.integers(low // 20, 5, (5, 4)).astype(dtype)
    places = rng.integers(0, 7, (5, 4)).astype(dtype)

    def every(x, y, places):
        return [x + y, x - y, x * y, -x, x // y, x % y, tz.maximum(x, y), x < y, x == y, x & y, x | y, x ^ y, ~x,
                x << places, x >> places, tz.where(x > y, x, y), tz.sum(x, 1), tz.cumsum(x, 1), tz.prod(y, 1),
                tz.pad(x, [(1, 0), (0, 1)]), x @ y.T, tz.abs(x), tz.sign(x), x[1:, ::2], x.astype("float32") / 3,
                tz.astype(x * 1.5, dtype)]

    wanted = [z.numpy() for z in every(*map(tz.asarray, (x, y, places)))]
    proto = of_fixed_shapes(every, [x, y, places], len(wanted))
    for i, (one, other) in enumerate(zip(outputs(session(proto), [x, y, places]), wanted, strict=True)):
        np.testing.assert_array_equal(one, other, err_msg=f"number {i} of `every`")
