"""Metrics: what `fit`, validation and `evaluate` measure beside the loss.

metric.py has the class `Metric`, sums over rows and a function of them, and makes one of a function that gives a number
per row. Such functions stand in accuracy.py and distances.py. The others have options: classification.py (of decided
classes), ranking.py (of the order of scores; curves.py has the curves), probability.py, regression.py; outputs.py reads
outputs for them as the loss means them. meaning.py refuses a metric that means nothing beside a loss; masked.py leaves
out steps of padding. named.py finds all by name: those of with_options.py, a
table of metrics with options, are imported when one is asked for, and so is table.py, which has all.
"""

from tarazu.train.metrics.accuracy import (
    ACCURACIES,
    accuracy,
    binary_accuracy,
    number_classes_note,
    top_k_accuracy,
    zero_one_loss,
)
from tarazu.train.metrics.distances import mae_in_units
from tarazu.train.metrics.masked import is_masked, masked_sums, takes_mask, valid_steps
from tarazu.train.metrics.metric import MEAN, Metric, RowFunction, Sums, as_metric, mean_sums
from tarazu.train.metrics.named import BUILT_IN, Metrics, MetricSpec, named_metrics
