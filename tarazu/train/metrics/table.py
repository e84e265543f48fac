"""All metrics by name."""

from __future__ import annotations

from tarazu.train.metrics.metric import RowFunction
from tarazu.train.metrics.named import every_metric
from tarazu.train.metrics.outputs import OutputMetric

METRICS: dict[str, RowFunction | OutputMetric] = every_metric()
