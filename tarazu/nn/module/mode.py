"""A block in which a model is in training or in evaluation mode, for training and summaries.

That a jitted function is traced again where the mode is another is not decided here: who reads `Module.training` in a
traced function notes a guard (runtime/trace/guards.py), which `jit` tests at each call.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tarazu.nn.module.module import Module


@contextlib.contextmanager
def in_mode(model: Module, *, training: bool) -> Iterator[None]:
    """Puts `model` into the mode, and each module back into its own afterwards."""
    modes = [(module, module._is_training) for _, module in model.named_modules()]
    model.train(training)
    try:
        yield
    finally:
        for module, mode in modes:
            module._is_training = mode
