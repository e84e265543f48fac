"""Gains with their errors, weighed: how probable it is of each cause that undoing it gains most, and enough."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tarazu.diagnose.judging.thresholds import worth
from tarazu.study.diagnosis.causes import HEALTHY, UNDECIDED
from tarazu.study.trials.trials import Gain

DRAWS = 4000
LEAST_ERROR = 0.005  # in trivial losses


LEAST_PROBABILITY = 0.5  # of what is named: less likely than not is no answer


class Weighing(NamedTuple):
    """How much measured gains are believed, and how sure an illness has to be.

    Gains of remedies are spread about 0, with a deviation of `prior_share` of the loss that there is, and of `prior`
    trivial losses at least: an estimate with a larger error tells less, and is drawn towards 0 (the posterior mean of a
    normal prior). Otherwise the best of ten noisy numbers would look like a gain where there is none. A cause is named
    only where "healthy" has at most the probability `most_healthy`: a false alarm counts as much as four misses.
    """

    prior: float = 0.15
    prior_share: float = 0.5
    most_healthy: float = 0.2


USUAL = Weighing()


def unmeasured(name: str, cause: str) -> Gain:
    """The gain of a remedy that could help and was not tried: nothing but its prior is known of it."""
    return Gain(name, cause, 0.0, math.inf, 0)


def probabilities(gains: Sequence[Gain], own_loss: float, weighing: Weighing = USUAL) -> dict[str, float]:
    """The probability of each cause that was measured, and of "healthy", most probable first.

    Of many draws of all gains, each normal about its estimate, the share in which a cause has the greatest gain and
    that is worth a name.
    """
    random = np.random.default_rng(0)
    drawn: dict[str, np.ndarray] = {}
    prior = max(weighing.prior, weighing.prior_share * own_loss)
    for gain in gains:
        trust = 1 / (1 + (gain.error / prior)**2)
        spread = math.hypot(prior * math.sqrt(1 - trust), LEAST_ERROR)
        values = trust * gain.mean + spread * random.normal(size=DRAWS)
        drawn[gain.cause] = np.maximum(drawn.get(gain.cause, -np.inf), values)
    if not drawn:
        return {HEALTHY: 1.0}
    all_of = np.stack(list(drawn.values()))
    first, is_ill = all_of.argmax(0), all_of.max(0) >= worth(own_loss)
    found = {cause: float(((first == i) & is_ill).mean()) for i, cause in enumerate(drawn)}
    found[HEALTHY] = float((~is_ill).mean())
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def likeliest(probabilities: dict[str, float], weighing: Weighing = USUAL) -> str:
    """The most probable cause, or "healthy" where that is not improbable."""
    ill = [cause for cause in probabilities if cause != HEALTHY]
    return ill[0] if ill and probabilities.get(HEALTHY, 0.0) <= weighing.most_healthy else HEALTHY


def named(probabilities: dict[str, float], helped: set[str], is_partial: bool) -> str:
    """What a diagnosis says: the likeliest, or "undecided".

    No cause is named but those of which a remedy `helped`, and nothing is called healthy before all was tried.
    """
    cause = likeliest(probabilities)
    is_known = not is_partial if cause == HEALTHY else cause in helped
    is_sure = is_known and probabilities[cause] >= LEAST_PROBABILITY
    return cause if is_sure else UNDECIDED
