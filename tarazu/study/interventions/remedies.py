"""`remedies`: what would help a fit, and by how much, measured by the same fit with one thing changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np

from tarazu.base.checks import positive_int
from tarazu.base.errors import ArgumentError, TrainingError
from tarazu.base.messages import listing
from tarazu.base.spelling import did_you_mean
from tarazu.nn.module.trainable import Inputs, Validation, Verbose
from tarazu.study.experiment.experiment import Build, Experiment
from tarazu.study.interventions.comparison import Comparison
from tarazu.study.interventions.paired import paired_gain
from tarazu.study.interventions.result import BalancedAccuracy, Remedies
from tarazu.study.interventions.table import INTERVENTIONS, Case, why_not
from tarazu.train.callbacks.base import Callback


def remedies(build: Build, x: Inputs, y: Inputs, *, validation_data: Validation = None, validation_split: float = 0.2,
             epochs: int, batch_size: int = 32, callbacks: Sequence[Callback] = (), seed: int = 0, seeds: int = 3,
             only: str | Iterable[str] | None = None, verbose: Verbose = "auto") -> Remedies:
    """What would help a fit, and by how much: the same fit with one thing changed, on the same validation rows.

    The changes are more rows, smaller and larger models, more and less regularization, other learning rates, more
    epochs, the weights of the best epoch, images that are changed at random, corrected targets and balanced class
    weights, each where it can be applied; `only` names those to try. Each is made with `seeds` seeds, `seed` and those
    that follow, as is the fit itself: a gain is the mean difference of fits with the same seed, that is with the same
    first weights and order of rows as far as shapes allow. Intervals of 95 % have the chance of the seeds, by Student's
    distribution, and that of the validation rows, for these training rows; with one seed the first is guessed by what
    is usual. Of twenty changes that do nothing one is expected to look as if it did.

    More rows are not there to be tried: the gain of four times as many is carried on from fits to halves and quarters.
    Where the fit keeps the best epoch, more epochs would be better by choice alone; they are compared by epochs that
    other validation rows have chosen. Corrected targets are judged by rows whose targets are not in doubt. Balanced
    class weights lift rare classes, often at the cost of the loss, so the balanced accuracy is said with them.

    `build` is a function that gives a fresh compiled model, or a compiled model, which is made again; the other
    arguments are those of `fit`. It takes a fit of the model and one for each change, times `seeds`, and four to parts
    of the rows: up to 46 with three seeds, of which those of four times the epochs are as long; `only` makes it less.
    Ctrl-C keeps the fits that are done. The same seed gives the same result. ArgumentError for an unknown name in
    `only`, `seeds` below 1, fewer than 10 rows of a part, NaN, and classes of which a part has only one; TrainingError
    for a model that is not compiled with a loss of its outputs, a `build` that gives another model each time, and where
    the model as it is always diverges.

    >>> import tarazu as tz
    >>> x = np.random.default_rng(0).normal(size=(120, 2)).astype("float32")
    >>> def build():
    ...     return tz.nn.Sequential(tz.nn.Dense(1)).compile(tz.optim.SGD(lr=0.001), "mse")
    >>> found = remedies(build, x, x @ np.float32([[1.0], [-2.0]]), epochs=3, seeds=2, verbose=0,
    ...                  only=["4 x the epochs", "dropout of 0.3"])
    >>> found.best.by, found.not_applicable
    ('4 x the epochs', {'dropout of 0.3': 'the model has no hidden layer'})
    """
    chosen, seeds = _chosen(only), positive_int("seeds", seeds)
    experiment = Experiment.of(build, x, y, validation_data=validation_data, validation_split=validation_split,
                               epochs=epochs, batch_size=batch_size, callbacks=callbacks, seed=seed)
    case = Case(experiment, seed)
    reasons = {name: why_not(name, case) for name in chosen}
    made = Comparison(case, [name for name in chosen if not reasons[name]], seeds)
    is_interrupted = False
    with _progress(made.cost) if verbose else nullcontext(made.on_fit) as made.on_fit:
        try:
            made.run()
        except KeyboardInterrupt:
            if not made.gains():
                raise
            is_interrupted = True
    return _remedies(made, {name: reason for name, reason in reasons.items() if reason}, is_interrupted)


def _chosen(only: str | Iterable[str] | None) -> list[str]:
    """The names of the interventions to try, in the order of the table."""
    if only is None:
        return list(INTERVENTIONS)
    names = [only] if isinstance(only, str) else list(only)
    for name in names:
        if name not in INTERVENTIONS:
            raise ArgumentError(f"only={only!r}: there is no remedy {name!r}", expected=f"of {listing(INTERVENTIONS)}",
                                fix=did_you_mean(name, INTERVENTIONS))
    if not names:
        raise ArgumentError("only names no remedy", expected=f"some of {listing(INTERVENTIONS)}",
                            fix="leave it out for all")
    return [name for name in INTERVENTIONS if name in names]


def _remedies(made: Comparison, reasons: dict[str, str], is_interrupted: bool) -> Remedies:
    if not made.own:
        raise TrainingError("the model as it is diverged with each seed, so that no gain can be told",
                            expected="losses that are finite", fix="lower the learning rate, or scale the data")
    found = Remedies(tuple(made.gains()), made.loss, made.trivial, reasons | made.not_applicable, dict(made.diverged),
                     len(made.own) + made.diverged[""], made.fits, _balanced_accuracy(made), made.history,
                     is_interrupted)
    if made.history is not None:
        made.history.revise_later(found.advised)
    return found


def _balanced_accuracy(made: Comparison) -> BalancedAccuracy | None:
    """That of the fits with and without balanced class weights; None where there are none."""
    labels = made.case.labels(made.case.experiment.validation)
    if not made.misses or labels is None:
        return None
    _, classes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    weights = 1 / counts[classes]
    gain = paired_gain("", "", made.misses, weights, 1.0)
    before = 1 - float(np.mean([np.average(misses, weights=weights) for misses, _ in made.misses]))
    return BalancedAccuracy(before, before + gain.mean, *gain.interval)


def _progress(cost: float) -> AbstractContextManager[Callable[[float], None]]:
    """A bar of how much of the cost of all fits is done."""
    from rich.progress import BarColumn, TimeRemainingColumn

    from tarazu.data.late_bar import late_bar

    return late_bar("trying", "remedies", cost, BarColumn(), TimeRemainingColumn(compact=True))
