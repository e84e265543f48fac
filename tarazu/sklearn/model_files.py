"""Networks in pickles: the files of a saved model as bytes, so that nothing of a network is pickled as code."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tarazu.nn import Module
from tarazu.train.save.loading import read_model
from tarazu.train.save.saving import save

ModelFiles = dict[str, bytes]  # by their names in the folder of a saved model


def to_files(model: Module) -> ModelFiles:
    """The files that `model.save` writes, with the state of the optimizer; raises what it raises."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "model"
        save(model, folder)
        return {file.name: file.read_bytes() for file in folder.iterdir()}


def from_files(files: ModelFiles) -> Module:
    """The model of which `to_files` gave the files; FileFormatError for others."""
    with tempfile.TemporaryDirectory() as scratch:
        for name, content in files.items():
            (Path(scratch) / Path(name).name).write_bytes(content)
        return read_model(Path(scratch), optimizer=True)[0]
