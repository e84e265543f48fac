"""Small callbacks: one made of functions, one that times, one that freezes layers for a while."""

from __future__ import annotations

import fnmatch
import time
from collections.abc import Callable

from tarazu.base.errors import ArgumentError
from tarazu.nn.module.module import Module
from tarazu.train.callbacks.base import HOOKS, Callback
from tarazu.train.trainer.run import Run


class LambdaCallback(Callback):
    """Calls functions of `run` at the hooks that they are passed for; ArgumentError for other names and no functions.

    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(1)]).compile("adam", loss="mse")
    >>> show = tz.train.LambdaCallback(on_epoch_end=lambda run: print("epoch", run.epoch))
    >>> history = model.fit([[1.0]], [2.0], epochs=2, callbacks=show, verbose=0)
    epoch 1
    epoch 2
    """

    def __init__(self, **hooks: Callable[[Run], object]) -> None:
        for name, function in hooks.items():
            if name not in HOOKS or not callable(function):
                raise ArgumentError(f"LambdaCallback({name}={function!r})",
                                    expected=f"functions of `run` for {', '.join(HOOKS)}",
                                    fix="for example on_epoch_end=lambda run: print(run.epoch)")
            setattr(self, name, function)


class Timer(Callback):
    """Measures a fit: `seconds` in all, `epoch_seconds` of each epoch, and `steps_per_second` over all of them.

    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(1)]).compile("adam", loss="mse")
    >>> timer = tz.train.Timer()
    >>> history = model.fit([[1.0]], [2.0], epochs=2, callbacks=timer, verbose=0)
    >>> len(timer.epoch_seconds), timer.seconds > 0, timer.steps_per_second > 0
    (2, True, True)
    """

    def __init__(self) -> None:
        self.seconds, self.steps_per_second = 0.0, 0.0
        self.epoch_seconds: list[float] = []

    def on_fit_start(self, run: Run) -> None:
        self._start, self.epoch_seconds = time.perf_counter(), []

    def on_epoch_start(self, run: Run) -> None:
        self._epoch_start = time.perf_counter()

    def on_epoch_end(self, run: Run) -> None:
        self.epoch_seconds.append(time.perf_counter() - self._epoch_start)

    def on_fit_end(self, run: Run) -> None:
        self.seconds = time.perf_counter() - self._start
        self.steps_per_second = run.total_steps / self.seconds


class Freeze(Callback):
    """Keeps parameters from changing before the epoch `until`: those whose paths match a pattern, or of a layer.

    The program is traced once more when they thaw. ArgumentError for a pattern that nothing matches.

    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(2), tz.nn.Dense(1)]).compile("adam", loss="mse")
    >>> freeze = tz.train.Freeze("0.*", until=3)
    >>> history = model.fit([[1.0]], [2.0], epochs=2, callbacks=freeze, verbose=0)
    >>> model[0].trainable, model[1].trainable
    (False, True)
    """

    def __init__(self, what: str | Module, *, until: int) -> None:
        self.what, self.until = what, until

    def on_epoch_start(self, run: Run) -> None:
        for x in self._parameters(run.model):
            if x.requires_grad == (run.epoch < self.until):
                x.requires_grad_(run.epoch >= self.until)

    def _parameters(self, model: Module) -> list:
        if isinstance(self.what, Module):
            return self.what.parameters()
        chosen = [x for path, x in model.named_parameters() if fnmatch.fnmatch(path, self.what)]
        if not chosen:
            paths = ", ".join(path for path, _ in model.named_parameters())
            raise ArgumentError(f"Freeze({self.what!r}), which no parameter matches", expected=f"a pattern of {paths}",
                                fix='for example "0.*" for the first layer of a Sequential')
        return chosen
