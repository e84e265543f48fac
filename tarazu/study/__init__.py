"""`tz.study`: experiments that retrain a model to say why it generalizes as it does, and what would help.

experiment has the fits that studies repeat, trials compares fits with one thing changed, rows looks at rows alone,
diagnosis weighs all that; benchmark.py is the adapter to the benchmark of causes.
"""

from tarazu.study.diagnosis.causes import CAUSES
from tarazu.study.diagnosis.diagnose import diagnose
from tarazu.study.diagnosis.diagnosis import Diagnosis, Evidence
from tarazu.study.rows.leakage import Leakage, SuspectFeature, leakage
from tarazu.study.rows.row_order import Copies, NumberedColumn
from tarazu.study.rows.shift import ColumnDifference, Shift, shift
from tarazu.study.trials.trials import Gain

__all__ = ["CAUSES", "ColumnDifference", "Copies", "Diagnosis", "Evidence", "Gain", "Leakage", "NumberedColumn",
           "Shift", "SuspectFeature", "diagnose", "leakage", "shift"]
