"""Every bound of the judge, with its reason. Shares are of `loss_scale`, in most runs the trivial predictor's loss.

No paper gives most of these: how large a gap matters is a convention. They were set so that the judge stays silent on
good runs; tests/diagnose/test_judge_rates.py measures the false alarms and the hits that they lead to.
"""

# A gap below a tenth of all that there is to explain leaves a model useful on new data; healthy small networks on
# tabular data sit between 0 and 0.1. The low end of the gap's interval must exceed it.
GAP_TOLERANCE = 0.10

# From a quarter on a gap costs more than most choices of a model win. An interval that reaches from below
# GAP_TOLERANCE to above this holds both readings: the validation set is too small to tell.
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
# A tenth more validation loss than the best epoch had, and a hundredth of the scale: 0.0003 to 0.0006 is no rise.
RISE_SHARE_OF_BEST = 0.10
RISE_SHARE_OF_SCALE = 0.01

# A loss that decays exponentially falls by this share in the last quarter of a run of 3 time constants
# (exp(-2.25) - exp(-3) = 0.056) and by less in a longer one: a run that ended before that had not settled.
STILL_FALLING = 0.05

# Initial weights and rates are made for inputs of mean 0 and variance 1 (Y. LeCun and others, "Efficient BackProp",
# 1998); ten times that is beyond what an optimizer makes up for at once.
LARGE_INPUTS = 10.0
# Beyond the rates that any optimizer here has by default, and the ones that are usual for plain gradient descent.
HIGH_RATE = 0.05

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
