"""`.keras` files read: the model of one, with weights and what `compile` was told."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tarazu.base.errors import DataWarning, FileFormatError
from tarazu.interop.keras.archive import INTACT, read_archive
from tarazu.interop.keras.compiled.compiling import compile_arguments
from tarazu.interop.keras.compiled.optimizer_state import Reread, load_optimizer_state
from tarazu.interop.keras.model import ModelReader
from tarazu.interop.keras.saved_weights import Arrays, read_weights
from tarazu.nn.init import placeholders
from tarazu.nn.module.module import Module
from tarazu.runtime.random.generator import Generator, drawing_from


def read(path: Path, custom_objects: Mapping[str, Any] | None = None, *, optimizer: bool = True) -> Module:
    """The model in a `.keras` file, in evaluation mode, compiled if it was, unless `optimizer` is False.

    The optimizer goes on from its saved state. FileFormatError, with the layer, for what Tarazu has not; a DataWarning
    where only what `compile` was told cannot be taken over, and the model is not compiled then, or only the state, and
    the optimizer starts anew then.
    """
    if path.suffix.lower() != ".keras":
        raise FileFormatError("a file of HDF5, as Keras 2 saved models and Keras 3 saves weights alone", path=path,
                              expected="a whole model in the format of Keras 3, model.keras",
                              fix="in Keras: keras.models.load_model('model.h5').save('model.keras'), or "
                                  "model.load_weights(...) and then model.save('model.keras')")
    archive = read_archive(path)
    arrays = read_weights(path, archive.weights)

    def reader_of(content: Arrays) -> ModelReader:
        return ModelReader(path, content, dict(custom_objects or {}))

    reader = reader_of(arrays)
    model = _made(reader, archive.config, path)
    compiled = archive.config.get("compile_config")
    if optimizer and isinstance(compiled, Mapping) and compiled:  # {} of a model that has only predicted
        _compile(model, compiled, reader, path)
        if model._trainer is not None:
            _go_on(model, arrays, reader.groups, lambda content: _made(reader_of(content), archive.config, path))
    return model.eval()


def _made(reader: ModelReader, config: Mapping[str, Any], path: Path) -> Module:
    try:
        with placeholders(reader.elements), drawing_from(Generator()):
            return reader.read(config)
    except FileFormatError:
        raise
    except Exception as error:  # a damaged config may have anything anywhere
        raise FileFormatError(f"its config cannot be read: {type(error).__name__}: {error}", path=path,
                              expected="a config as Keras writes it", fix=INTACT) from error


def _compile(model: Module, content: Mapping[str, Any], reader: ModelReader, path: Path) -> None:
    try:
        model.compile(**compile_arguments(content, path), regularizer=reader.penalties(model) or None)
    except Exception as error:  # a damaged config may have anything anywhere
        warnings.warn(f"what compile was told is left out: {error}", DataWarning, stacklevel=4)


def _go_on(model: Module, arrays: Arrays, groups: Sequence[str], reread: Reread) -> None:
    try:
        load_optimizer_state(model._trainer.optimizer, model, arrays, groups, reread)
    except Exception as error:  # a damaged file may have anything anywhere, and state is loaded whole or not at all
        warnings.warn(f"the optimizer starts anew, as its state in the file cannot be taken over: {error}", DataWarning,
                      stacklevel=4)
