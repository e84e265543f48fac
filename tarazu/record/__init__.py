"""What a training run leaves behind, as plain data: one row per epoch, the measurements at the end, the verdict.

history.py and finding.py (findings and verdict) are the records, charts.py their pictures; direction.py tells whether
more of a metric is better; json_lines.py and textfile.py write and read files.
"""

from tarazu.record.finding import SEVERITIES, VERDICTS, Finding, Verdict
from tarazu.record.history import STOPPED, History
from tarazu.record.textfile import write_text

__all__ = ["SEVERITIES", "STOPPED", "VERDICTS", "Finding", "History", "Verdict", "write_text"]


def __dir__() -> list[str]:
    return __all__
