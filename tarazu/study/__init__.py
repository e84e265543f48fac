"""`tz.study`: experiments that retrain a model to say why it generalizes as it does, and what would help."""

from tarazu.study.rows.leakage import Leakage, SuspectFeature, leakage
from tarazu.study.rows.row_order import Copies, NumberedColumn
from tarazu.study.rows.shift import ColumnDifference, Shift, shift

__all__ = ["ColumnDifference", "Copies", "Leakage", "NumberedColumn", "Shift", "SuspectFeature", "leakage", "shift"]
