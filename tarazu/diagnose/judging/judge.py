"""The judge: the order of the rules, and which finding decides the verdict. It reads histories only."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tarazu.base.messages import plural
from tarazu.diagnose.judging import evidence_rules, rules, symptoms
from tarazu.diagnose.judging.formatting import number, percent, removed, with_interval
from tarazu.diagnose.judging.measurements import read
from tarazu.record import Finding, History, Verdict

# In the order in which the verdict lists the findings.
RULES: tuple[Callable[[History], Finding | None], ...] = (
    evidence_rules.not_measured,
    evidence_rules.diverged,
    evidence_rules.no_epoch,
    evidence_rules.batch_loss,
    rules.unscaled_inputs,
    rules.little_skill,
    rules.few_samples,
    rules.gap,
    rules.validation_rise,
    rules.still_falling,
    evidence_rules.no_validation,
    evidence_rules.few_validation,
    evidence_rules.few_epochs,
    evidence_rules.unstable,
    evidence_rules.other_rows,
    evidence_rules.negative_gap,
    rules.room,
    rules.losses,
)

# Those that say something of weights that have no finite losses, or come from before a run broke off.
RULES_WHERE_DIVERGED = evidence_rules.diverged, rules.unscaled_inputs, evidence_rules.no_validation, rules.losses

# Those that need no losses of single samples.
RULES_FOR_BATCH_LOSSES = evidence_rules.diverged, evidence_rules.no_epoch, evidence_rules.batch_loss, rules.losses


class Decision(NamedTuple):
    """A finding that decides the verdict; of a run with several such findings, the one first in DECISIONS does."""

    finding: str
    verdict: str
    headline: Callable[[History], str]


def judge(history: History) -> Verdict:
    """The verdict on a run: whether it underfits, overfits or sits about right, on which evidence, and what to try.

    Reads `history.rows`, `.measurements` (from `measure_fit`) and `.stopped`; changes nothing. Each threshold stands
    with its reason and source in `thresholds.py`.

    >>> print(judge(History()))
    undecided: the run was not measured
      no losses were measured on the weights that the run left
      what to try: train with `fit`, or put the result of `measure_fit` in history.measurements
    """
    findings = tuple(finding for rule in _rules_for(history) if (finding := rule(history)))
    names = {finding.name for finding in findings}
    decision = next((row for row in DECISIONS if row.finding in names), ABOUT_RIGHT)
    return Verdict(decision.verdict, f"{decision.verdict}: {decision.headline(history)}", findings)


def _rules_for(history: History) -> tuple[Callable[[History], Finding | None], ...]:
    if history.measurements.get("is_batch_loss"):
        return RULES_FOR_BATCH_LOSSES
    has_diverged = evidence_rules.not_measured(history) is None and evidence_rules.diverged(history)
    return RULES_WHERE_DIVERGED if has_diverged else RULES


def _losses(history: History, joint: str = "and") -> str:
    """The skills on training and validation data, or the losses where there is no trivial predictor; and the gap."""
    gap = read(history, "gap", "gap_low", "gap_high")
    gap_text = f" (gap {with_interval(*gap)})" if gap else ""
    skills = read(history, "train_skill", "validation_skill")
    if skills:
        train, validation = (percent(skill) if skill > 0 else "nothing" for skill in skills)
        return (f"the model removes {train} of the trivial loss on training data {joint} {validation} on "
                f"validation{gap_text}")
    losses = read(history, "train_loss", "validation_loss")
    if losses is None:
        (train_loss,) = read(history, "train_loss") or (float("nan"),)
        return f"the loss is {number(train_loss)} on training data"
    return f"the loss is {number(losses[0])} on training data {joint} {number(losses[1])} on validation{gap_text}"


def _losses_differ(history: History) -> str:
    return _losses(history, "but")


def _little_skill(history: History) -> str:
    (skill,) = read(history, "train_skill") or (0.0,)
    return f"the model removes {removed(skill)} of the trivial loss on its own training data"


def _unstable(history: History) -> str:
    return f"training was unstable; {_losses(history)}"


def _no_number(history: History) -> str:
    if symptoms.fails_in_evaluation(history):
        return "the training loss is a number, and the loss in evaluation is not"
    return "training diverged, the loss is not a number"


def _rose(history: History) -> str:
    (turning_epoch,) = read(history, "turning_epoch") or (0,)
    return f"validation loss rose after epoch {turning_epoch:.0f}; {_losses(history)}"


def _other_rows(history: History) -> str:
    return f"the validation rows are of another kind than the training rows; {_losses(history, 'but')}"


def _short(history: History) -> str:
    return f"both losses were still falling when the run ended after {plural(len(history), 'epoch')}"


def _few_samples(history: History) -> str:
    return _too_few((read(history, "validation_samples") or (0,))[0], "validation sample")


def _few_training(history: History) -> str:
    return _too_few((read(history, "train_samples") or (0,))[0], "training sample")


def _few_epochs(history: History) -> str:
    return f"{_too_few(len(history), 'epoch')}; so far {_losses(history)}"


def _too_few(things: float, noun: str) -> str:
    return f"{plural(things, noun)} {'is' if things == 1 else 'are'} too few to tell"


ABOUT_RIGHT = Decision("", "about right", _losses)

# In the order of precedence: bias is looked for first, since a gap of a model that has learned nothing says nothing.
DECISIONS = (
    Decision("not measured", "undecided", lambda history: "the run was not measured"),
    Decision("diverged", "undecided", _no_number),
    Decision("no epoch", "undecided", lambda history: "no epoch was finished"),
    Decision("batch loss", "undecided", lambda history: "the loss is one of whole batches, which has no samples to "
             "compare"),
    Decision("little skill", "underfitting", _little_skill),
    Decision("gap to other rows", "undecided", _other_rows),
    Decision("gap", "overfitting", _losses_differ),
    Decision("rise", "overfitting", _rose),
    Decision("not settled", "undecided", _unstable),
    Decision("still falling", "underfitting", _short),
    Decision("no validation", "undecided", lambda history: "there is no validation set"),
    Decision("few validation samples", "undecided", _few_samples),
    Decision("few training samples", "undecided", _few_training),
    Decision("few epochs", "undecided", _few_epochs),
)
