"""`tz.study`: experiments that retrain a model to say why it generalizes as it does, and what would help."""

from tarazu.study.rows.leakage import Leakage, SuspectFeature, leakage
from tarazu.study.rows.row_order import Copies, NumberedColumn

__all__ = ["Copies", "Leakage", "NumberedColumn", "SuspectFeature", "leakage"]
