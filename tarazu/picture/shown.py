"""What notebooks show: a picture, alone or with a text below; everything that users name is escaped."""

from __future__ import annotations

import html
import re

WIDTH = re.compile(r'viewBox="0 0 (\d+) ')


def in_notebook(drawing: str, text: str = "") -> str:
    """The HTML of a picture's SVG text, no larger than it was made for, and of a text.

    >>> in_notebook('<svg viewBox="0 0 4 2"></svg>', "1 < 2")[-48:]
    '<pre style="white-space:pre-wrap">1 &lt; 2</pre>'
    """
    found = WIDTH.search(drawing)
    below = f'<pre style="white-space:pre-wrap">{html.escape(text)}</pre>' if text else ""
    return f'<div class="tz-shown" style="max-width:{found[1] if found else 0}px">{drawing}</div>{below}'
