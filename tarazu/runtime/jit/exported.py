"""Exported programs: files that `tz.export` wrote, and what they are once they are read."""

from __future__ import annotations

import hashlib
import importlib
import re
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from tarazu.base.device import Device, default
from tarazu.base.dtypes import DType, as_dtype
from tarazu.base.errors import (
    ArgumentError,
    CompileError,
    DeviceError,
    DTypeError,
    FileFormatError,
    ShapeError,
    TarazuError,
)
from tarazu.base.files import make_folder, replacing, require_file
from tarazu.base.pytree import describe, flatten, map_leaves
from tarazu.ops.typing import ArrayLike
from tarazu.runtime.device import xla
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor

# What follows JAX's bytes: they have no checksum of their own, and reading damaged ones may take the process with it.
MARK = b"\ntarazu export 1, sha256 "
CALLS_PYTHON = re.compile(rb"xla_(ffi_)?(partitioned_)?python_\w*callback")  # by an address in the file
MOST_ROWS = 1024  # that are computed at a time, to bound the memory


class HasType(Protocol):
    """Shape and dtype of an input or output, as JAX knows them; a size may be a symbol for the number of rows."""

    @property
    def shape(self) -> tuple[Any, ...]: ...
    @property
    def dtype(self) -> np.dtype: ...


class ExportedProgram(Protocol):
    """What the XLA backend made of a file (backend/xla/export.py)."""

    inputs: Sequence[HasType]
    outputs: Any  # the same, in the containers of the result

    def __call__(self, arrays: Sequence[np.ndarray], where: Device) -> Any: ...
    def text(self) -> str: ...


class Exported:
    """A model or function that `tz.export` wrote, as `tz.load` gives it; called with any number of rows.

    It needs JAX, and nothing of what it was exported from. It runs on the default device, compiled on first use; its
    repr names its inputs and outputs.

    >>> import tarazu as tz
    >>> model = tz.load("digits.stablehlo")  # doctest: +SKIP
    >>> model(tz.zeros(5, 64)).shape  # doctest: +SKIP
    (5, 10)
    """

    def __init__(self, program: ExportedProgram) -> None:
        self._program = program

    def __call__(self, *inputs: ArrayLike) -> Any:
        """The outputs for tensors or arrays, (rows, ...) each, as tensors in the containers that were exported.

        Floats take the input's own width, and integers too where their values fit. Raises ArgumentError for another
        number of inputs, ShapeError and DTypeError for others than were exported, CompileError for what JAX cannot run.
        """
        arrays = self._checked(inputs)
        parts = [self._run([x[i:i + MOST_ROWS] for x in arrays]) for i in range(0, len(arrays[0]), MOST_ROWS)]
        return map_leaves(lambda *leaves: asarray(np.concatenate(leaves)), *parts)

    def predict(self, *inputs: ArrayLike) -> Any:
        """The same as a call, with its errors: ArgumentError, ShapeError, DTypeError."""
        return self(*inputs)

    @property
    def stablehlo(self) -> str:
        """The program as the text of a StableHLO module (MLIR), for other tools."""
        return self._program.text()

    def __repr__(self) -> str:
        outputs, structure = flatten(self._program.outputs)
        return f"Exported({', '.join(map(_text, self._program.inputs))} -> {describe(structure, map(_text, outputs))})"

    def _checked(self, inputs: Sequence[ArrayLike]) -> list[np.ndarray]:
        types = self._program.inputs
        if len(inputs) != len(types):
            raise ArgumentError(f"{len(inputs)} inputs for {self!r}", expected=f"{len(types)}",
                                fix="pass each input as an argument of its own")
        arrays = [_as_type(x, type_) for x, type_ in zip(inputs, types, strict=True)]
        if len({len(x) for x in arrays}) > 1:
            raise ShapeError(f"inputs of {', '.join(str(len(x)) for x in arrays)} rows", expected="one number of rows",
                             fix="check how the inputs were made; rows are the first axis")
        return arrays

    def _run(self, arrays: list[np.ndarray]) -> Any:
        """The outputs, computed for the next power of two of rows: each number of rows is a compilation."""
        rows = len(arrays[0])
        missing = (1 << (rows - 1).bit_length()) - rows
        filled = [np.concatenate([x, np.repeat(x[-1:], missing, axis=0)]) for x in arrays]
        try:
            outputs = self._program(filled, default())
        except TarazuError:
            raise
        except Exception as error:  # of a program that it cannot compile or run JAX raises errors of many kinds
            raise CompileError(f"JAX does not run the program: {str(error).strip()[:500] or type(error).__name__}",
                               expected="a program as tz.export wrote it, on a device with enough memory",
                               fix="export it again, or pass fewer rows at a time") from error
        return map_leaves(lambda x: x[:rows], outputs)


def _text(x: HasType) -> str:
    """Shape and dtype of an input or output."""
    return f"{x.dtype}[{','.join(map(str, x.shape))}]"


def _as_type(x: ArrayLike, wanted: HasType) -> np.ndarray:
    """An input as an array of the shape and dtype that are wanted; ShapeError or DTypeError where it is none."""
    array = x.numpy() if isinstance(x, Tensor) else asarray(x, device="cpu").numpy()
    if array.ndim == 0 or array.shape[1:] != wanted.shape[1:] or len(array) == 0:
        shape = ", ".join(["rows", *map(str, wanted.shape[1:])])
        raise ShapeError(f"an input of shape {array.shape} for an exported program", expected=f"({shape})",
                         fix="pass at least one row, each as those that it was exported for")
    given, target = as_dtype(array.dtype), as_dtype(wanted.dtype)
    if given is target:
        return array
    cast = array.astype(target.numpy) if _is_cast(given, target) else None
    if cast is None or (target.is_integer and not np.array_equal(cast, array)):
        raise DTypeError(f"an input of {given} for an exported program", expected=f"{target}",
                         fix=f"cast it: x.astype({str(target)!r}); or export the model again for {given}")
    return cast


def _is_cast(given: DType, target: DType) -> bool:
    """Whether values of one dtype may be taken for the other."""
    return (given.is_integer and target.is_integer) or (target.is_float and (given.is_float or given.is_integer))


def write(path: Path, content: bytes) -> None:
    """Write what `serialize` gave, under another name first, so that a crash spares what was there."""
    make_folder(path.parent)
    with replacing(path) as unfinished:
        unfinished.write_bytes(content + _seal(content))


def read(path: Path) -> Exported:
    """The program in a file; FileFormatError for one that is damaged, or that `tz.export` did not write."""
    require_file(path)
    content = path.read_bytes()
    body, seal = content[:-SEAL_SIZE], content[-SEAL_SIZE:]
    if not seal.startswith(MARK):
        raise FileFormatError("not an exported model, or one that was cut short", path=path,
                              expected="a file as tz.export wrote it, or the folder of a saved model",
                              fix="check the path (a saved model is loaded by its folder), or export again")
    if seal != _seal(body):
        raise FileFormatError("the file is damaged: its checksum is another", path=path,
                              expected="the file as tz.export wrote it", fix="copy it anew, or export again")
    if CALLS_PYTHON.search(body):
        raise FileFormatError("a program that calls Python functions back", path=path,
                              expected="a program that computes by itself, as tz.export writes it",
                              fix="do not trust this file")
    try:
        return Exported(xla_part("export").Program(body))
    except DeviceError:
        raise
    except Exception as error:  # of a damaged file JAX and flatbuffers raise errors of many kinds
        raise FileFormatError(f"the installed jax does not read it: {error}", path=path,
                              expected="a file of this version of jax or of one up to six months older",
                              fix="install a newer jax, or export again with this one") from error


def _seal(body: bytes) -> bytes:
    return MARK + hashlib.sha256(body).digest()


SEAL_SIZE = len(_seal(b""))


def xla_part(name: str) -> ModuleType:
    """A module of the XLA backend, or the error that says how to install it."""
    xla()
    return importlib.import_module(f"tarazu.backend.xla.{name}")
