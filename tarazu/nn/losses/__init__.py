"""Losses: functions of (prediction, target). Losses of classes take logits, the outputs before softmax or sigmoid.

classes.py has those of classes that exclude each other, labels.py those of outputs that are 0 or 1 each by itself,
overlap.py those of masks in images, margins.py hinge losses, numbers.py those of numbers, embeddings.py those of pairs
and triples, ctc.py that of unaligned sequences. reduction.py makes the mean, the sum or one number per sample of them,
checks.py looks at targets, named.py finds losses by name and says what training asks of each beside its values.
"""

from tarazu.nn.losses.checks import require_class_numbers, require_probabilities
from tarazu.nn.losses.named import LOSSES, TRAITS, Loss, LossTraits, find_loss, is_known, loss_name, loss_text, traits
