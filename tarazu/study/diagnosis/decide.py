"""Gains with their errors, weighed: how probable it is of each cause that undoing it gains most, and enough."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tarazu.diagnose.judging.thresholds import worth
from tarazu.study.diagnosis.causes import CAUSES, HEALTHY
from tarazu.study.trials.trials import Gain

DRAWS = 4000
# Gains of remedies are spread about 0, with a deviation of half the loss that there is, and of so many trivial losses
# at least: an estimate with a larger error tells less, and is drawn towards 0 (the posterior mean of a normal prior).
# Otherwise the best of ten noisy numbers would look like a gain where there is none.
PRIOR, PRIOR_SHARE = 0.15, 0.5
LEAST_ERROR = 0.005  # in trivial losses


def probabilities(gains: Sequence[Gain], own_loss: float) -> dict[str, float]:
    """The probability of each cause that was measured, and of "healthy", most probable first.

    Of many draws of all gains, each normal about its estimate, the share in which a cause has the greatest gain and
    that is worth a name.
    """
    random = np.random.default_rng(0)
    drawn: dict[str, np.ndarray] = {}
    prior = max(PRIOR, PRIOR_SHARE * own_loss)
    for gain in gains:
        trust = prior**2 / (prior**2 + gain.error**2)
        mean, error = trust * gain.mean, np.sqrt(trust) * gain.error
        spread = np.sqrt(error**2 + (CAUSES[gain.cause].doubt * mean) ** 2 + LEAST_ERROR**2)
        values = mean + spread * random.normal(size=DRAWS)
        drawn[gain.cause] = np.maximum(drawn.get(gain.cause, -np.inf), values)
    if not drawn:
        return {HEALTHY: 1.0}
    all_of = np.stack(list(drawn.values()))
    first, is_ill = all_of.argmax(0), all_of.max(0) >= worth(own_loss)
    found = {cause: float(((first == i) & is_ill).mean()) for i, cause in enumerate(drawn)}
    found[HEALTHY] = float((~is_ill).mean())
    return dict(sorted(found.items(), key=lambda item: -item[1]))
