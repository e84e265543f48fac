"""Layers for categories: lookups by a vocabulary, encodings, bins, hashes."""

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError, DataError, DTypeError, OutOfRangeError, ShapeError
from tarazu.nn import (
    CategoryEncoding,
    Dense,
    Discretization,
    Embedding,
    Hashing,
    IntegerLookup,
    Sequential,
    StringLookup,
)

ANIMALS = ["cat", "dog", "cat", "bird", "cat", "dog"]


# Texts and integers by a vocabulary ---------------------------------------------------------------------------------

@pytest.mark.parametrize(("options", "vocabulary", "numbers"), [
    ({}, ["[UNK]", "cat", "dog", "bird"], [1, 0, 0]),
    ({"mask_token": ""}, ["", "[UNK]", "cat", "dog", "bird"], [2, 1, 0]),
    ({"max_tokens": 3}, ["[UNK]", "cat", "dog"], [1, 0, 0]),
    ({"max_tokens": 3, "mask_token": ""}, ["", "[UNK]", "cat"], [2, 1, 0])])
def test_texts(options, vocabulary, numbers):
    layer = StringLookup(**options).adapt(ANIMALS)
    assert layer.get_vocabulary() == vocabulary and layer.vocabulary_size == len(vocabulary)
    assert layer(["cat", "fish", ""]).tolist() == numbers
    again = StringLookup(**options, vocabulary=vocabulary)
    assert again.get_vocabulary() == vocabulary
    back = StringLookup(**options, vocabulary=vocabulary, invert=True)
    assert back(layer([["cat"], ["dog"]])) == [["cat"], [vocabulary[layer("dog").item()]]]


@pytest.mark.parametrize(("options", "vocabulary", "numbers"), [
    ({}, [-1, 7, 9, 1000], [1, 0, 3]), ({"mask_value": 5}, [5, -1, 7, 9, 1000], [2, 0, 4]),
    ({"max_tokens": 2}, [-1, 7], [1, 0, 0])])
def test_integers(options, vocabulary, numbers):
    layer = IntegerLookup(**options).adapt(iter([[7, 9, 7], [7, 9, 1000]]))
    assert layer.get_vocabulary() == vocabulary and layer.vocabulary_size == len(vocabulary)
    x = tz.tensor([[7, 5, 1000]])
    assert layer(x).tolist() == tz.jit(layer.__call__)(x).tolist() == [numbers]
    assert layer(x.astype("int32")).dtype is tz.int64
    back = IntegerLookup(**options, vocabulary=[v for v in vocabulary if v not in (-1, 5)], invert=True)
    assert back(layer(tz.tensor(7))).item() == 7


def test_several_numbers_for_unknown_ones():
    texts = StringLookup(vocabulary=["a"], num_oov_indices=5)([f"text {i}" for i in range(50)]).tolist()
    integers = IntegerLookup(vocabulary=[-3], num_oov_indices=5)(tz.arange(-50, 0)).tolist()
    assert set(texts) == set(range(5)) and set(integers) == set(range(6))


@pytest.mark.parametrize("mode", ["one_hot", "multi_hot", "count"])
def test_vectors(mode):
    layer = StringLookup(vocabulary=["a", "b"], mask_token="", output_mode=mode)
    texts = ["b", "c", ""] if mode == "one_hot" else [["b", "c", "b"], ["", "a", "a"]]
    numbers = StringLookup(vocabulary=["a", "b"], mask_token="")(texts).numpy() - 1
    wanted = (numbers[..., None] == np.arange(3)).astype(np.float32)
    if mode != "one_hot":
        wanted = wanted.sum(-2) if mode == "count" else wanted.max(-2)
    np.testing.assert_array_equal(layer(texts), wanted)


def test_one_hot_of_a_column():
    assert CategoryEncoding(3, "one_hot")(tz.tensor([[2], [0]])).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert CategoryEncoding(3)(tz.tensor(1)).tolist() == [0, 1, 0]
    assert CategoryEncoding(3)(tz.zeros((2, 0), dtype="int64")).tolist() == [[0, 0, 0]] * 2


# Bins and hashes ----------------------------------------------------------------------------------------------------

def test_bins_are_those_of_numpy():
    x = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    layer = Discretization(num_bins=4).adapt(x[i:i + 7] for i in range(0, 50, 7))
    np.testing.assert_allclose(layer.boundaries, np.quantile(x, [0.25, 0.5, 0.75]), rtol=1e-6)
    np.testing.assert_array_equal(layer(tz.asarray(x)), np.digitize(x, layer.boundaries.numpy()))
    assert np.bincount(layer(tz.asarray(x)).numpy().ravel()).tolist() == [25] * 4
    assert Discretization([1.0], output_mode="one_hot")(tz.tensor([0.0, 1.0])).tolist() == [[1, 0], [0, 1]]
    assert Discretization(num_bins=9).adapt([1.0, 1.0]).boundaries.tolist() == [1.0]


def mixed(h):
    """lowbias32 of Chris Wellons in whole numbers."""
    h = (h ^ h >> 16) * 0x7FEB352D % 2**32
    h = (h ^ h >> 15) * 0x846CA68B % 2**32
    return h ^ h >> 16


def test_hashes_spread_evenly_and_stay():
    integers = Hashing(8)(tz.arange(4000)).numpy()
    texts = Hashing(8)([str(i) for i in range(4000)]).numpy()
    for numbers in (integers, texts):
        counts = np.bincount(numbers, minlength=8)
        assert ((counts - 500) ** 2 / 500).sum() < 24.3  # chi square with 7 degrees of freedom, one in a thousand
    for x in (0, 1, -1, 2**40):
        h = mixed(mixed(5) ^ x % 2**32)
        assert Hashing(1000, salt=5)(tz.tensor(x)).item() == mixed(mixed(h) ^ (x >> 32) % 2**32) % 1000
    assert (Hashing(8, salt=1)(tz.arange(4000)).numpy() != integers).mean() > 0.8
    assert Hashing(8)(tz.tensor([3], dtype="int32")).tolist() == Hashing(8)(tz.tensor([3])).tolist()


@pytest.mark.native
def test_hashes_of_integers_are_the_same_compiled():
    layer = Hashing(1000)
    x = tz.asarray(np.random.default_rng(0).integers(-2**62, 2**62, 100))
    np.testing.assert_array_equal(tz.jit(layer.__call__)(x, x + 1), layer(x, x + 1))


def test_crossed_features():
    layer = Hashing(10_000)
    numbers = layer(["a", "a", "b", "b"], [1, 2, 1, 2]).tolist()
    assert len(set(numbers)) == 4 and layer(["b"], [2]).tolist() == numbers[-1:]
    assert layer([1, 2], [3, 4]).tolist() != layer([3, 4], [1, 2]).tolist()


# In models ----------------------------------------------------------------------------------------------------------

LAYERS = {
    "texts": (lambda: StringLookup().adapt(ANIMALS), np.array(ANIMALS)),
    "given texts": (lambda: StringLookup(vocabulary=["dog", "cat"]), ANIMALS),
    "integers": (lambda: IntegerLookup().adapt([10, 20, 10]), np.array([10, 20, 10, 3, 10, 3])),
    "bins": (lambda: Discretization(num_bins=3).adapt(np.arange(6.0)), np.arange(6.0)),
    "hashed texts": (lambda: Hashing(4), ANIMALS), "hashed integers": (lambda: Hashing(4), np.arange(6)),
}


@pytest.mark.parametrize(("make", "x"), LAYERS.values(), ids=LAYERS)
def test_a_model_that_begins_with_it_trains_and_is_saved(make, x, tmp_path):
    model = Sequential([make(), Embedding(8, 2), Dense(1)]).compile(tz.optim.Adam(lr=0.1), "mse")
    y = np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0])[:, None]
    history = model.fit(x, y, epochs=15, verbose=0, seed=0)
    assert history[-1]["loss"] < 0.9 * history[0]["loss"]
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(tz.load(tmp_path / "model").predict(x), model.predict(x))


# Misuse -------------------------------------------------------------------------------------------------------------

MISUSES = {
    "not adapted": (lambda: StringLookup()(["a"]), ArgumentError, "StringLookup has no vocabulary"),
    "integers not adapted": (lambda: IntegerLookup()(tz.tensor([1])), ArgumentError, "IntegerLookup has no vocabulary"),
    "no bins": (lambda: Discretization(num_bins=2)(tz.ones(1)), ArgumentError, "Discretization has no boundaries"),
    "mode": (lambda: StringLookup(output_mode="onehot"), ArgumentError, r"output_mode='onehot'\n.*\n.*mean 'one_hot'"),
    "inverse": (lambda: StringLookup(invert=True, output_mode="count"), ArgumentError, "invert with output_mode"),
    "unknown": (lambda: StringLookup(vocabulary=["a"], num_oov_indices=0)(["b"]), DataError, "'b' is not in the"),
    "number": (lambda: StringLookup(vocabulary=["a"], invert=True)([2]), OutOfRangeError, "number 2 for 2 texts"),
    "scores": (lambda: StringLookup(vocabulary=["a"], invert=True)([0.5]), DTypeError, "an input of float64"),
    "no unknown integers": (lambda: IntegerLookup(num_oov_indices=0), ArgumentError, "num_oov_indices=0"),
    "floats": (lambda: IntegerLookup(vocabulary=[1])(tz.ones(1)), DTypeError, "an input of float32"),
    "fractions": (lambda: IntegerLookup().adapt([0.5]), DataError, r"that are no integers\n.*\n.*Discretization"),
    "twice": (lambda: IntegerLookup(vocabulary=[1, 1]), ArgumentError, r"vocabulary=\[1, 1\]"),
    "category": (lambda: CategoryEncoding(3)(tz.tensor([3])), OutOfRangeError, "category 3 of 3"),
    "floats to encode": (lambda: CategoryEncoding(3)(tz.ones(1)), DTypeError, "an input of float32"),
    "both": (lambda: Discretization([1.0], num_bins=3), ArgumentError, "expected: one of them"),
    "order": (lambda: Discretization([1.0, 0.0]), ArgumentError, "numbers in increasing order"),
    "given": (lambda: Discretization([1.0]).adapt([1.0]), ArgumentError, "adapt of a Discretization with given"),
    "nan": (lambda: Discretization(num_bins=2).adapt([np.nan]), DataError, "numbers that are not finite"),
    "nothing": (lambda: Discretization(num_bins=2).adapt([]), DataError, "there are no numbers to adapt to"),
    "hash of floats": (lambda: Hashing(3)(tz.ones(1)), DTypeError, r"float32\n  expected: texts or integers"),
    "crossed shapes": (lambda: Hashing(3)(["a"], ["b", "c"]), ShapeError, r"inputs of shapes \(1,\) and \(2,\)"),
    "salt": (lambda: Hashing(3, salt=-1), ArgumentError, "salt=-1"),
}


@pytest.mark.parametrize(("act", "kind", "text"), MISUSES.values(), ids=MISUSES)
def test_what_misuse_says(act, kind, text):
    with pytest.raises(kind, match=text):
        act()
