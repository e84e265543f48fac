"""The one door from modules to training: `train` stands above `nn` and installs itself here when it is imported."""

from __future__ import annotations

from typing import Any

from tarazu.base.errors import TrainingError

_installed: list[Any] = []


def install(trainer: Any) -> None:
    """Let `trainer` (compile, fit, evaluate, predict, save) do what modules are asked to."""
    _installed[:] = [trainer]


def trainer() -> Any:
    """What was installed."""
    if not _installed:
        raise TrainingError("training is not loaded", fix="import tarazu")
    return _installed[0]
