"""`Dataset`: samples and batches of any source, by a chain of stages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from tarazu.base.checks import positive_int, whole_number
from tarazu.base.errors import ArgumentError, ScalarError
from tarazu.base.hints.missing import Absent, with_keyword_hints
from tarazu.base.messages import plural
from tarazu.base.pytree import map_leaves
from tarazu.data.dataset.batching import Batched, Bucketed
from tarazu.data.dataset.collate import Padding, check_padding
from tarazu.data.dataset.execute import Workers
from tarazu.data.dataset.in_order import Cached, ShuffleBuffer, Unbatched
from tarazu.data.dataset.maps import Call, Filter, Map, SampleStep
from tarazu.data.dataset.sources import source_stage
from tarazu.data.dataset.stage import Epoch, Item, Stage
from tarazu.data.dataset.table_files import CsvFiles, ParquetFiles, Paths
from tarazu.data.dataset.views import (
    Concatenated,
    InRandomOrder,
    Numbered,
    Part,
    Repeated,
    Resampled,
    Rows,
    Shuffled,
    Window,
    WindowInOrder,
    Zipped,
)
from tarazu.runtime import random
from tarazu.runtime.jit.jit import jit
from tarazu.runtime.tensor.creation import tensor

BatchMap = Callable[..., Any]


class Dataset:
    """Samples of a source, and what becomes of them on the way to a model: `fit`, `evaluate` and `predict` take it.

    The source is an array, or a tuple or a dict of arrays (of columns of data frames, of names of .npy files, which
    are read as needed) with a row for each sample; or a sequence of samples with `__len__` and `__getitem__`, as lists
    and datasets of torch are; or an iterable, or a function that makes an iterator for each epoch. A sample is a tree:
    an array or a number, or tuples and dicts of them. Raises ShapeError for arrays with unequal numbers of rows, and
    ArgumentError for a source that is empty or none.

    Methods give a new dataset and leave this one as it is. *A map before `.batch` sees one sample, in NumPy, and may
    run in other threads or processes; a map after it sees a batch of tensors, and is compiled into the program that
    trains.* Each pass over the dataset is the next epoch, with another order and other random draws; what sample i of
    epoch e draws depends on the seed, e and i alone, not on how many workers there are.

    >>> import tarazu as tz
    >>> samples = tz.data.Dataset({"x": np.arange(10.0), "y": np.arange(10)})
    >>> batches = samples.filter(lambda sample: sample["y"] % 2 == 1).batch(3).map(lambda batch: batch["x"] * 2)
    >>> [batch.tolist() for batch in batches]
    [[2.0, 6.0, 10.0], [14.0, 18.0]]
    """

    prefetch = Absent("maps with workers= or threads= prepare samples ahead: leave it out")

    def __init__(self, source: Any) -> None:
        self._stage: Stage = source._stage if isinstance(source, Dataset) else source_stage(source)
        self._batch_maps: tuple[Call, ...] = source._batch_maps if isinstance(source, Dataset) else ()
        self._epoch = 0
        self._on_tensors: Callable[[Any], Any] | None = None

    @classmethod
    def from_csv(cls, paths: Paths, columns: Sequence[str] | None = None, target: str | None = None) -> Self:
        """The rows of a CSV file, or of several, which may be larger than memory: they are read in blocks, in order.

        Samples are dicts of the `columns` (all by default); with a `target` they are pairs (x, y), x float32
        (columns,). Types are told by the first megabytes. `.shuffle(buffer=n)` shuffles. Raises DataError for a file
        or column that is not there, and for text beside a target; FileFormatError for a damaged file. Needs pyarrow.

        >>> import tempfile
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "sizes.csv"
        ...     _ = path.write_text("width,height,price\\n1,2,10\\n3,4,20\\n")
        ...     next(Dataset.from_csv(path, target="price").batch(2).batches(0))
        (array([[1., 2.],
               [3., 4.]], dtype=float32), array([10, 20]))
        """
        return cls(CsvFiles(paths, columns, target))

    @classmethod
    def from_parquet(cls, paths: Paths, columns: Sequence[str] | None = None, target: str | None = None) -> Self:
        """The rows of a Parquet file, or of several: as `from_csv`, and a run that goes on skips row groups unread.

        >>> import tempfile
        >>> import pandas
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "sizes.parquet"
        ...     pandas.DataFrame({"width": [1.5, 2.5], "kind": ["a", "b"]}).to_parquet(path)
        ...     [(float(row["width"]), row["kind"]) for row in Dataset.from_parquet(path)]
        [(1.5, 'a'), (2.5, 'b')]
        """
        return cls(ParquetFiles(paths, columns, target))

    # What a dataset has ---------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """How many samples, or batches, an epoch has. ScalarError, a TypeError, where that is not known."""
        length = self._stage.length
        if length is None:
            raise ScalarError("the length of this dataset is not known, or it has no end",
                              expected="indexed samples that are not filtered",
                              fix="count them: sum(1 for _ in dataset); or .cache(), which reads them all")
        return length

    def __getitem__(self, number: int) -> Item:
        """A sample, or the batch before its maps, of the first epoch. IndexError beyond the end."""
        if not self._stage.is_indexed:
            raise ArgumentError("samples of this dataset have no numbers", expected="a source with __len__ and "
                                "__getitem__, and no filter", fix="go through it with `for`, or .cache() it first")
        length = self._stage.length
        position = whole_number(f"dataset[{number!r}]", number)
        position += length if position < 0 and length is not None else 0
        if position < 0 or (length is not None and position >= length):
            raise IndexError(f"item {number} of a dataset of {length}")
        return self._stage.get(position, Epoch())

    def __iter__(self) -> Iterator[Any]:
        """The samples, in NumPy, or batches of tensors after all maps. Each time is the next epoch.

        As in `fit`, float64 becomes float32, and texts stay in NumPy.
        """
        epoch, self._epoch = self._epoch, self._epoch + 1
        items = (item for _, item in self._stage.items(Epoch(epoch)))
        if not self._stage.gives_batches:
            return items
        return map(self._mapped, items)

    def _mapped(self, batch: Item) -> Any:
        tensors = map_leaves(_as_tensor, batch)
        if self.on_batch is None:
            return tensors
        if self._on_tensors is None:
            self._on_tensors = jit(self.on_batch)
        return self._on_tensors(tensors)

    def __repr__(self) -> str:
        length = self._stage.length if not isinstance(self._stage, Cached) else None
        kind = "batch" if self._stage.gives_batches else "sample"
        count = f"{kind}es" if kind == "batch" else f"{kind}s"
        return f"Dataset({count if length is None else plural(length, kind, count)})"

    @property
    def class_names(self) -> list[str] | None:
        """The names of the classes that labels number, where the source knows them (`load`, `image_folder`)."""
        return self._names("class_names")

    @property
    def feature_names(self) -> list[str] | None:
        """The names of the columns of x, where the source knows them (`load`)."""
        return self._names("feature_names")

    def _names(self, kind: str) -> list[str] | None:
        return next((names for stage in _chain(self._stage) if (names := getattr(stage, kind, None))), None)

    # What `fit` asks ------------------------------------------------------------------------------------------------

    @property
    def batch_size(self) -> int | None:
        """How many samples a batch has; None before `.batch`."""
        return None if (batched := self._batched()) is None else batched.size

    @property
    def drop_last(self) -> bool:
        """Whether a last batch with fewer samples is left out."""
        return (batched := self._batched()) is not None and batched.drop_last

    @property
    def is_endless(self) -> bool:
        """Whether it is known that an epoch has no end, as after `repeat()`; that of an iterable is not known.

        >>> Dataset(np.arange(10)).repeat().is_endless, Dataset(np.arange(10)).repeat().take(25).is_endless
        (True, False)
        """
        return self._stage.is_endless

    @property
    def is_shuffled(self) -> bool:
        """Whether each epoch has an order of its own."""
        return self.seed is not None

    @property
    def seed(self) -> int | None:
        """The seed of the last `shuffle` or `resample`, or None."""
        orders = (stage for stage in _chain(self._stage) if isinstance(stage, InRandomOrder | ShuffleBuffer))
        return next((stage.seed for stage in orders), None)

    @property
    def steps(self) -> int | None:
        """How many batches an epoch has, where that is known."""
        return self._stage.length if self._stage.gives_batches else None

    @property
    def can_skip(self) -> bool:
        """Whether `batches` gets at a later batch without reading those before it."""
        return self._stage.can_start

    @property
    def on_batch(self) -> Callable[[Any], Any] | None:
        """The maps after `.batch`, one after another; None if there are none."""
        return BatchMaps(self._batch_maps) if self._batch_maps else None

    def in_memory(self) -> Any:
        """All samples as a tree of arrays, in the order before a last `shuffle`, if they lie in memory as they are.

        They do not after maps of samples, `filter`, `window` and `repeat`.

        >>> Dataset((np.arange(3), np.ones(3))).shuffle(seed=0).batch(2).in_memory()
        (array([0, 1, 2]), array([1., 1., 1.]))
        """
        stage = self._stage
        if isinstance(stage, Batched):
            if not stage.is_plain:
                return None
            stage = stage.parents[0]
        return (stage.parents[0] if isinstance(stage, Shuffled) else stage).in_memory()

    def batches(self, epoch: int, skip: int = 0) -> Iterator[Any]:
        """The batches of an epoch as trees of NumPy arrays, without the first `skip`, before the maps of batches.

        ArgumentError before `.batch`.

        >>> [batch.tolist() for batch in Dataset(np.arange(5)).batch(2).batches(epoch=0, skip=1)]
        [[2, 3], [4]]
        """
        if not self._stage.gives_batches:
            raise ArgumentError("a dataset without batches", expected=".batch before training",
                                fix="call .batch(32), for example")
        return (batch for _, batch in self._stage.items(Epoch(epoch), skip))

    def _batched(self) -> Batched | Bucketed | None:
        return next((stage for stage in _chain(self._stage) if isinstance(stage, Batched | Bucketed)), None)

    # Methods that give a new dataset --------------------------------------------------------------------------------

    @with_keyword_hints
    def map(self, function: Callable[..., Any], *, workers: int = 0, threads: int = 0, seed: int | None = None) -> Self:
        """What a function gives for each sample; after `.batch`, for each batch.

        The function gets the sample; one with several parameters gets the parts of a tuple. Before `.batch` it runs in
        NumPy, in so many `workers` (processes) or `threads`, all maps in the same. If it has a parameter `rng` it gets
        the NumPy Generator of (seed, epoch, number of the sample): the same draws for any number of workers, where
        `np.random` gives others. The seed is drawn from `tz.random` by default. After `.batch` the function gets
        tensors, is traced, and draws from `tz.random`. Raises ArgumentError for what is no function and for workers
        after `.batch`; when samples are read, DataError for what the function raises.

        >>> noisy = Dataset(np.zeros(2)).map(lambda x, rng: x + rng.normal(), seed=0)
        >>> [round(float(x), 3) for x in noisy]
        [-1.505, -0.201]
        """
        call = Call(function)
        if self._stage.gives_batches:
            if workers or threads or call.takes_rng:
                raise ArgumentError("workers, threads or rng for a map after .batch",
                                    expected="them before .batch: after it the map is compiled into the program",
                                    fix="move the map before .batch, or draw with tz.random")
            return self._with(self._stage, (*self._batch_maps, call))
        return self._with(Map(self._stage, call, _workers(workers, threads), _seed(seed) if call.takes_rng else 0))

    def filter(self, function: Callable[..., Any], *, workers: int = 0, threads: int = 0) -> Self:
        """The samples for which the function is true; its arguments are those of `map`.

        The length is then not known. ArgumentError after `.batch`.

        >>> [int(x) for x in Dataset(np.arange(6)).filter(lambda x: x % 2)]
        [1, 3, 5]
        """
        call = Call(function)
        return self._with(Filter(self._samples("filter"), call, _workers(workers, threads),
                                 _seed(None) if call.takes_rng else 0))

    @with_keyword_hints
    def shuffle(self, seed: int | None = None, buffer: int | None = None) -> Self:
        """The samples in a random order, another one in each epoch. The seed is drawn from `tz.random` by default.

        Samples that have numbers are shuffled as a whole. Of an iterable, which has none, a `buffer` of so many samples
        is mixed at a time. ArgumentError without a buffer there, and after `.batch`.

        >>> numbers = Dataset(np.arange(6)).shuffle(seed=0)
        >>> [int(x) for x in numbers], [int(x) for x in numbers]
        ([5, 3, 0, 1, 2, 4], [4, 3, 2, 0, 1, 5])
        """
        stage = self._samples("shuffle")
        base = stage.base if isinstance(stage, SampleStep) and not stage.is_indexed else stage
        if base.is_indexed and base.length is not None:
            shuffled = Shuffled(base, _seed(seed))
            return self._with(stage.on_top_of(shuffled) if isinstance(stage, SampleStep) and base is not stage
                              else shuffled)
        if buffer is None:
            raise ArgumentError("shuffle() of samples that come in order", expected="a buffer, as they have no numbers",
                                fix="call shuffle(buffer=10_000), for example; or shuffle before .repeat()")
        return self._with(ShuffleBuffer(stage, positive_int("buffer", buffer), _seed(seed)))

    @with_keyword_hints
    def batch(self, n: int, drop_last: bool = False, pad: Any = None, multiple_of: int = 1,
              buckets: Sequence[int] = (), collate: Callable[[list[Any]], Any] | None = None) -> Self:
        """`n` samples as one: each leaf gets a first axis with a row for each; the last batch may have fewer.

        With `pad` leaves may differ in length: short ones are filled up to the longest in the batch (rounded up to a
        multiple of `multiple_of`: fewer lengths are fewer programs), and a boolean mask, (n, length), True where there
        is a value, is added. In a dict it is the key "mask", or "NAME_mask" where several leaves are padded; elsewhere
        the leaf becomes the pair (values, mask). A number pads all leaves that have axes, a tuple or dict of numbers
        those that it names. `buckets`, rising lengths, put samples of similar length together: those up to each bound
        are padded to it, longer ones to the longest. A function `collate` makes the batch of a list of samples.
        ArgumentError for a second `.batch` and for arguments that do not go together, DTypeError for a pad that is no
        number; when batches are read, ShapeError for samples that do not fit together, with their numbers.

        >>> words = Dataset([{"text": np.array([4, 2])}, {"text": np.array([7])}])
        >>> batch, = words.batch(2, pad=0)
        >>> batch["text"].tolist(), batch["mask"].tolist()
        ([[4, 2], [7, 0]], [[True, True], [True, False]])
        """
        stage, n = self._samples("batch"), positive_int("n", n)
        padding = None if pad is None else Padding(check_padding(pad), positive_int("multiple_of", multiple_of))
        if collate is not None and padding is not None:
            raise ArgumentError("both pad and collate", expected="one of them", fix="let the function pad")
        if not len(buckets):
            return self._with(Batched(stage, n, drop_last, padding, collate))
        bounds = [positive_int("buckets", bound) for bound in buckets]
        if padding is None or bounds != sorted(set(bounds)):
            raise ArgumentError(f"buckets={buckets!r}", expected="rising lengths, and pad",
                                fix="pass for example pad=0, buckets=(32, 64, 128)")
        return self._with(Bucketed(stage, n, drop_last, padding, bounds))

    def unbatch(self) -> Self:
        """The rows of the items as samples: of batches, or of samples that hold several each.

        ArgumentError after maps of batches.

        >>> [int(x) for x in Dataset([np.arange(2), np.arange(3)]).unbatch()]
        [0, 1, 0, 1, 2]
        """
        if self._batch_maps:
            raise ArgumentError("unbatch() after a map of batches", expected="it before them",
                                fix="map the samples instead, before .batch")
        return self._with(Unbatched(self._stage))

    @with_keyword_hints
    def take(self, n: int) -> Self:
        """The first `n` samples, or batches. ArgumentError for a negative number.

        >>> len(Dataset(np.arange(10)).take(3))
        3
        """
        return self._with(Part(self._stage, 0, whole_number(f"take({n!r})", n, least=0)), self._batch_maps)

    @with_keyword_hints
    def skip(self, n: int) -> Self:
        """The samples, or batches, after the first `n`. ArgumentError for a negative number.

        >>> len(Dataset(np.arange(10)).skip(3))
        7
        """
        return self._with(Part(self._stage, whole_number(f"skip({n!r})", n, least=0), None), self._batch_maps)

    @with_keyword_hints
    def repeat(self, times: int | None = None) -> Self:
        """The samples, or batches, so many times in each epoch, shuffled anew each time; without end by default.

        ArgumentError unless `times` is at least 1.

        >>> len(Dataset(np.arange(10)).repeat(3))
        30
        """
        times = None if times is None else positive_int("times", times)
        return self._with(Repeated(self._stage, times), self._batch_maps)

    def cache(self) -> Self:
        """The samples of the first epoch, kept in memory from then on: maps before it run once, random ones too.

        ArgumentError for a dataset without end.

        >>> calls = []
        >>> cached = Dataset(np.arange(3)).map(calls.append).cache()
        >>> len(list(cached)), len(list(cached)), len(calls)
        (3, 3, 3)
        """
        if self.is_endless:
            raise ArgumentError("cache() of an endless dataset", expected="one that comes to an end",
                                fix="call .cache().repeat(), or .take(n) first")
        return self._with(Cached(self._stage), self._batch_maps)

    def window(self, size: int, shift: int = 1, stride: int = 1, target: int | None = None) -> Self:
        """Windows of `size` samples, stacked, of a time series: one starts every `shift` samples.

        Samples in a window are `stride` apart. With a `target` items are pairs of a window and the sample so many after
        the window's last. ArgumentError where not one window fits, and after `.batch`.

        >>> series = Dataset(np.arange(5)).window(3, target=1)
        >>> [(past.tolist(), int(following)) for past, following in series]
        [([0, 1, 2], 3), ([1, 2, 3], 4)]
        """
        if target is not None:
            whole_number(f"target={target!r}", target, least=0, fix="pass 1 for the next sample")
        window = Window(self._samples("window"), positive_int("size", size), positive_int("shift", shift),
                        positive_int("stride", stride), target)
        if window.length == 0:
            raise ArgumentError(f"windows over {plural(window.span, 'sample')} of a dataset of "
                                f"{window.parents[0].length}", expected="room for at least one",
                                fix="use a smaller size or stride, or more samples")
        return self._with(window if window.is_indexed else WindowInOrder(window))

    def zip(self, *others: Dataset) -> Self:
        """Tuples of a sample, or batch, of this dataset and one of each other, up to the end of the shortest.

        ArgumentError where some have batches and others do not.

        >>> [(int(a), int(b)) for a, b in Dataset(np.arange(2)).zip(Dataset(np.arange(5, 9)))]
        [(0, 5), (1, 6)]
        """
        datasets = self._all_alike("zip", others)
        maps = [dataset.on_batch for dataset in datasets]
        calls = (Call(ZippedMaps(maps)),) if any(maps) else ()
        return self._with(Zipped(*[dataset._stage for dataset in datasets]), calls)

    def concat(self, *others: Dataset) -> Self:
        """The samples, or batches, of this dataset and then those of the others.

        ArgumentError where some have batches and others do not, and for different maps of batches.

        >>> [int(x) for x in Dataset(np.arange(2)).concat(Dataset(np.arange(5, 7)))]
        [0, 1, 5, 6]
        """
        datasets = self._all_alike("concat", others)
        if any(dataset._batch_maps != self._batch_maps for dataset in datasets):
            raise ArgumentError("concat of datasets with different maps after .batch", expected="the same in all",
                                fix="put them together first: a.concat(b).batch(32).map(...)")
        return self._with(Concatenated(*[dataset._stage for dataset in datasets]), self._batch_maps)

    def split(self, *sizes: float, seed: int | None = 0) -> tuple[Self, ...]:
        """Parts with random samples of this dataset, none in two: fractions (floats) or numbers (ints) of samples.

        What the sizes leave is one part more, the last. For parts in order use `take` and `skip`. ArgumentError
        where the length is not known, after `.batch`, and for sizes that are too large or leave a part empty.

        >>> train, validation, test = Dataset(np.arange(10)).split(0.7, 0.2)
        >>> len(train), len(validation), len(test)
        (7, 2, 1)
        """
        counts = _counts(sizes, self._count("split"))
        order = np.random.default_rng(seed).permutation(sum(counts))
        return tuple(self._with(Rows(self._stage, part)) for part in np.split(order, np.cumsum(counts)[:-1]))

    def select(self, numbers: ArrayLike) -> Self:
        """The samples that have certain numbers, in that order. ArgumentError for numbers that there are not.

        >>> [int(x) for x in Dataset(np.arange(10)).select([7, 2])]
        [7, 2]
        """
        chosen, length = np.asarray(numbers), self._count("select")
        if chosen.ndim != 1 or (chosen.size and chosen.dtype.kind not in "iu"):
            raise ArgumentError(f"select() with {chosen.dtype} of shape {chosen.shape}", expected="numbers of samples",
                                fix="np.flatnonzero(mask) gives them for a mask")
        if not chosen.size:
            raise ArgumentError("select() of no samples", expected="at least one number", fix="check the condition")
        if chosen.min() < 0 or chosen.max() >= length:
            raise ArgumentError(f"select() with numbers from {chosen.min()} to {chosen.max()} of "
                                f"{plural(length, 'sample')}", expected=f"some numbers from 0 to {length - 1}",
                                fix="check how they were made")
        return self._with(Rows(self._stage, chosen))

    def resample(self, weights: ArrayLike, n: int | None = None, seed: int | None = None) -> Self:
        """`n` samples (as many as there are by default) drawn anew in each epoch, with replacement.

        A sample is drawn with a probability in proportion to its weight: of rare classes more often where they weigh
        more. ArgumentError for weights below 0 and unless there is one for each sample; also after `.batch`.

        >>> rare = np.array([0, 0, 0, 0, 0, 0, 0, 1])
        >>> drawn = Dataset(rare).resample(np.where(rare == 1, 7.0, 1.0), n=1000, seed=0)
        >>> sum(int(x) for x in drawn)
        496
        """
        weighing, length = np.asarray(weights, np.float64), self._count("resample")
        if weighing.shape != (length,):
            raise ArgumentError(f"weights of shape {weighing.shape} for {plural(length, 'sample')}",
                                expected=f"shape ({length},): one for each sample", fix="check how they were made")
        if not (weighing >= 0).all() or not 0 < weighing.sum() < np.inf:
            raise ArgumentError(f"weights from {weighing.min()} to {weighing.max()}", expected="numbers of at least 0, "
                                "one of them larger", fix="use for example 1 / counts[labels]")
        return self._with(Resampled(self._stage, weighing, length if n is None else positive_int("n", n), _seed(seed)))

    def enumerate(self) -> Self:
        """Pairs of a number from 0 and the sample, or the batch. ArgumentError after maps of batches.

        >>> [(int(number), int(x)) for number, x in Dataset(np.array([7, 9])).enumerate()]
        [(0, 7), (1, 9)]
        """
        if self._batch_maps:
            raise ArgumentError("enumerate() after a map of batches", expected="it before them",
                                fix="call it right after .batch")
        return self._with(Numbered(self._stage))

    def _with(self, stage: Stage, batch_maps: tuple[Call, ...] = ()) -> Self:
        dataset = type(self)(stage)
        dataset._batch_maps = batch_maps
        return dataset

    def _samples(self, method: str) -> Stage:
        if self._stage.gives_batches:
            raise ArgumentError(f"{method}() after .batch", expected=f"{method}() of samples, before .batch",
                                fix=f"call .{method}(...).batch(n), or .unbatch() first")
        return self._stage

    def _count(self, method: str) -> int:
        """How many samples there are, where they have numbers."""
        stage = self._samples(method)
        if not stage.is_indexed or stage.length is None:
            raise ArgumentError(f"{method}() of samples whose number is not known", expected="a source with a length, "
                                "and no filter before it", fix=f"{method} before .filter, or .cache() first")
        return stage.length

    def _all_alike(self, method: str, others: tuple[Dataset, ...]) -> list[Dataset]:
        datasets = [self, *others]
        for dataset in datasets:
            if not isinstance(dataset, Dataset):
                raise ArgumentError(f"{method} with a {type(dataset).__name__}", expected="datasets",
                                    fix="wrap it: tz.data.Dataset(...)")
        if len({dataset._stage.gives_batches for dataset in datasets}) > 1:
            raise ArgumentError(f"{method} of batches with samples", expected="either in all",
                                fix=f"call .{method} first and .batch on the result")
        return datasets


class BatchMaps:
    """The maps of a batch, one after another."""

    def __init__(self, calls: tuple[Call, ...]) -> None:
        self.calls = calls

    def __call__(self, batch: Any) -> Any:
        for call in self.calls:
            batch = call(batch)
        return batch

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BatchMaps) and self.calls == other.calls

    def __hash__(self) -> int:
        return hash(self.calls)


class ZippedMaps:
    """The maps of the batches of several datasets side by side."""

    def __init__(self, maps: Sequence[Callable[[Any], Any] | None]) -> None:
        self.maps = maps

    def __call__(self, batch: Any) -> Any:
        return tuple(part if on_batch is None else on_batch(part)
                     for part, on_batch in zip(batch, self.maps, strict=True))


def _chain(stage: Stage) -> Iterator[Stage]:
    """A stage and those that it reads from, one after another; at a branch the first."""
    while True:
        yield stage
        if not stage.parents:
            return
        stage = stage.parents[0]


def _as_tensor(leaf: Any) -> Any:
    array = np.asarray(leaf)
    if array.dtype.kind not in "fiubc" and array.dtype.name not in ("bfloat16", "float16"):
        return array
    return tensor(array.astype(np.float32) if array.dtype == np.float64 else array)


def _workers(processes: int, threads: int) -> Workers:
    return Workers(whole_number(f"workers={processes!r}", processes, least=0, fix="pass for example workers=2"),
                   whole_number(f"threads={threads!r}", threads, least=0, fix="pass for example threads=2"))


def _seed(seed: int | None) -> int:
    if seed is None:
        return int(random.randint(2**31 - 1))
    return whole_number(f"seed={seed!r}", seed, least=0, fix="pass for example seed=0")


def _counts(sizes: Sequence[float], length: int) -> list[int]:
    if not sizes:
        raise ArgumentError("split() without sizes", expected="at least one", fix="call split(0.8), for example")
    counts = [size if isinstance(size, int | np.integer) else round(size * length) for size in sizes]
    rest = length - sum(counts)
    is_whole = all(not isinstance(size, int | np.integer) for size in sizes) and abs(sum(sizes) - 1) < 1e-9
    if is_whole:
        counts[-1], rest = counts[-1] + rest, 0
    counts += [rest] if rest else []
    if min(counts) < 1:
        raise ArgumentError(f"parts of {', '.join(map(str, sizes))} of {plural(length, 'sample')}",
                            expected="at least one sample in each part, and no more than there are",
                            fix="pass fractions such as 0.8, or smaller numbers")
    return [int(count) for count in counts]
