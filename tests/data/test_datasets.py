"""Datasets: what each method gives, against NumPy; errors; what `fit` asks of them."""

import itertools

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError, DataError, DTypeError, ScalarError, ShapeError
from tarazu.base.pytree import flatten, map_leaves
from tarazu.data import Dataset

ROWS = np.arange(60, dtype=np.float32).reshape(20, 3)
LABELS = np.arange(20)


def epoch(dataset, number=0, skip=0):
    """The batches of an epoch as nested lists."""
    return [map_leaves(lambda leaf: leaf.tolist(), batch) for batch in dataset.batches(number, skip)]


def numbers(dataset):
    return [int(x) for x in dataset]


def noisy(x, rng):
    return x + rng.normal()


PIPELINES = {
    "arrays": lambda: Dataset((ROWS, LABELS)).batch(6),
    "shuffled": lambda: Dataset({"x": ROWS, "y": LABELS}).shuffle(seed=3).batch(6),
    "random map": lambda: Dataset(LABELS).map(noisy, seed=1).shuffle(seed=2).batch(6, drop_last=True),
    "filtered": lambda: Dataset(LABELS).filter(lambda x: x % 3).map(noisy, seed=1).batch(4),
    "iterable": lambda: Dataset(lambda: iter(LABELS)).map(noisy, seed=1).batch(4),
    "buffer": lambda: Dataset(lambda: iter(LABELS)).shuffle(seed=1, buffer=7).map(noisy, seed=1).batch(4),
    "repeated": lambda: Dataset(LABELS).map(noisy, seed=5).shuffle(seed=1).repeat(2).batch(6),
    "iterable repeated": lambda: Dataset(lambda: iter(LABELS)).repeat(2).batch(6),
    "windows": lambda: Dataset(ROWS).map(noisy, seed=1).window(3, shift=2, target=1).batch(4),
    "windows in order": lambda: Dataset(lambda: iter(ROWS)).window(3, shift=2, target=1).batch(4),
    "zipped": lambda: Dataset(ROWS).zip(Dataset(lambda: iter(LABELS)), Dataset(LABELS)).batch(4),
    "concatenated": lambda: Dataset(LABELS).map(noisy, seed=1).concat(Dataset(lambda: iter(LABELS))).batch(7),
    "concatenated arrays": lambda: Dataset(LABELS).concat(Dataset(LABELS)).batch(7),
    "part of batches": lambda: Dataset(LABELS).shuffle(seed=0).batch(3).take(5).skip(1).repeat(2),
    "cached": lambda: Dataset(LABELS).map(noisy, seed=1).filter(lambda x: x > 3).cache().shuffle(seed=0).batch(4),
    "unbatched": lambda: Dataset(ROWS).batch(7).unbatch().batch(4),
    "resampled": lambda: Dataset(LABELS).map(noisy, seed=1).resample(LABELS, seed=0).batch(6),
    "buckets": lambda: (Dataset(LABELS).shuffle(seed=0).map(lambda x: np.arange(x % 5))
                        .batch(3, pad=0, buckets=(2, 4))),
    "numbered": lambda: Dataset(lambda: iter(LABELS)).enumerate().take(9).batch(4),
}


@pytest.mark.parametrize("name", PIPELINES)
def test_an_epoch_repeats_and_skipping_equals_dropping(name):
    dataset = PIPELINES[name]()
    for number in (0, 3):
        whole = epoch(dataset, number)
        assert whole == epoch(PIPELINES[name](), number)
        assert dataset.steps in (None, len(whole))
        for skip in (1, 2, len(whole), len(whole) + 1):
            assert epoch(dataset, number, skip) == whole[skip:]


@pytest.mark.parametrize("name", ["shuffled", "random map", "filtered", "buffer", "repeated", "part of batches"])
def test_epochs_differ(name):
    assert epoch(PIPELINES[name](), 0) != epoch(PIPELINES[name](), 1)


@pytest.mark.parametrize("name", PIPELINES)
def test_threads_change_nothing(name, monkeypatch):
    whole = epoch(PIPELINES[name](), 1)
    once = Dataset.map
    monkeypatch.setattr(Dataset, "map", lambda self, f, **options: once(self, f, threads=3, **options))
    assert epoch(PIPELINES[name](), 1) == whole


def test_arrays_come_in_batches():
    x, y = zip(*Dataset((ROWS, LABELS)).batch(8).batches(0), strict=True)
    assert [len(part) for part in x] == [8, 8, 4]
    np.testing.assert_array_equal(np.concatenate(x), ROWS)
    np.testing.assert_array_equal(np.concatenate(y), LABELS)
    assert [len(batch) for batch in Dataset(ROWS).batch(8, drop_last=True).batches(0)] == [8, 8]


def test_a_shuffle_is_a_permutation_of_all_samples():
    dataset = Dataset(LABELS).shuffle(seed=0)
    assert sorted(numbers(dataset)) == LABELS.tolist()
    buffered = Dataset(lambda: iter(LABELS)).shuffle(seed=0, buffer=5)
    mixed = numbers(buffered)
    assert sorted(mixed) == LABELS.tolist() != mixed
    assert all(value <= position + 5 for position, value in enumerate(mixed))  # a buffer reaches no further ahead


def test_a_shuffle_after_a_filter_is_whole():
    dataset = Dataset(LABELS).filter(lambda x: x % 2).map(lambda x: x * 10).shuffle(seed=1)
    first, second = numbers(dataset), numbers(dataset)
    assert sorted(first) == sorted(second) == list(range(10, 200, 20))
    assert first != second


def test_the_seed_comes_from_tarazu_unless_it_is_given():
    def order():
        tz.random.seed(5)
        return numbers(Dataset(LABELS).shuffle())

    assert order() == order()
    assert numbers(Dataset(LABELS).shuffle()) != numbers(Dataset(LABELS).shuffle())


def test_draws_are_of_the_sample_not_of_its_place_in_the_order():
    plain = dict(Dataset((LABELS, LABELS)).map(lambda i, x, rng: (int(i), rng.normal()), seed=4).batch(1).unbatch())
    mixed = dict(Dataset((LABELS, LABELS)).map(lambda i, x, rng: (int(i), rng.normal()), seed=4).shuffle(seed=0))
    assert plain == mixed
    assert len(set(plain.values())) == 20


def test_two_maps_and_two_repetitions_draw_differently():
    drawn = Dataset(np.zeros(3)).map(noisy, seed=0).map(lambda x, rng: (x, rng.normal()), seed=0).repeat(2)
    values = [float(value) for pair in drawn for value in pair]
    assert len(set(values)) == 12


@pytest.mark.parametrize("sizes, expected", [
    ((0.8,), [16, 4]), ((0.5, 0.25), [10, 5, 5]), ((0.5, 0.5), [10, 10]), ((5,), [5, 15]), ((5, 15), [5, 15]),
    ((0.7, 0.2, 0.1), [14, 4, 2]),
])
def test_a_split_deals_each_sample_to_one_part(sizes, expected):
    parts = Dataset(LABELS).split(*sizes, seed=2)
    assert list(map(len, parts)) == expected
    assert sorted(x for part in parts for x in numbers(part)) == LABELS.tolist()
    again = Dataset(LABELS).split(*sizes, seed=2)
    assert list(map(numbers, parts)) == list(map(numbers, again))


@pytest.mark.parametrize("size, shift, stride", list(itertools.product((1, 3, 4), (1, 2, 5), (1, 2))))
def test_windows_are_those_of_numpy(size, shift, stride):
    span = (size - 1) * stride + 1
    expected = np.lib.stride_tricks.sliding_window_view(ROWS, span, 0).transpose(0, 2, 1)[::shift, ::stride]
    arrays, iterable = Dataset(ROWS), Dataset(lambda: iter(ROWS))
    for source in (arrays, iterable):
        windows = source.window(size, shift, stride)
        np.testing.assert_array_equal(np.concatenate(list(windows.batch(4).batches(0))), expected)
        np.testing.assert_array_equal(np.stack(list(windows)), expected)
    assert len(arrays.window(size, shift, stride)) == len(expected)


@pytest.mark.parametrize("ahead, shift, stride", [(1, 1, 1), (0, 2, 1), (3, 2, 2)])
def test_series_have_the_target_that_lies_ahead(ahead, shift, stride):
    windows, targets = next(iter(tz.data.timeseries(ROWS, 4, LABELS, ahead=ahead, shift=shift, stride=stride)
                                 .batch(100).batches(0)))
    np.testing.assert_array_equal(targets, windows[:, -1, 0] / 3 + ahead)  # row i is 3 * i, 3 * i + 1, 3 * i + 2
    rows = tz.data.timeseries(ROWS, 4, ahead=ahead, shift=shift, stride=stride)
    own_windows, own = next(iter(rows.batch(100).batches(0)))
    np.testing.assert_array_equal(own_windows, windows)
    np.testing.assert_array_equal(own[:, 0] / 3, targets)
    assert len(rows) == len(windows)


def test_zip_ends_with_the_shortest_and_concat_goes_on():
    short, endless = Dataset(LABELS[:3]), Dataset(LABELS[:2]).repeat()
    assert [tuple(map(int, pair)) for pair in short.zip(endless)] == [(0, 0), (1, 1), (2, 0)]
    assert numbers(short.concat(Dataset(iter([7, 8])))) == [0, 1, 2, 7, 8]
    assert len(short.zip(endless)) == 3


def test_endless_datasets():
    endless = Dataset(LABELS).repeat().batch(8)
    assert endless.steps is None
    assert [len(batch) for batch in itertools.islice(endless.batches(0), 5)] == [8] * 5
    assert len(endless.take(4)) == 4
    with pytest.raises(ScalarError, match="not known, or it has no end"):
        len(endless)


def test_a_cache_keeps_the_first_epoch():
    calls = []
    cached = Dataset(lambda: iter(range(4))).map(lambda x: calls.append(x) or np.array([x])).cache()
    assert len(cached) == 4
    for sample in cached:
        sample += 1  # a copy
    assert [int(x[0]) for x in cached.shuffle(seed=0).batch(4).unbatch().cache().take(4)] != []
    assert sorted(int(x[0]) for x in cached) == calls == [0, 1, 2, 3]


def test_padding_fills_up_and_masks():
    ragged = [(np.array([[1, 1], [2, 2]]), 0), (np.array([[3, 3]]), 1), (np.zeros((0, 2), int), 1)]
    (values, mask), labels = next(Dataset(ragged).batch(3, pad=-1, multiple_of=4).batches(0))
    assert values.shape == (3, 4, 2)
    assert values[:, :, 0].tolist() == [[1, 2, -1, -1], [3, -1, -1, -1], [-1] * 4]
    assert mask.tolist() == [[True, True, False, False], [True, False, False, False], [False] * 4]
    assert labels.tolist() == [0, 1, 1]


def test_padding_of_some_leaves():
    rows = [{"a": [1], "b": [1, 2], "n": [5, 6]}, {"a": [1, 2], "b": [3], "n": [7, 8]}]
    batch = next(Dataset(rows).map(lambda row: {k: np.array(v) for k, v in row.items()})
                 .batch(2, pad={"a": 0, "b": 9}).batches(0))
    assert list(batch) == ["a", "b", "n", "a_mask", "b_mask"]
    assert batch["b"].tolist() == [[1, 2], [3, 9]]
    assert batch["n"].tolist() == [[5, 6], [7, 8]]
    alone = next(Dataset([np.arange(2), np.arange(1)]).batch(2, pad=0).batches(0))
    assert type(alone) is tuple
    assert alone[1].tolist() == [[True, True], [True, False]]
    lists = next(Dataset(([[1, 2], [3]], [0, 1])).batch(2, pad=(0, None)).batches(0))
    assert lists[0][0].tolist() == [[1, 2], [3, 0]]


def test_buckets_hold_samples_of_similar_length():
    lengths = [1, 5, 2, 3, 9, 4, 2, 12]
    samples = Dataset([(np.full(length, length), length) for length in lengths])
    batches = list(samples.batch(2, pad=0, buckets=(3, 6)).batches(0))
    assert [(labels.tolist(), values.shape[1]) for (values, _), labels in batches] == [
        ([1, 2], 3), ([5, 4], 6), ([3, 2], 3), ([9, 12], 12)]
    assert all((mask.sum(1) == labels).all() for (_, mask), labels in batches)
    assert len(list(samples.skip(1).batch(2, pad=0, buckets=(3,), drop_last=True).batches(0))) == 3


def test_an_own_collate_gets_the_list_of_samples():
    batches = Dataset(LABELS).batch(8, collate=lambda samples: (np.concatenate([[x] for x in samples]), len(samples)))
    assert [size for _, size in batches.batches(0)] == [8, 8, 4]
    assert batches.in_memory() is None


def test_selected_and_resampled_samples():
    dataset = Dataset((ROWS, LABELS))
    np.testing.assert_array_equal(only_batch(dataset.select(LABELS[::-3]))[0], ROWS[::-3])
    assert dataset.select([3, 3]).batch(2).in_memory()[1].tolist() == [3, 3]
    weights = np.arange(20.0)
    drawn = Dataset(LABELS).resample(weights, n=19_000, seed=0)
    counts = np.bincount(only_batch(drawn), minlength=20)
    assert counts[0] == 0
    np.testing.assert_allclose(counts / 100, weights, atol=1.5)
    assert numbers(drawn) != numbers(drawn)
    assert drawn.batch(2).in_memory() is None


def only_batch(dataset):
    batch, = dataset.batch(100_000).batches(0)
    return batch


def test_maps_of_batches_get_tensors_and_are_compiled_once():
    traces = []

    def double(x, y):
        traces.append(type(x).__name__)
        return {"x": x * 2}, y

    dataset = Dataset((ROWS.astype(np.float64), LABELS)).batch(5).map(double).map(lambda pair: pair[0]["x"])
    batches = list(dataset)
    assert traces == ["Tensor"]
    assert all(isinstance(batch, tz.Tensor) and batch.dtype is tz.float32 for batch in batches)
    np.testing.assert_array_equal(np.concatenate([batch.numpy() for batch in batches]), ROWS * 2)
    assert dataset.on_batch((tz.tensor([1.0]), None)).tolist() == [2.0]
    assert [batch.shape for batch in dataset.take(1)] == [(5, 3)]


def test_zipped_batches_keep_their_maps():
    pair = Dataset(ROWS).batch(4).map(lambda x: x * 2).zip(Dataset(LABELS).batch(4))
    x, y = next(iter(pair))
    np.testing.assert_array_equal(x.numpy(), ROWS[:4] * 2)
    assert y.tolist() == [0, 1, 2, 3]


def test_texts_stay_in_numpy():
    batch = next(iter(Dataset({"name": ["a", "bc"], "n": [1, 2]}).batch(2)))
    assert batch["name"].tolist() == ["a", "bc"]
    assert isinstance(batch["n"], tz.Tensor)


@pytest.mark.parametrize("make, expected", [
    (lambda d: d, True), (lambda d: d.shuffle(seed=0), True), (lambda d: d.split(0.5)[0], True),
    (lambda d: d.take(9).skip(2), True), (lambda d: d.concat(d), True), (lambda d: d.zip(d), True),
    (lambda d: d.map(lambda x, y: (x, y)), False), (lambda d: d.filter(lambda x, y: True), False),
    (lambda d: d.window(2), False), (lambda d: d.repeat(2), False), (lambda d: d.shuffle(seed=0).take(3), False),
])
def test_what_lies_in_memory(make, expected):
    dataset = make(Dataset((ROWS, LABELS)))
    held = dataset.batch(4).in_memory()
    assert (held is not None) == expected
    if held is not None and not dataset.is_shuffled:
        leaves = [np.concatenate(parts) for parts in zip(*[flatten(b)[0] for b in dataset.batch(4).batches(0)],
                                                         strict=True)]
        for leaf, batched in zip(flatten(held)[0], leaves, strict=True):
            np.testing.assert_array_equal(leaf, batched)


def test_what_fit_asks():
    dataset = Dataset((ROWS, LABELS)).shuffle(seed=7).batch(6, drop_last=True)
    assert (dataset.batch_size, dataset.drop_last, dataset.is_shuffled, dataset.seed) == (6, True, True, 7)
    assert (dataset.steps, dataset.can_skip, dataset.on_batch) == (3, True, None)
    samples = Dataset(lambda: iter(ROWS))
    assert (samples.batch_size, samples.drop_last, samples.is_shuffled, samples.seed) == (None, False, False, None)
    assert (samples.steps, samples.can_skip) == (None, False)
    assert not Dataset(ROWS).filter(lambda x: True).batch(2).can_skip
    assert repr(dataset) == "Dataset(3 batches)"
    assert repr(samples) == "Dataset(samples)"
    assert repr(Dataset(LABELS[:1])) == "Dataset(1 sample)"


def test_a_dataset_trains_a_model():
    dataset = Dataset((ROWS / 60, LABELS / 20)).map(lambda x, y: (x, y)).shuffle(seed=0).batch(5)
    model = tz.nn.Sequential([tz.nn.Dense(1)]).compile("adam", loss="mse")
    assert len(model.fit(dataset.map(lambda x, y: (x * 2, y)), epochs=2, verbose=0)) == 2


def test_methods_leave_their_dataset_as_it_is():
    dataset = Dataset(LABELS)
    dataset.map(lambda x: x + 1).filter(lambda x: False).batch(3)
    assert numbers(dataset) == LABELS.tolist()
    sample = Dataset(ROWS)[0]
    sample += 1
    np.testing.assert_array_equal(Dataset(ROWS)[0], ROWS[0])
    assert int(Dataset(LABELS)[-1]) == 19


def fails(x):
    raise KeyError("color")


@pytest.mark.parametrize("make, error, text", [
    (lambda: Dataset({"a": ROWS, "b": [ROWS, LABELS[:5]]}), ShapeError, r"\['b'\] has 2 rows and \['a'\] has 20"),
    (lambda: Dataset((ROWS, LABELS[:5])), ShapeError, r"\[1\] has 5 rows and \[0\] has 20"),
    (lambda: Dataset([]), ArgumentError, "a source without samples"),
    (lambda: Dataset(ROWS[:0]), ArgumentError, "a source without rows"),
    (lambda: Dataset(()), ArgumentError, "a source without arrays"),
    (lambda: Dataset((ROWS, 1.0)), ShapeError, r"\[1\] is 1.0"),
    (lambda: Dataset("images"), ArgumentError, "the text 'images' as a source"),
    (lambda: Dataset(5), ArgumentError, "a source of type int"),
    (lambda: list(Dataset(lambda: iter(()))), ArgumentError, "a source that gave no sample"),
    (lambda: list(Dataset(lambda: 5)), ArgumentError, "a source that gave a int"),
    (lambda: Dataset(ROWS).map(5), ArgumentError, "a map with 5"),
    (lambda: list(Dataset(ROWS).map(fails)), DataError, "fails raised KeyError for sample 0: 'color'"),
    (lambda: Dataset(ROWS).batch(2).filter(fails), ArgumentError, r"filter\(\) after .batch"),
    (lambda: Dataset(ROWS).batch(2).shuffle(), ArgumentError, r"shuffle\(\) after .batch"),
    (lambda: Dataset(ROWS).batch(2).batch(2), ArgumentError, r"batch\(\) after .batch"),
    (lambda: Dataset(ROWS).batch(2).map(noisy), ArgumentError, "workers, threads or rng for a map after .batch"),
    (lambda: Dataset(ROWS).batch(2).map(fails, workers=2), ArgumentError, "workers, threads or rng"),
    (lambda: Dataset(ROWS).batch(2).map(fails).unbatch(), ArgumentError, r"unbatch\(\) after a map of batches"),
    (lambda: Dataset(ROWS).batch(2).map(fails).enumerate(), ArgumentError, r"enumerate\(\) after a map of batches"),
    (lambda: Dataset(ROWS).batches(0), ArgumentError, "a dataset without batches"),
    (lambda: Dataset(lambda: iter(ROWS)).shuffle(), ArgumentError, r"shuffle\(\) of samples that come in order"),
    (lambda: Dataset(ROWS).repeat().shuffle(), ArgumentError, "shuffle before .repeat"),
    (lambda: Dataset(ROWS).filter(fails).split(0.5), ArgumentError, r"split\(\) of samples whose number is not known"),
    (lambda: Dataset(ROWS).split(), ArgumentError, r"split\(\) without sizes"),
    (lambda: Dataset(ROWS).split(25), ArgumentError, "parts of 25 of 20 samples"),
    (lambda: Dataset(ROWS).split(0.01), ArgumentError, "parts of 0.01 of 20 samples"),
    (lambda: Dataset(ROWS).window(21), ArgumentError, "windows over 21 samples of a dataset of 20"),
    (lambda: tz.data.timeseries(ROWS, 4, LABELS[:5]), ShapeError, "x has 20 steps and y has 5"),
    (lambda: tz.data.timeseries(ROWS, 4, ahead=-1), ArgumentError, "ahead=-1"),
    (lambda: Dataset(ROWS).zip(ROWS), ArgumentError, "zip with a ndarray"),
    (lambda: Dataset(ROWS).concat(Dataset(ROWS).batch(2)), ArgumentError, "concat of batches with samples"),
    (lambda: Dataset(ROWS).batch(2).concat(Dataset(ROWS).batch(2).map(fails)), ArgumentError, "different maps after"),
    (lambda: Dataset(ROWS)[20], IndexError, "item 20 of a dataset of 20"),
    (lambda: Dataset(lambda: iter(ROWS))[0], ArgumentError, "samples of this dataset have no numbers"),
    (lambda: Dataset(ROWS).batch(0), ArgumentError, "n=0"),
    (lambda: Dataset(ROWS).batch(2, pad="x"), DTypeError, "pad='x'"),
    (lambda: Dataset(ROWS).batch(2, pad=0, collate=len), ArgumentError, "both pad and collate"),
    (lambda: Dataset(ROWS).batch(2, buckets=(3,)), ArgumentError, r"buckets=\(3,\)"),
    (lambda: Dataset(ROWS).batch(2, pad=0, buckets=(3, 2)), ArgumentError, r"buckets=\(3, 2\)"),
    (lambda: Dataset(ROWS).select([0, 20]), ArgumentError, "numbers from 0 to 20 of 20 samples"),
    (lambda: Dataset(ROWS).select(ROWS), ArgumentError, r"select\(\) with float32 of shape \(20, 3\)"),
    (lambda: Dataset(ROWS).resample([1.0]), ArgumentError, r"weights of shape \(1,\) for 20 samples"),
    (lambda: Dataset(ROWS).resample(LABELS - 1), ArgumentError, "weights from -1.0 to 18.0"),
    (lambda: Dataset(ROWS).map(fails, workers=-1), ArgumentError, "workers=-1"),
    (lambda: Dataset(ROWS).take(-1), ArgumentError, r"take\(-1\)"),
    (lambda: Dataset(ROWS).shuffle(seed=-1), ArgumentError, "seed=-1"),
    (lambda: next(Dataset([{"x": 1, "y": 2}, {"x": 1}]).batch(2).batches(0)), ShapeError,
     r"sample 1 lacks the key 'y'; sample 0 is \{'x': ., 'y': .\}"),
    (lambda: next(Dataset([(1, 2), (1, 2, 3)]).batch(2).batches(0)), ShapeError, r"sample 1 is \(., ., .\)"),
    (lambda: next(Dataset(LABELS).map(lambda i: {"x": np.zeros(3 + i // 9)}).batch(20).batches(0)), ShapeError,
     r"sample 9 has shape \(4,\) in \['x'\]; sample 0 has \(3,\)"),
    (lambda: next(Dataset([np.zeros((2, 3)), np.zeros((2, 4))]).batch(2, pad=0).batches(0)), ShapeError,
     r"sample 1 has shape \(2, 4\) in the array"),
    (lambda: next(Dataset([{"x": [1], "mask": 1}]).map(lambda r: {**r, "x": np.ones(2)}).batch(1, pad={"x": 0})
                  .batches(0)), ArgumentError, "the samples have a key 'mask' already"),
])
def test_errors(make, error, text):
    with pytest.raises(error, match=text):
        make()


def test_an_iterator_lasts_one_epoch():
    dataset = Dataset(iter([1, 2]))
    assert list(dataset) == [1, 2]
    with pytest.raises(ArgumentError, match="an iterator that is used up"):
        list(dataset)


def test_a_source_that_raises_names_the_sample():
    class Broken:
        def __len__(self):
            return 3

        def __getitem__(self, number):
            return [1, 2][number]

    with pytest.raises(DataError, match="the source raised IndexError for sample 2"):
        list(Dataset(Broken()))
    with pytest.raises(DataError, match="the source raised ZeroDivisionError for sample 1"):
        list(Dataset(lambda: (1 / x for x in (1, 0))))
