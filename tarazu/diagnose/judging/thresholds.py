"""Every bound of the judge, with its reason. Shares are of `loss_scale`, in most runs the trivial predictor's loss.

No paper gives most of these: how large a gap matters is a convention. They were set so that the judge stays silent on
good runs; tests/diagnose/test_judge_rates.py measures the false alarms and the hits that they lead to.
"""

# What a lower loss on new data is worth a name from, here and in the studies; the greater of both counts. A tenth of
# the model's own loss: less changes few decisions, and nearly every fit gains some percent from more rows. A twentieth
# of the trivial loss: where a model has removed most of that, halving the rest matters to nobody.
SHARE_OF_TRIVIAL, SHARE_OF_OWN = 0.05, 0.10

# Fitting a model lowers the loss on its own rows by about as much as it raises that on new ones: of the optimism of
# linear least squares, 2 sigma^2 p / n, each makes up half (C. Mallows, "Some comments on C_p", Technometrics, 1973).
# To undo all of the variance gains half the gap, so a gap matters from twice what a gain is worth a name from.
GAP_OF_A_GAIN = 2
# That is, for a model that has removed half of the trivial loss or more. The low end of the gap's interval must
# exceed it.
GAP_TOLERANCE = GAP_OF_A_GAIN * SHARE_OF_TRIVIAL

# From a quarter on a gap costs more than most choices of a model win. An interval that reaches from below
# GAP_TOLERANCE to above this (or, where the least gap is larger, as far beyond it) holds both readings: the validation
# set is too small to tell.
LARGE_GAP = 0.25

# With n samples and no surprise among them, surprises may still make up 3/n of new data at 95 % confidence
# (J. Hanley and A. Lippman-Hand, "If nothing goes wrong, is everything all right?", JAMA, 1983).
SURPRISES = 3
# So that "about right" excludes a large gap: 3 / 12 = LARGE_GAP.
MIN_VALIDATION_SAMPLES = round(SURPRISES / LARGE_GAP)

# A model that removes less than this share of the trivial loss even from its own training samples has learned little
# more than class frequencies or a mean. Real but very noisy problems lie there too, which the evidence says.
LITTLE_SKILL = 0.15

# Half of the trivial loss is left on training data and there is no gap: a larger model may gain, or the rest is noise.
ROOM_SKILL = 0.50

# Three standard deviations of the epoch-to-epoch noise, the usual limit of a control chart (W. Shewhart, "Economic
# control of quality of manufactured product", 1931).
RISE_IN_NOISE = 3.0

# Initial weights and rates are made for inputs of mean 0 and variance 1 (Y. LeCun and others, "Efficient BackProp",
# 1998); ten times that is beyond what an optimizer makes up for at once.
LARGE_INPUTS = 10.0
# Beyond the rates that any optimizer here has by default, and the ones that are usual for plain gradient descent.
HIGH_RATE = 0.05

# A medium difference of means, in standard deviations (J. Cohen, "Statistical power analysis for the behavioral
# sciences", 1969): rows drawn from one set at random differ by no more, beyond chance.
LARGE_SHIFT = 0.5

# Two points show no trend.
MIN_EPOCHS = 3

# A train loss three times as large as before and as the trivial loss: steps that overshoot, not noise.
EXPLOSION = 3.0
# A train loss that lost a quarter of all that there is to gain was not lowered by its steps; noise and dropout do less.
TRAIN_RISE = 0.25
# With this share of the trivial loss gone, an unstable run has learned most of what it can nevertheless.
UNHARMED_SKILL = 0.80

# Squared normal errors put an eighth of their sum into the largest fiftieth, losses of healthy classifiers up to a
# third; beyond a half few samples speak for all.
WORST_SHARE = 0.50


def worth(own_loss: float) -> float:
    """The least gain that is worth a name, of a model with a loss of `own_loss` on new data, both in trivial losses.

    >>> worth(0.1), worth(0.8)
    (0.05, 0.08000000000000002)
    """
    return max(SHARE_OF_TRIVIAL, SHARE_OF_OWN * own_loss)


def least_gap(own_loss: float) -> float:
    """The least gap that matters, of a model with a loss of `own_loss` on new data, both in trivial losses.

    >>> least_gap(0.5), least_gap(1.0)
    (0.1, 0.2)
    """
    return GAP_OF_A_GAIN * worth(own_loss)
