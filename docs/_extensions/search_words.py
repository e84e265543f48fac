"""The search takes words of Gurmukhi whole; Sphinx would break them at their vowel signs."""

from __future__ import annotations

import re

import sphinx.search
from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish

GURMUKHI = "\u0a00-\u0a7f"


class SearchEnglishAndPunjabi(SearchEnglish):
    """English, whose stems and stop words stay as they are, with Gurmukhi's vowel signs as parts of words."""

    _word_re = re.compile(rf"[\w{GURMUKHI}]+")
    js_splitter_code = (
        "var splitQuery = (query) => query"
        f".split(/[^\\p{{Letter}}\\p{{Number}}_{GURMUKHI}]+/u).filter((term) => term);"
    )

    def split(self, input: str) -> list[str]:
        return self._word_re.findall(input)


def setup(app: Sphinx) -> dict[str, bool]:
    sphinx.search.languages["en"] = SearchEnglishAndPunjabi
    return {"parallel_read_safe": True, "parallel_write_safe": True}
