"""`tz.data`: datasets of samples and batches; tables from files and data frames, their encoding as arrays; scalers.

`Dataset` gives samples of arrays, sequences and iterables to maps, and batches of them to `fit` (dataset/); it reads
tables larger than memory. `image_folder`, `text_folder`, `text_lines` and `timeseries` (readers/) make datasets of
images, texts, lines and windows of series. `load` gives well-known data sets by name (sets/); the functions of
`augment` change batches of images at random.

`read_table` or `Table.from_frame` makes a `Table`; `split_table` gives the rows for training, validation and test;
`TableEncoder.fit` learns from the training rows how to turn tables into arrays; `summarize` says what a table holds.
columns/ has single columns, tables/ whole ones. For arrays there are `train_test_split` (splits.py), `Standardizer`,
`MinMaxScaler` and `one_hot` (scalers.py), for sequences of different lengths `pad_sequences` (sequences.py).
late_bar.py is the progress bar of what takes long, screens.py says where progress can be shown, gzip_files.py unpacks.

>>> table = Table.from_frame({"size": [1.5, 2.5, 3.5, 4.5, 5.5, 6.5], "kind": ["cat", "dog"] * 3})
>>> split = split_table(table, target="kind")
>>> encoder = TableEncoder.fit(table, target="kind", rows=split.train)
>>> x, y = encoder.features(table), encoder.labels(table)
>>> x[split.train].shape, y[split.train].shape
((2, 1), (2,))
"""

import typing

from tarazu.runtime import augment

if typing.TYPE_CHECKING:
    from tarazu.data.columns.column import Column
    from tarazu.data.columns.notes import ColumnNote
    from tarazu.data.dataset.dataset import Dataset
    from tarazu.data.readers.images import image_folder
    from tarazu.data.readers.text import text_folder, text_lines
    from tarazu.data.readers.timeseries import timeseries
    from tarazu.data.scalers import MinMaxScaler, Standardizer, one_hot
    from tarazu.data.sequences import pad_sequences
    from tarazu.data.sets.load import load
    from tarazu.data.splits import Split, split_ordered, split_rows, split_table, train_test_split
    from tarazu.data.tables.encoder import TableEncoder
    from tarazu.data.tables.read import read_table
    from tarazu.data.tables.summary import TableSummary, summarize
    from tarazu.data.tables.table import Table
    from tarazu.data.tables.target import Target, find_target
else:  # to type checkers any name would be right
    from tarazu.base.hints.missing import imported_when_asked

    _LAZY = {
        "columns.column": "Column",
        "columns.notes": "ColumnNote",
        "dataset.dataset": "Dataset",
        "readers.images": "image_folder",
        "readers.text": "text_folder text_lines",
        "readers.timeseries": "timeseries",
        "scalers": "MinMaxScaler Standardizer one_hot",
        "sequences": "pad_sequences",
        "sets.load": "load",
        "splits": "Split split_ordered split_rows split_table train_test_split",
        "tables.encoder": "TableEncoder",
        "tables.read": "read_table",
        "tables.summary": "TableSummary summarize",
        "tables.table": "Table",
        "tables.target": "Target find_target",
    }
    __getattr__ = imported_when_asked(__name__, _LAZY)

__all__ = [
    "Column", "ColumnNote", "Dataset", "MinMaxScaler", "Split", "Standardizer", "Table", "TableEncoder",
    "TableSummary", "Target", "augment", "find_target", "image_folder", "load", "one_hot", "pad_sequences",
    "read_table", "split_ordered", "split_rows", "split_table", "summarize", "text_folder", "text_lines",
    "timeseries", "train_test_split",
]


def __dir__() -> list[str]:
    return __all__
