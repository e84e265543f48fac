"""`tz.study`: experiments that retrain a model to say why it generalizes as it does, and what would help.

experiment has the fits that studies repeat, trials compares fits with one thing changed, rows looks at rows alone,
curves has losses against rows, capacity and epochs, decompose bias and variance, diagnosis weighs all that,
interventions measures what would help; benchmark.py is the adapter to the benchmark of causes.
"""

from tarazu.study.curves.capacity_curve import CapacityCurve, capacity_curve
from tarazu.study.curves.descents import SecondDescent
from tarazu.study.curves.epoch_curve import EpochCurve, epoch_curve
from tarazu.study.curves.estimates import CurvePoint, Estimate
from tarazu.study.curves.learning_curve import LearningCurve, learning_curve
from tarazu.study.curves.power_law import PowerLaw
from tarazu.study.decompose.additive import LossTerms, decompose_cross_entropy, decompose_squared
from tarazu.study.decompose.bias_variance import BiasVariance, BiasVariancePoint, bias_variance
from tarazu.study.decompose.decomposition import Decomposition, ZeroOneDecomposition
from tarazu.study.decompose.zero_one import ZeroOneTerms, decompose_zero_one
from tarazu.study.diagnosis.causes import CAUSES
from tarazu.study.diagnosis.diagnose import diagnose
from tarazu.study.diagnosis.diagnosis import Diagnosis
from tarazu.study.diagnosis.findings import Evidence, RowsLoss, SuspectTarget
from tarazu.study.interventions.remedies import remedies
from tarazu.study.interventions.result import BalancedAccuracy, Remedies
from tarazu.study.rows.label_noise import LabelNoise, SuspectRow, label_noise
from tarazu.study.rows.leakage import Leakage, SuspectFeature, leakage
from tarazu.study.rows.row_order import Copies, NumberedColumn
from tarazu.study.rows.shift import ColumnDifference, Shift, shift
from tarazu.study.trials.trials import Gain

__all__ = ["CAUSES", "BalancedAccuracy", "BiasVariance", "BiasVariancePoint", "CapacityCurve", "ColumnDifference",
           "Copies", "CurvePoint", "Decomposition", "Diagnosis", "EpochCurve", "Estimate", "Evidence", "Gain",
           "LabelNoise", "Leakage", "LearningCurve", "LossTerms", "NumberedColumn", "PowerLaw", "Remedies", "RowsLoss",
           "SecondDescent", "Shift", "SuspectFeature", "SuspectRow", "SuspectTarget", "ZeroOneDecomposition",
           "ZeroOneTerms", "bias_variance", "capacity_curve", "decompose_cross_entropy", "decompose_squared",
           "decompose_zero_one", "diagnose", "epoch_curve", "label_noise", "leakage", "learning_curve", "remedies",
           "shift"]


def __dir__() -> list[str]:
    return __all__
