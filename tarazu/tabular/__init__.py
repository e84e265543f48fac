"""`tz.tabular`: one call from a table to a judged model (`tz.fit_table`), and what it gives.

fitting.py is the call, assess.py the scores of its result, table_model.py a model with its encoder, run_folder.py the
folder that `tarazu fit` writes, score_text.py the scores as text.
"""

from tarazu.tabular.assess import Assessment, WorstRow
from tarazu.tabular.fitting import TableFit, fit_table
from tarazu.tabular.options import TableOptions
from tarazu.tabular.table_model import TableModel

__all__ = ["Assessment", "TableFit", "TableModel", "TableOptions", "WorstRow", "fit_table"]
