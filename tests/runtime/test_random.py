"""Random numbers: Philox against the published vectors, the streams of generators, and the shapes of distributions."""

import numpy as np
import pytest
from helpers import assert_same
from scipy import stats

import tarazu as tz
from tarazu.backend.numpy.philox import philox
from tarazu.base.errors import ArgumentError, ShapeError
from tarazu.ops.random.bits import advance, bits

# Known answers of the Random123 library (kat_vectors, philox4x32-10): counter, key, result.
KNOWN = [
    ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    ([0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], [0xA4093822, 0x299F31D0],
     [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1]),
]


@pytest.mark.parametrize(("counter", "key", "result"), KNOWN)
def test_philox_known_answers(counter, key, result):
    found = philox(np.array(key, np.uint32), np.array(counter, np.uint64)[:, None])
    assert found[:, 0].tolist() == result


def test_words_of_a_draw_are_those_of_its_blocks():
    state = tz.tensor(np.array([0xA4093822, 0x299F31D0, 0x13198A2E, 0x03707344], np.uint32))
    words = bits(state, (2, 5)).numpy().reshape(-1)
    assert words.tolist() == [word for block in range(3) for word in _block(block)][:10]
    assert_same(bits(state, (3,)), words[:3])


def _block(number):
    counter = np.array([[number], [0], [0x13198A2E], [0x03707344]], np.uint64)
    return philox(np.array([0xA4093822, 0x299F31D0], np.uint32), counter)[:, 0].tolist()


def test_the_draw_count_carries():
    assert advance(tz.tensor(np.array([1, 2, 0xFFFFFFFF, 0], np.uint32))).tolist() == [1, 2, 0, 1]
    assert advance(tz.tensor(np.array([1, 2, 3, 0], np.uint32))).tolist() == [1, 2, 4, 0]


@pytest.mark.parametrize("words", [[1, 2, 3, 0], [1, 2, 0xFFFFFFFF, 0], [0xFFFFFFFF] * 4])
def test_a_draw_advances_the_state_in_memory_as_in_a_graph(words):
    generator = tz.random.Generator()
    generator.load_state_dict({"state": words})
    assert generator.next_state().tolist() == words
    assert generator.state.tolist() == advance(tz.tensor(np.array(words, np.uint32))).tolist()


def test_seeds_and_streams():
    a, b, c = tz.random.Generator(7), tz.random.Generator(7), tz.random.Generator(8)
    first = tz.random.normal(5, generator=a)
    assert_same(first, tz.random.normal(5, generator=b))
    assert first.tolist() != tz.random.normal(5, generator=c).tolist()
    assert first.tolist() != tz.random.normal(5, generator=a).tolist()
    a.seed(7)
    assert_same(first, tz.random.normal(5, generator=a))


@pytest.mark.parametrize(("content", "kind", "text"), [
    ({"sate": [1, 0, 0, 0]}, ArgumentError, "does not fit the generator: missing state; not known sate"),
    ({"state": [1, 0]}, ShapeError, r"state in the state has shape \(2,\)\n  expected: shape \(4,\)")])
def test_a_state_that_does_not_fit(content, kind, text):
    generator = tz.random.Generator(7)
    with pytest.raises(kind, match=text):
        generator.load_state_dict(content)
    assert generator.state_dict() == {"state": [7, 0, 0, 0]}


def test_the_global_generator():
    tz.random.seed(3)
    first = tz.randn(2, 3)
    tz.random.seed(3)
    assert_same(first, tz.randn((2, 3)))
    assert tz.randn(2, requires_grad=True).requires_grad


def test_state_is_saved_and_loaded():
    a, b = tz.random.Generator(2**40 + 1), tz.random.Generator()
    tz.random.uniform(3, generator=a)
    b.load_state_dict(a.state_dict())
    assert_same(tz.random.uniform(3, generator=a), tz.random.uniform(3, generator=b))


def test_split_streams_differ():
    parts = tz.random.Generator(1).split(3)
    draws = [tz.random.uniform(4, generator=g).tolist() for g in parts]
    assert len(set(map(tuple, draws))) == 3


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, "a"])
def test_bad_seeds(seed):
    with pytest.raises(ArgumentError, match=r"seed .*\n.*0 to 2\*\*64 - 1"):
        tz.random.Generator(seed)


@pytest.fixture
def generator():
    return tz.random.Generator(11)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_uniform(dtype, generator):
    x = tz.random.uniform(20000, dtype=dtype, generator=generator)
    assert str(x.dtype) == dtype
    x = x.astype("float64").numpy()
    assert x.min() >= 0
    assert x.max() < 1
    if dtype.endswith(("32", "64")):
        assert stats.kstest(x, "uniform").pvalue > 0.01
    shifted = tz.random.uniform((2, 3), -2, 4, generator=generator)
    assert shifted.shape == (2, 3)
    assert (shifted.numpy() >= -2).all() and (shifted.numpy() < 4).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normal(dtype, generator):
    x = tz.random.normal(20001, 1.0, 2.0, dtype=dtype, generator=generator).numpy()
    assert np.isfinite(x).all()
    assert stats.kstest((x - 1) / 2, "norm").pvalue > 0.01
    half = len(x) // 2
    assert abs(np.corrcoef(x[:half], x[half + 1:])[0, 1]) < 0.03  # the two of each Box-Muller pair
    assert tz.random.normal((), generator=generator).shape == ()
    assert tz.random.normal((0, 2), generator=generator).shape == (0, 2)


def test_randint(generator):
    x = tz.random.randint(-3, 4, 14000, generator=generator)
    assert x.dtype is tz.int64
    counts = np.bincount(x.numpy() + 3, minlength=7)
    assert len(counts) == 7
    assert stats.chisquare(counts).pvalue > 0.01
    wide = tz.random.randint(-2**62, 2**62, 1000, generator=generator).numpy()
    assert abs(wide / 2**62).max() <= 1
    assert tz.random.randint(3, shape=(2, 2), generator=generator).numpy().max() < 3
    with pytest.raises(ArgumentError, match="randint from 3 up to 3"):
        tz.random.randint(3, 3)


def test_bernoulli(generator):
    x = tz.random.bernoulli(0.3, 20000, generator=generator)
    assert x.dtype is tz.bool
    assert abs(x.numpy().mean() - 0.3) < 0.015


@pytest.mark.parametrize("size", [0, 1, 5, 401])
def test_a_permutation_is_the_same_eagerly_and_traced(size):
    eager, traced = tz.random.Generator(7), tz.random.Generator(7)
    permuted = tz.jit(lambda: tz.random.permutation(size, generator=traced))
    for _ in range(2):
        assert tz.random.permutation(size, generator=eager).tolist() == permuted().tolist()


def test_permutation(generator):
    x = tz.random.permutation(1000, generator=generator).numpy()
    assert sorted(x) == list(range(1000))
    assert abs(np.corrcoef(x, np.arange(1000))[0, 1]) < 0.1
    firsts = [tz.random.permutation(3, generator=generator).tolist() for _ in range(600)]
    assert stats.chisquare([firsts.count(list(p)) for p in ([0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1],
                                                            [2, 1, 0])]).pvalue > 0.01
    rows = tz.random.permutation(tz.arange(6).reshape(3, 2), generator=generator).tolist()
    assert sorted(rows) == [[0, 1], [2, 3], [4, 5]]
