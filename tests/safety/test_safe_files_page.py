"""The page on files from others says of the corpus what is so."""

import re
from pathlib import Path

from corpus import DAMAGES
from test_mutated_files import EACH, LOADS

PAGE = Path(__file__).parents[2] / "docs" / "safe_files.md"


def test_the_table_has_the_counts_of_the_corpus():
    rows = re.findall(r"^\| ([^|]+) \| (\d+) \| (\d+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert {format_: (int(by_hand), int(at_random)) for format_, by_hand, at_random in rows} == {
        format_: (len(damages), EACH) for format_, damages in DAMAGES.items()}
    assert EACH * len(DAMAGES) >= LOADS
