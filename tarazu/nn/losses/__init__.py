"""Losses: functions of (prediction, target). Losses of classes take logits, the outputs before softmax or sigmoid.

classes.py has those of classes that exclude each other, labels.py those of outputs that are 0 or 1 each by itself,
overlap.py those of masks in images, margins.py hinge losses, numbers.py those of numbers, embeddings.py those of pairs
and triples, ctc.py that of unaligned sequences. reduction.py makes the mean, the sum or one number per sample of them,
checks.py looks at targets, named.py finds losses by name and says what training asks of each beside its values.
"""

from tarazu.nn.losses.checks import require_class_numbers, require_probabilities
from tarazu.nn.losses.classes import cross_entropy, focal_loss, kl_divergence, nll
from tarazu.nn.losses.ctc import ctc_loss
from tarazu.nn.losses.embeddings import (
    contrastive_loss,
    cosine_embedding,
    hinge_embedding,
    margin_ranking,
    triplet_loss,
)
from tarazu.nn.losses.labels import binary_cross_entropy, binary_focal_loss
from tarazu.nn.losses.margins import categorical_hinge, hinge, multi_margin, soft_margin, squared_hinge
from tarazu.nn.losses.named import LOSSES, TRAITS, Loss, LossTraits, find_loss, loss_name, traits
from tarazu.nn.losses.numbers import (
    cosine_distance,
    gaussian_nll,
    huber,
    log_cosh,
    mae,
    mape,
    mse,
    msle,
    poisson_nll,
    quantile_loss,
    smooth_l1,
)
from tarazu.nn.losses.overlap import dice_loss, tversky_loss
