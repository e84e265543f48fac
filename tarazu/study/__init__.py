"""`tz.study`: experiments that retrain a model to say why it generalizes as it does, and what would help."""

from tarazu.study.curves.capacity_curve import CapacityCurve, capacity_curve
from tarazu.study.curves.descents import SecondDescent
from tarazu.study.curves.epoch_curve import EpochCurve, epoch_curve
from tarazu.study.curves.estimates import CurvePoint, Estimate
from tarazu.study.curves.learning_curve import LearningCurve, learning_curve
from tarazu.study.curves.power_law import PowerLaw
from tarazu.study.rows.label_noise import LabelNoise, SuspectRow, label_noise
from tarazu.study.rows.leakage import Leakage, SuspectFeature, leakage
from tarazu.study.rows.row_order import Copies, NumberedColumn
from tarazu.study.rows.shift import ColumnDifference, Shift, shift

__all__ = ["CapacityCurve", "ColumnDifference", "Copies", "CurvePoint", "EpochCurve", "Estimate", "LabelNoise",
           "Leakage", "LearningCurve", "NumberedColumn", "PowerLaw", "SecondDescent", "Shift", "SuspectFeature",
           "SuspectRow", "capacity_curve", "epoch_curve", "label_noise", "leakage", "learning_curve", "shift"]
