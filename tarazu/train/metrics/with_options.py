"""Metrics that have options, by the names of those without any."""

from __future__ import annotations

from tarazu.train.metrics.classification import (
    CLASS_COUNTS,
    BalancedAccuracy,
    ClassCount,
    CohenKappa,
    Confusion,
    FBeta,
    IoU,
    Matthews,
    Precision,
    Recall,
    Specificity,
)
from tarazu.train.metrics.outputs import OutputMetric
from tarazu.train.metrics.probability import CalibrationError, LogLoss, Perplexity
from tarazu.train.metrics.ranking import AUC, AveragePrecision
from tarazu.train.metrics.regression import R2, RMSE, Concordance, ExplainedVariance, Pearson

WITH_OPTIONS: dict[str, OutputMetric] = {metric.label: metric for metric in (
    Precision(), Recall(), Specificity(), FBeta(1), FBeta(2), FBeta(1, name="dice"), IoU(),
    IoU(average="macro", name="mean_iou"), BalancedAccuracy(), Matthews(), CohenKappa(), Confusion(),
    *map(ClassCount, CLASS_COUNTS), AUC(), AveragePrecision(), LogLoss(), Perplexity(), CalibrationError(),
    R2(), RMSE(), ExplainedVariance(), Pearson(), Concordance())}
