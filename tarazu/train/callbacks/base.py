"""The base class of callbacks: objects that `fit` notifies, by six hooks."""

from __future__ import annotations

from typing import Any, Self

from tarazu.base.errors import ArgumentError
from tarazu.base.hints.missing import require_arguments
from tarazu.train.trainer.run import Run


class Callback:
    """Override what is of interest; `run` holds the model, the history and where training stands.

    >>> import tarazu as tz
    >>> class Largest(tz.train.Callback):
    ...     def on_epoch_end(self, run):
    ...         print(run.epoch, max(float(x.abs().max()) for x in run.model.parameters()))
    >>> model = tz.nn.Sequential([tz.nn.Dense(1, kernel_initializer="zeros")]).compile("sgd", loss="mse")
    >>> history = model.fit([[1.0]], [[0.0]], callbacks=[Largest()], verbose=0)
    1 0.0
    """

    def __new__(cls, *args: object, **kwargs: object) -> Self:
        if args or kwargs:  # none where a copy is made
            require_arguments(cls, args, kwargs, "TRAINING_ADVICE")
        return super().__new__(cls)

    def on_fit_start(self, run: Run) -> None:
        """Before the first epoch."""

    def on_epoch_start(self, run: Run) -> None:
        """Before each epoch; `run.epoch` counts from 1."""

    def on_step_end(self, run: Run) -> None:
        """After each step; `run.step` counts from 1 in each epoch, `run.loss` is the step's loss.

        Steps are run in chunks of about a quarter of a second, one by one where a callback has this hook.
        """

    def on_chunk_end(self, run: Run) -> None:
        """After each chunk of steps; `run.step` is the last one's number."""

    def on_epoch_end(self, run: Run) -> None:
        """After each epoch; its row is `run.history[-1]`. `run.stop(reason)` ends the training here."""

    def on_fit_end(self, run: Run) -> None:
        """After the last epoch, also of an interrupted run."""

    def state_dict(self) -> dict[str, Any]:
        """What `tz.train.Checkpoint` keeps of this callback: numbers, text, tensors and arrays, by name."""
        return {}

    def load_state_dict(self, content: dict[str, Any]) -> None:
        """Take over what `state_dict` gave, tensors as arrays; called when a fit resumes, after `on_fit_start`."""


HOOKS = [name for name in vars(Callback) if name.startswith("on_")]
OF_KERAS = {
    "on_train_begin": "on_fit_start", "on_train_end": "on_fit_end", "on_epoch_begin": "on_epoch_start",
    "on_batch_end": "on_step_end", "on_train_batch_end": "on_step_end", "on_batch_begin": "on_chunk_end",
    "on_train_batch_begin": "on_chunk_end", "on_test_end": "on_epoch_end", "on_train_start": "on_fit_start",
    "on_train_epoch_start": "on_epoch_start", "on_train_epoch_end": "on_epoch_end",
    "on_validation_end": "on_epoch_end",
}


def require_known_hooks(callback: Callback) -> None:
    """ArgumentError for a method that has a hook's name of Keras or Lightning, or nearly that of one of ours.

    >>> require_known_hooks(Callback())
    """
    for name in dir(callback):
        if not name.startswith("on_") or name in HOOKS or not callable(getattr(callback, name)):
            continue
        import difflib

        near = [OF_KERAS[name]] if name in OF_KERAS else difflib.get_close_matches(name, HOOKS, 1, cutoff=0.85)
        if near:
            raise ArgumentError(f"{type(callback).__name__} has a method {name!r}, which no fit calls",
                                expected=f"the hooks {', '.join(HOOKS)}, each with the argument `run`",
                                fix=f"did you mean {near[0]}(self, run)?")


def wants_steps(callback: Callback) -> bool:
    """Whether the callback does anything after each step."""
    return getattr(callback.on_step_end, "__func__", None) is not Callback.on_step_end
