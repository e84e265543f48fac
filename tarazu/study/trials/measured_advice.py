"""The verdict on a run with measured gains in place of the guesses of what to try."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tarazu.base.messages import plural
from tarazu.record import Finding, Verdict
from tarazu.study.trials.trials import Gain

FINDING = "remedies"
# How a guess begins (the advice of `tarazu.diagnose`), and the remedies whose gains take its place.
GUESSES: dict[str, tuple[str, ...]] = {
    "more training data": ("4 x the rows",),
    "a smaller model": ("a quarter of the width",),
    "dropout, weight decay": ("dropout of 0.3", "weight decay", "images mirrored at random",
                              "images shifted at random"),
    "a larger model": ("4 x the width", "one layer more"),
    "less dropout or weight decay": ("no dropout, no decay",),
    "train longer": ("4 x the epochs",),
    "a smaller learning rate": ("a tenth of the learning rate",),
    "a larger learning rate": ("ten times the learning rate",),
    "another learning rate": ("a tenth of the learning rate", "ten times the learning rate"),
    "stop at epoch": ("the weights of the best epoch",),
}


def with_measured_advice(verdict: Verdict, gains: Sequence[Gain], loss: float) -> Verdict:
    """A verdict whose advice is what was measured: gains of a model with a validation `loss`, in the same units.

    Guesses of what was tried are left out, those of what was not tried stay. What a verdict has of an earlier
    measurement goes.

    >>> from tarazu.diagnose import judge
    >>> from tarazu.record import History
    >>> gain = Gain("dropout of 0.3", "too_much_capacity", 0.06, 0.01, 3)
    >>> with_measured_advice(judge(History()), [gain], 0.5).advice[0]
    'dropout of 0.3: lowers the validation loss by 12 % (8 to 16), measured over 3 seeds'
    """
    if not gains:
        return verdict
    tried = {gain.by for gain in gains}
    kept = [replace(finding, advice=tuple(line for line in finding.advice if not _is_about(line, tried)))
            for finding in verdict.findings if finding.name != FINDING]
    return replace(verdict, findings=(_finding(gains, loss), *kept))


def _is_about(guess: str, tried: set[str]) -> bool:
    return any(guess.startswith(start) and not tried.isdisjoint(names) for start, names in GUESSES.items())


def _finding(gains: Sequence[Gain], loss: float) -> Finding:
    helping = sorted((gain for gain in gains if gain.interval[0] > 0), key=lambda gain: -gain.mean)
    others = ", ".join(gain.by for gain in gains if gain not in helping)
    texts = [] if helping else ["nothing that was tried lowers the validation loss for sure"]
    texts += [f"tried, without a sure gain: {others}"] if others else []
    evidence = "; ".join(texts) or f"measured: {plural(len(helping), 'change')} of the fit"
    return Finding(FINDING, "info", evidence, {gain.by: gain.mean for gain in gains},
                   advice=tuple(_line(gain, loss) for gain in helping))


def _line(gain: Gain, loss: float) -> str:
    low, high = gain.interval
    mean, low, high = (100 * value / abs(loss) for value in (gain.mean, low, high))
    seeds = f"measured over {plural(gain.seeds, 'seed')}"
    return f"{gain.by}: lowers the validation loss by {percents(mean, low, min(high, 100.0))}, {seeds}"


def percents(mean: float, low: float, high: float, unit: str = " %") -> str:
    """A number of percent with its interval.

    >>> percents(12.3, 8.1, 16.2)
    '12 % (8 to 16)'
    """
    digits = 0 if max(abs(low), abs(high)) >= 10 else 1
    return f"{mean:z,.{digits}f}{unit} ({low:z,.{digits}f} to {high:z,.{digits}f})"
