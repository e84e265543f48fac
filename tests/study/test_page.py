"""docs/diagnose.md: its script runs, and finds the fault that it plants."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "diagnose.md"


def test_the_script_of_the_page(capsys):
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    assert code
    exec(compile(code[1], str(PAGE), "exec"), {})
    assert capsys.readouterr().out.startswith("label noise (")
