"""`diagnose`: why a model generalizes as it does, and what would help, measured by small experiments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from tarazu.base.errors import ArgumentError
from tarazu.base.messages import plural
from tarazu.diagnose.judging.thresholds import least_gap
from tarazu.nn.module.trainable import Inputs, Validation, Verbose
from tarazu.study.diagnosis.causes import CAUSES, UNDECIDED
from tarazu.study.diagnosis.decide import named
from tarazu.study.diagnosis.diagnosis import Diagnosis
from tarazu.study.diagnosis.evidence import all_evidence
from tarazu.study.diagnosis.investigation import Investigation
from tarazu.study.diagnosis.row_findings import leaking_features, losses_by_rows, suspect_targets
from tarazu.study.experiment.experiment import Build, Experiment
from tarazu.study.trials.measured_advice import with_measured_advice
from tarazu.study.trials.trials import DIVERGED, Budget
from tarazu.train.callbacks.base import Callback


def diagnose(build: Build, x: Inputs, y: Inputs, *, validation_data: Validation = None, validation_split: float = 0.2,
             epochs: int, batch_size: int = 32, callbacks: Sequence[Callback] = (), seed: int = 0,
             budget: float = 20.0, feature_names: Sequence[str] | None = None, verbose: Verbose = "auto") -> Diagnosis:
    """Why a model generalizes as it does, and what would help: the causes with probabilities, and measured remedies.

    `build` is a function that gives a fresh compiled model, or a compiled model, which is made again; the other
    arguments are those of `fit`. Rows are looked at for leaks, copies, shift and wrong targets, then fits with one
    thing changed are compared with the model's own, over more seeds where that is not sure. `budget` is how many fits
    that may take, about; the first three (the fit itself, and two on halves of the rows) are always made. The cause is
    "undecided" where none has a probability of at least a half, where an illness is not four times as probable as
    health, and where nothing seems to help but not all was tried. `feature_names` are those of the columns of `x`, for
    leaks and shifts; columns of one name are one feature. Ctrl-C ends it with what is known. The same seed gives the
    same result. ArgumentError for a budget of 0 or less, fewer than 10 rows of a part, NaN, names that do not fit, and
    classes of which a part has only one; TrainingError for a model that is not compiled with a loss of its outputs, or
    a `build` that gives one model twice.

    >>> import tarazu as tz
    >>> random = np.random.default_rng(0)
    >>> x = random.normal(size=(120, 2)).astype("float32")
    >>> def build():
    ...     return tz.nn.Sequential(tz.nn.Dense(1)).compile(tz.optim.SGD(lr=0.001), "mse")
    >>> found = diagnose(build, x, x @ np.float32([[1.0], [-2.0]]), epochs=3, budget=6, verbose=0)
    >>> found.overfit, found.loss > 0.5, found.remedies[0].mean > 0
    (False, True, True)
    """
    if not isinstance(budget, int | float) or not budget > 0:
        raise ArgumentError(f"budget={budget!r}", expected="a number of fits above 0", fix="pass for example budget=20")
    experiment = Experiment.of(build, x, y, validation_data=validation_data, validation_split=validation_split,
                               epochs=epochs, batch_size=batch_size, callbacks=callbacks, seed=seed)
    names = _checked_names(feature_names, experiment)
    with _progress(budget, bool(verbose)) as show:
        found = Investigation(experiment, seed, Budget(budget, show), names)
        try:
            found.run()
        except KeyboardInterrupt:
            if not found.first_trials.own_fits:
                raise
            found.keep_what_is_known()
            return _diagnosis(found, is_interrupted=True)
    return _diagnosis(found, is_interrupted=False)


@contextmanager
def _progress(budget: float, is_shown: bool) -> Iterator[Callable[[float], None]]:
    """A bar of the fits that are spent."""
    if not is_shown:
        yield lambda spent: None
        return
    from rich.progress import BarColumn, TextColumn

    from tarazu.data.late_bar import late_bar

    fits = TextColumn("{task.completed:.0f} of at most about {task.total:.0f} fits")
    with late_bar("diagnosing", "the fit", budget, BarColumn(), fits) as show:
        yield show


def _checked_names(names: Sequence[str] | None, experiment: Experiment) -> Sequence[str]:
    """The names of the columns of x, none if they are not given; ArgumentError where they do not fit."""
    if names is None:
        return ()
    x = experiment.train.x
    columns = x.shape[1] if isinstance(x, np.ndarray) and x.ndim == 2 else None
    if columns != len(names):
        fitting = "inputs that are one matrix" if columns is None else f"a name for each of {plural(columns, 'column')}"
        raise ArgumentError(f"{len(names)} feature_names", expected=fitting, fix="leave feature_names out, or mend it")
    return list(map(str, names))


def _diagnosis(found: Investigation, is_interrupted: bool) -> Diagnosis:
    probabilities, loss, train_loss = found.probabilities, found.own_loss, found.trials.train_loss
    tried = {gain.cause for gain in found.gains.values() if gain.mean > 0}
    cause = named(probabilities, tried, is_interrupted or bool(found.skipped) or loss >= DIVERGED)
    wrong, evidence = found.rows.wrong, tuple(all_evidence(found))
    overfit = None if cause == UNDECIDED else (
        cause in CAUSES and CAUSES[cause].is_of_variance and loss - train_loss >= least_gap(loss))
    remedies = tuple(sorted(found.gains.values(), key=lambda gain: -gain.mean))
    history = found.first_trials.history
    if history is not None:
        history.revise_later(lambda verdict: with_measured_advice(verdict, remedies, loss))
    return Diagnosis(cause, tuple(probabilities.items()), wrong.rate if wrong else None, overfit, evidence, remedies,
                     loss, found.budget.spent, train_loss, history, is_interrupted,
                     tuple(found.skipped), losses_by_rows(found), suspect_targets(found.rows), leaking_features(found),
                     found.rows.shifted, _kept_epoch(found))


def _kept_epoch(found: Investigation) -> int | None:
    """The epoch whose weights the experiment's own fit ends with; in a study fits keep those of the last one too."""
    history = found.first_trials.history
    if history is None:
        return None
    return history.best_epoch() if found.experiment.keeps_best else len(history)
