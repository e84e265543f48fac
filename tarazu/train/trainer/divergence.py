"""A run whose loss or weights are no longer finite: what is put back, and why it probably happened."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Mapping

import numpy as np

from tarazu.base.pytree import map_leaves
from tarazu.nn.module.mode import in_mode
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.origins import frames_to_user
from tarazu.train.sources.arrays import Arrays
from tarazu.train.trainer.precision import FULL
from tarazu.train.trainer.run import Run
from tarazu.train.trainer.snapshot import Snapshot, restore

_NAME_IT = "`with tz.debug_nans():` around the fit names it"
HUGE = 1e9  # the products of such weights of a few layers overflow float32
LARGE = 1e4  # inputs and targets of networks lie around 1; squares and products of such values leave float32's digits


class TrainingWarning(UserWarning):
    """The warning of a run that ended early because a loss or a weight was not finite; the last good weights are kept.

    Also of a validation loss that is NaN, of data that ended too early, and of the like.

    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(1)]).compile(tz.optim.SGD(lr=1e30), loss="mse")
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", tz.train.TrainingWarning)
    ...     model.fit([[1.0], [2.0]], [2.0, 4.0], epochs=9, seed=0, verbose=0).stopped
    'not finite'
    """


def warn(notes: list[str]) -> None:
    """Warn of each of the notes, once, at the user's line."""
    while notes:
        warnings.warn(notes.pop(), TrainingWarning, stacklevel=frames_to_user())


def warn_of_validation(run: Run, values: Mapping[str, float]) -> None:
    """Warn, once in a run, where the validation loss is NaN and the training loss is finite."""
    loss, validation = values.get("loss", math.nan), values.get("val_loss", 0.0)
    if not run.has_warned_of_validation and math.isfinite(loss) and math.isnan(validation):
        run.has_warned_of_validation = True
        warn([f"the validation loss was {validation} after epoch {run.epoch}, although the training loss was "
              f"{loss:.3g}; look for huge values in these data, and for log(0) or 0 / 0 in what the model does "
              "in evaluation alone; `with tz.debug_nans():` around model.evaluate of them names it"])


def abort(run: Run, what: str, good: Snapshot, rows: Arrays) -> None:
    """End the run with the weights in `good`, the last that gave a finite loss; `rows` are those of the last steps."""
    restore(good)
    run.history.stopped = "not finite"
    of = f" of {run.steps}" if run.steps else ""
    run.failure = (f"training stopped: {what} in epoch {run.epoch}, step {run.step}{of}; "
                   f"likely cause: {_likely_cause(run, rows)}. The weights from before that are kept.")


def _likely_cause(run: Run, batch: Arrays) -> str:
    """What the loss and its gradient, computed again under the good weights, give away."""
    broken = [path for path, x in run.model.named_tensors() if not np.isfinite(x.numpy()).all()]
    if broken and run.last is None:
        return (f"values that were NaN or infinite before training began, in {', '.join(broken)}; make the model anew, "
                "or load other weights")
    rates = ", ".join(f"{rate:.3g}" for rate in run.trainer.rates().values())
    weights = [np.abs(x.numpy()).astype(np.float64).max(initial=0) for x in run.trainer.optimized()]
    weight = max(weights, default=0.0)
    if weight > HUGE and run.last is None:
        return (f"weights as large as {weight:.3g} before training began, as a learning rate that is too high leaves "
                f"them; make the model anew, or load other weights, and try a smaller rate than {rates}")
    largest = max(np.abs(part.astype(np.float64)).max() for part in batch.leaves)
    if largest > LARGE:
        return f"values as large as {largest:.3g} in the data; scale inputs and targets (tz.data.Standardizer)"
    parameters, exact = run.trainer.optimized(), copy.copy(run.trainer)
    exact.policy = FULL
    with in_mode(run.model, training=False):
        loss = exact.loss_of(exact.mapped(map_leaves(asarray, batch.tree)))
    if loss is not None and not math.isfinite(float(loss)):
        return f"an operation such as log(0) or 0 / 0 in the model or the loss; {_NAME_IT}"
    if loss is not None and not _has_finite_gradients(loss, parameters):
        return ("an operation whose gradient is infinite, such as sqrt(0), in the model or the loss; add a small "
                f"number inside; {_NAME_IT}")
    return (f"{run.trainer.policy.likely_overflow}a learning rate that is too high ({rates}); try a tenth of it, or "
            "clip_norm=1.0")


def _has_finite_gradients(loss: Tensor, parameters: list[Tensor]) -> bool:
    for x in parameters:
        x.grad = None
    loss.backward()
    gradients = [x.grad for x in parameters if x.grad is not None]
    for x in parameters:
        x.grad = None
    return all(np.isfinite(g.numpy()).all() for g in gradients)
