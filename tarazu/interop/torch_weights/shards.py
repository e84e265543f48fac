"""A state in several safetensors files, which an index names: `model.safetensors.index.json`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from tarazu.base.bounded.json_files import read_json
from tarazu.base.errors import FileFormatError
from tarazu.base.messages import listing, plural
from tarazu.train.save.tensor_file import read_tensors

INDEX = "model.safetensors.index.json"


def read_shards(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """The arrays of all files that a safetensors index names, in the order of the index.

    The files lie in the index's own folder. FileFormatError for an index or files that are damaged, missing or
    elsewhere, and for a tensor that its file lacks.

    >>> import json, tempfile
    >>> import numpy as np
    >>> from safetensors.numpy import save_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_file({"weight": np.ones(2)}, f"{folder}/one.safetensors")
    ...     save_file({"bias": np.ones(3)}, f"{folder}/two.safetensors")
    ...     index = Path(folder) / INDEX
    ...     files = {"weight": "one.safetensors", "bias": "two.safetensors"}
    ...     _ = index.write_text(json.dumps({"weight_map": files}))
    ...     list(read_shards(index))
    ['weight', 'bias']
    """
    path = Path(path)
    file_of = _weight_map(path)
    shards = {name: read_tensors(path.parent / name, fix="take another copy of the folder")
              for name in dict.fromkeys(file_of.values())}
    if missing := [name for name, file in file_of.items() if name not in shards[file]]:
        raise FileFormatError(f"its files lack {plural(len(missing), 'tensor')}: {listing(missing, 3)}", path=path,
                              expected="each tensor in the file that the index names for it",
                              fix="take another copy of the folder")
    return {name: shards[file][name] for name, file in file_of.items()}


def _weight_map(path: Path) -> dict[str, str]:
    """For each tensor the name of its file; FileFormatError for anything else."""
    content = _json(path)
    file_of = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(file_of, dict) or not all(isinstance(name, str) for name in file_of.values()):
        raise FileFormatError("no index of tensors", path=path, expected='{"weight_map": {tensor: file}}',
                              fix="pass the index that lies beside the files")
    for name in file_of.values():
        if name != Path(name).name or "\\" in name or not name.endswith(".safetensors"):
            raise FileFormatError(f"the index names the file {name!r}", path=path,
                                  expected="names of .safetensors files in the folder of the index",
                                  fix="take the files from a source that you trust")
    return file_of


def _json(path: Path) -> Any:
    try:
        return read_json(path)
    except OSError:
        raise FileFormatError("the file is missing", path=path, expected="an index of safetensors files",
                              fix="check the path") from None
    except ValueError as error:
        raise FileFormatError(f"no JSON: {error}", path=path, expected="an index of safetensors files",
                              fix="take another copy") from None
