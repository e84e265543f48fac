"""Every line of the op table on XLA's CPU against NumPy: values and gradients, in every dtype that a line takes."""

import numpy as np
import pytest
from checking import problems
from optable import RECORDS, Record
from optable_programs import CLOSE, agree, graphs, joined
from random_gradients import with_gradients
from random_graphs import case_of_seed

import tarazu as tz
from tarazu.backend.numpy import BACKEND
from tarazu.base.dtypes import as_dtype
from tarazu.base.errors import TarazuError
from tarazu.runtime.compile import compile_graph

RECORD = pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
WHOLE = {"i": ("int64", "int32", "int8"), "b": ("bool",)}
INEXACT = ("bfloat16", "float16", "complex64", "complex128")
SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 700.0, -700.0, 90.0])


def compiled(graph):
    program = compile_graph(graph, "xla")
    return lambda *arrays: [np.asarray(x) for x in program(*arrays)]


def check(record: Record, draws: list[tuple[int, str]], *, backward: bool = True) -> None:
    """Values and gradients in some shapes and dtypes, all of them in one program."""
    cases = []
    for choice, dtype in draws:
        arrays = [np.asarray(x) for x in record.draw(choice, as_dtype(dtype).numpy)]
        own = list(graphs(record, arrays)) if backward else [tz.trace(record.function)(*arrays)]
        cases += [(graph, arrays) for graph in own]
    agree(cases, compiled, lambda threads: None, of_largest=1e-6 if record.name.startswith("fft.") else 0)


EVERY_TENTH = pytest.mark.parametrize(("record", "number"), [(record, i) for i, record in enumerate(RECORDS[::10])],
                                      ids=[record.name for record in RECORDS[::10]])


@EVERY_TENTH
def test_values_and_gradients(record, number):
    """In float64 and one other dtype, another from line to line; `test_all_shapes` has all lines and dtypes."""
    others = ["float32", *(name for kind, names in WHOLE.items() if kind in record.also for name in names)]
    check(record, [(0, "float64"), (0, others[number % len(others)])])


@pytest.mark.long
@RECORD
def test_all_shapes(record):
    for choice in range(len(record.shapes)):
        whole = [(choice, name) for kind, names in WHOLE.items() if kind in record.also for name in names]
        check(record, [(choice, "float64"), (choice, "float32"), *whole])


def takes(record: Record, dtype: str) -> bool:
    try:
        tz.trace(record.function)(*map(np.asarray, record.draw(0, as_dtype(dtype).numpy)))
    except (TarazuError, TypeError, ValueError):
        return False
    return True


REAL_ONLY = {"cholesky upper", "cond"}  # whose inputs, made complex, are none: not positive definite, not ordered


def inexact(record: Record) -> list[str]:
    """The half and complex dtypes that a line takes."""
    return [dtype for dtype in INEXACT if record.differentiable and takes(record, dtype)
            and not (record.name in REAL_ONLY and dtype.startswith("complex"))]


@EVERY_TENTH
def test_a_half_or_complex_dtype(record, number):
    """One dtype of every tenth line, another from line to line; the test below has all lines and dtypes."""
    if known := inexact(record):
        check(record, [(0, known[number % len(known)])], backward=False)


@pytest.mark.long
@RECORD
def test_half_and_complex_values(record):
    if known := inexact(record):
        check(record, [(0, dtype) for dtype in known], backward=False)


UNSIGNED = ("maximum", "minimum")  # of 0.0 and -0.0 either is right
SPECIALS = [record for record in RECORDS if record.special and len(record.domains) <= 2]


def test_special_values():
    """NaN, infinities and zeros with their signs, all lines in one program."""
    cases = []
    for record in SPECIALS:
        for dtype in ("float64", "float32"):
            special = SPECIAL.astype(dtype)
            arrays = [special, np.ascontiguousarray(special[:, None])][:len(record.domains)]
            cases.append((f"{record.name} of {dtype}", tz.trace(record.function)(*arrays), arrays))
    common_device = iter(compiled(joined([graph for _, graph, _ in cases]))(*[x for *_, own in cases for x in own]))
    wrong = [f"{name}: {problem}" for name, graph, arrays in cases for wanted in BACKEND.compile(graph)(*arrays)
             if (problem := special_difference(next(common_device), wanted, is_signed=not name.startswith(UNSIGNED)))]
    assert not wrong, "\n".join(wrong)


def special_difference(found, wanted, *, is_signed) -> str:
    tolerance = {np.dtype(np.float64): CLOSE, np.dtype(np.float32): 3e-6}.get(wanted.dtype, 0)
    with np.errstate(all="ignore"):
        smallest = np.finfo(wanted.dtype).tiny if tolerance else 0  # XLA takes smaller numbers for 0
        near = np.isclose(found, wanted, rtol=tolerance, atol=smallest, equal_nan=True)
    zeros = (found == 0) & (wanted == 0) if tolerance and is_signed else np.zeros(near.shape, bool)
    near &= ~zeros | (np.signbit(found) == np.signbit(wanted))
    if near.all():
        return ""
    place = tuple(np.argwhere(~near)[0])
    return f"{found[place]!r} instead of {wanted[place]!r} at {place}"


def check_seed(seed: int, change=lambda case: case) -> None:
    found = list(problems(change(case_of_seed(seed)), compiled))
    assert not found, f"seed {seed}: " + "; ".join(found)


@pytest.mark.parametrize("seed", range(10))
def test_random_graphs(seed):
    check_seed(seed)


@pytest.mark.parametrize("seed", range(100, 104))
def test_gradients_of_random_graphs(seed):
    check_seed(seed, with_gradients)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1000, 1400))
def test_many_random_graphs(seed):
    check_seed(seed)
    check_seed(seed, with_gradients)
