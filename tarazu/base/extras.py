"""Packages that only some features need: each is imported where it is used, and named where it is missing."""

from __future__ import annotations

import importlib
from typing import Any

from tarazu.base.errors import ArgumentError, TarazuError


def require(module: str, feature: str, extra: str = "", error: type[TarazuError] = ArgumentError) -> Any:
    """The module `module`, which `feature` needs and Tarazu's extra `extra` brings, imported.

    An `error` that names the package and how to install it where it is missing; without an extra it is installed by
    its own name.

    >>> require("json", "a description").loads("[1]")
    [1]
    """
    top = module.split(".")[0]
    try:
        importlib.import_module(top)
        return importlib.import_module(module)
    except ImportError as cause:
        package = _PACKAGES.get(top, top)
        raise error(f"{feature} needs the package {package}, which is not installed", expected=package,
                    fix=f"pip install 'tarazu[{extra}]'" if extra else f"pip install {package}") from cause


_PACKAGES = {"PIL": "Pillow", "sklearn": "scikit-learn"}  # whose names differ from those of their modules
