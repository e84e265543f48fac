"""`tz.tabular`: one call from a table to a judged model (`tz.fit_table`), and what it gives.

fitting.py is the call, with inputs.py (what it takes) and options.py; network.py what it trains, assess.py how its
result is scored (assessment.py: the scores as data, score_text.py: as text, report_page.py: as a page),
table_model.py a model with its encoder, predictions.py its predictions as columns, onnx_file.py model and encoder as
one file of ONNX, run_folder.py the folder that `tarazu fit` writes; diagnosing.py says why a fit does as it does.
"""

from tarazu.tabular.assessment import Assessment, WorstRow
from tarazu.tabular.diagnosing import diagnose_table
from tarazu.tabular.fitting import TableFit, fit_table
from tarazu.tabular.options import TableOptions
from tarazu.tabular.table_model import TableModel

__all__ = ["Assessment", "TableFit", "TableModel", "TableOptions", "WorstRow", "diagnose_table",
           "fit_table"]


def __dir__() -> list[str]:
    return __all__
