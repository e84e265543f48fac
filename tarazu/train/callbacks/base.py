"""The base class of callbacks: objects that `fit` notifies, by six hooks."""

from __future__ import annotations

from typing import Any

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


def wants_steps(callback: Callback) -> bool:
    """Whether the callback does anything after each step."""
    return getattr(callback.on_step_end, "__func__", None) is not Callback.on_step_end
