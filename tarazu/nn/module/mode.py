"""A block in which a model is in training or in evaluation mode."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tarazu.nn.module.module import Module


@contextlib.contextmanager
def in_mode(model: Module, *, training: bool) -> Iterator[None]:
    """Puts `model` into the mode, and each module back into its own afterwards."""
    before = [(module, module._is_training) for _, module in model.named_modules()]
    model.train(training)
    try:
        yield
    finally:
        for module, mode in before:
            module._is_training = mode
