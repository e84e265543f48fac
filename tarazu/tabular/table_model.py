"""A model together with the encoder of the tables that it reads."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.base.files import require_no_folder
from tarazu.data import TableEncoder
from tarazu.data.tables.target import CLASSIFICATION
from tarazu.diagnose import log_softmax
from tarazu.nn import Module
from tarazu.tabular import run_folder
from tarazu.tabular.inputs import TableLike, as_table
from tarazu.train.evaluate import predict


@dataclasses.dataclass(frozen=True, repr=False)
class TableModel:
    """A trained model and the encoder of its tables: it predicts for rows as people write them.

    >>> import tarazu as tz
    >>> cities = {"town": ["Herat", "Delhi"] * 20, "visitors": [5, 30] * 20, "country": ["Afghanistan", "India"] * 20}
    >>> fitted = tz.fit_table(cities, target="country", epochs=30, verbose=0)
    >>> fitted.predict({"town": ["Delhi", "Herat"], "visitors": [31, 4]}).tolist()
    ['India', 'Afghanistan']
    """

    model: Module
    encoder: TableEncoder

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, trust: Iterable[str] = ()) -> TableModel:
        """The model and encoder in the run folder `path`, which `TableFit.save` or `tarazu fit` wrote.

        `trust` names packages whose layers may be imported, as in `tz.load`. Raises FileFormatError for anything else.

        >>> import tempfile
        >>> import tarazu as tz
        >>> flats = {"size": [float(i) for i in range(40)], "price": [2.0 * i + 0.5 for i in range(40)]}
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     run = tz.fit_table(flats, target="price", epochs=1, verbose=0)
        ...     loaded = tz.tabular.TableModel.load(run.save(f"{folder}/run"))
        >>> (loaded.predict(flats) == run.predict(flats)).all()
        np.True_
        """
        return TableModel(*run_folder.read(path, trust))

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the columns of `probabilities`; () for a regression.

        >>> import tarazu as tz
        >>> tz.fit_table({"a": range(40), "b": ["x", "y"] * 20}, target="b", epochs=1, verbose=0).classes
        ('x', 'y')
        """
        return self.encoder.classes

    def predict(self, data: TableLike) -> np.ndarray:
        """For each row of a path, data frame or dict of columns the name of its class, or its value in the target's
        units, shape (rows,). The target need not be among the columns. Raises DataError for columns that are missing.

        >>> import tarazu as tz
        >>> run = tz.fit_table({"a": range(40), "b": ["x", "y"] * 20}, target="b", epochs=1, verbose=0)
        >>> run.predict({"a": [1, 2, 3]}).shape
        (3,)
        """
        outputs = self.outputs(self._features(data))
        if self.encoder.task == CLASSIFICATION:
            return self.encoder.decode_target(outputs.argmax(1))
        return self.encoder.decode_target(outputs)[:, 0]

    def probabilities(self, data: TableLike) -> np.ndarray:
        """The probability of each of `classes` for each row, float64 (rows, classes).

        Raises ArgumentError for a regression, DataError for columns that are missing.

        >>> import tarazu as tz
        >>> run = tz.fit_table({"a": range(40), "b": ["x", "y"] * 20}, target="b", epochs=1, verbose=0)
        >>> run.probabilities({"a": [1, 2, 3]}).sum(axis=1).round(6).tolist()
        [1.0, 1.0, 1.0]
        """
        if self.encoder.task != CLASSIFICATION:
            raise ArgumentError(f"the target {self.encoder.target.name!r} is a number, which has no probabilities",
                                expected="a model for classes", fix="call predict")
        return np.exp(log_softmax(self.outputs(self._features(data))))

    def export(self, path: str | os.PathLike[str]) -> None:
        """Write the model and its encoder to a file of ONNX (".onnx"), which others serve without Tarazu.

        Each feature is an input of that name, (rows,): texts for categories, "" where one is missing, float64 for
        numbers and, as seconds since 1970, for dates, NaN where one is missing. The outputs have the target's name,
        (rows,), and for classes "probabilities of" it, (rows, classes). Raises ArgumentError for another suffix and
        without the packages of `pip install 'tarazu[onnx]'`, CompileError as `tz.export` does.

        >>> import tarazu as tz
        >>> run = tz.fit_table({"a": range(40), "b": ["x", "y"] * 20}, target="b", epochs=1, verbose=0)
        >>> run.export("model.onnx")  # doctest: +SKIP
        """
        from tarazu.interop.onnx.export.to_onnx import write_onnx  # tables are trained without what exports them
        from tarazu.tabular.onnx_file import table_model_proto

        target = Path(path)
        if target.suffix != ".onnx":
            raise ArgumentError(f"a file named {target.name!r} for a model of tables", expected="a name with .onnx",
                                fix="a model alone is written in other formats by tz.export(fitted.model, path)")
        require_no_folder(target, "model.onnx")
        write_onnx(target, table_model_proto(self.model, self.encoder))

    def outputs(self, features: np.ndarray) -> np.ndarray:
        """What the model gives for encoded rows, float64 (rows, outputs): logits, or the standardized target.

        >>> import tarazu as tz
        >>> run = tz.fit_table({"a": range(40), "b": ["x", "y"] * 20}, target="b", epochs=1, verbose=0)
        >>> run.outputs(run.encoder.features(tz.data.Table.from_frame({"a": [1, 2, 3]}))).shape
        (3, 2)
        """
        return predict(self.model, features).numpy().astype(np.float64)

    def _features(self, data: TableLike) -> np.ndarray:
        return self.encoder.features(as_table(data, self.encoder.missing_words))
