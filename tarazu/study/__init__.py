"""`tz.study`: experiments that retrain a model to say why it generalizes as it does, and what would help."""

from tarazu.study.rows.label_noise import LabelNoise, SuspectRow, label_noise
from tarazu.study.rows.leakage import Leakage, SuspectFeature, leakage
from tarazu.study.rows.row_order import Copies, NumberedColumn
from tarazu.study.rows.shift import ColumnDifference, Shift, shift

__all__ = ["ColumnDifference", "Copies", "LabelNoise", "Leakage", "NumberedColumn", "Shift", "SuspectFeature",
           "SuspectRow", "label_noise", "leakage", "shift"]
