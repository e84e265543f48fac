"""docs/diagnose.md: its scripts run, and find the fault that they plant and what undoes it."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "diagnose.md"


def test_the_scripts_of_the_page(capsys):
    scripts = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    exec(compile("\n".join(scripts), str(PAGE), "exec"), {})
    shown = capsys.readouterr().out
    assert shown.startswith("label noise (")
    assert "\nvalidation loss as it is: 0.6" in shown
    assert shown.rstrip().endswith("measured over 3 seeds',)") and "('corrected targets: lowers the validation" in shown
