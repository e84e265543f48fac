"""Files of named tensors, in the safetensors format."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from tarazu.base.bounded.json_files import parse_json
from tarazu.base.errors import FileFormatError
from tarazu.base.files import replacing, require_file
from tarazu.runtime.tensor.tensor import Tensor


def write_tensors(path: Path, tensors: Iterable[tuple[str, Tensor]]) -> None:
    """Write `tensors` under another name first, then rename, so that a crash spares the old file."""
    from safetensors.numpy import save as save_tensors

    arrays = {name: np.array(x.numpy(), order="C") for name, x in tensors}
    with replacing(path) as unfinished:
        unfinished.write_bytes(save_tensors(arrays))


def read_tensors(path: Path, fix: str) -> dict[str, np.ndarray]:
    """The values by name; FileFormatError, to be mended as `fix` says, for a file that is missing or damaged."""
    from safetensors.numpy import load_file

    require_file(path, fix)
    try:
        arrays = load_file(path)
        _require_distinct_names(path)
        return arrays
    except FileNotFoundError:
        raise FileFormatError("the file is missing", path=path, expected="a file of tensors",
                              fix=fix) from None
    except Exception as error:  # of a damaged file the package raises errors of several kinds
        raise FileFormatError(f"damaged or cut short: {error}", path=path, expected="the file as it was written",
                              fix=fix) from None


def _require_distinct_names(path: Path) -> None:
    """ValueError where a name stands twice in the header, of which the package takes one and others the other."""
    with path.open("rb") as file:
        parse_json(file.read(int.from_bytes(file.read(8), "little")))
