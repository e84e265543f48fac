"""Small callbacks: one made of functions, one that times, one that freezes layers for a while."""

from __future__ import annotations

import time
from collections.abc import Callable

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError
from tarazu.base.state_dicts import by_patterns
from tarazu.nn.module.module import Module
from tarazu.runtime.tensor.tensor import Tensor
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

    Of a fit that resumes it measures what that fit itself does.

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
        self._first_step: int | None = None

    def on_epoch_start(self, run: Run) -> None:
        self._epoch_start = time.perf_counter()
        if self._first_step is None:  # a checkpoint has put the run where it resumes by now
            self._first_step = run.total_steps

    def on_epoch_end(self, run: Run) -> None:
        self.epoch_seconds.append(time.perf_counter() - self._epoch_start)

    def on_fit_end(self, run: Run) -> None:
        self.seconds = time.perf_counter() - self._start
        self.steps_per_second = 0.0 if self._first_step is None else (run.total_steps - self._first_step) / self.seconds


class Freeze(Callback):
    """Keeps parameters from changing before the epoch `until`: those whose paths match a pattern, or of a layer.

    They are frozen while the steps of an epoch are taken: what is saved after an epoch, and the model after the fit,
    however it ends, is as it was before. Parameters that were frozen before stay so. The program is traced once more
    when they thaw. ArgumentError for a pattern that nothing matches, for a layer that is no part of the model or has
    no parameters, and where nothing is left to train.

    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(2), tz.nn.Dense(1)]).compile("adam", loss="mse")
    >>> show = tz.train.LambdaCallback(on_chunk_end=lambda run: print(run.epoch, run.model[0].trainable))
    >>> history = model.fit([[1.0]], [2.0], epochs=3, callbacks=[tz.train.Freeze("0.*", until=3), show], verbose=0)
    1 False
    2 False
    3 True
    """

    def __init__(self, what: str | Module, *, until: int) -> None:
        self.what, self.until = what, positive_int("until", until)
        self._frozen: list[Tensor] = []  # by this object, since the epoch began

    def on_fit_start(self, run: Run) -> None:
        self._parameters(run.model)

    def on_epoch_start(self, run: Run) -> None:
        if run.epoch >= self.until:
            return
        self._frozen = [x.requires_grad_(False) for x in self._parameters(run.model) if x.requires_grad]
        if not any(x.requires_grad for x in run.model.parameters()):
            raise ArgumentError(f"{self._text()}, which leaves nothing to train before that epoch",
                                expected=f"some of the parameters {_paths(run.model)} to train",
                                fix='freeze fewer, for example "0.*", the first layer of a Sequential')

    def on_epoch_end(self, run: Run) -> None:
        self._thaw()

    def on_fit_end(self, run: Run) -> None:
        self._thaw()

    def _thaw(self) -> None:
        for x in self._frozen:
            x.requires_grad_(True)
        self._frozen = []

    def _parameters(self, model: Module) -> list[Tensor]:
        if not isinstance(self.what, Module):
            paths, parameters = zip(*model.named_parameters(), strict=True)
            matches = by_patterns({self.what: True}, paths, self._text())
            return [x for x, matching in zip(parameters, matches, strict=True) if matching]
        chosen = self.what.parameters()
        if not chosen or not {*map(id, chosen)} <= {*map(id, model.parameters())}:
            problem = "is no part of the model" if chosen else "has no parameters"
            raise ArgumentError(f"{self._text()}: the layer {problem}",
                                expected=f"a layer with some of the parameters {_paths(model)}",
                                fix="pass a layer of the model, such as model[0], or a pattern of paths")
        return chosen

    def _text(self) -> str:
        what = type(self.what).__name__ if isinstance(self.what, Module) else repr(self.what)
        return f"Freeze({what}, until={self.until})"


def _paths(model: Module) -> str:
    return ", ".join(path for path, _ in model.named_parameters())
