"""What notebooks show: a picture, alone or with a text below; everything that users name is escaped."""

from __future__ import annotations

import html
import re

from tarazu.picture.picture import Picture

PIXELS = re.compile(r'viewBox="0 0 (\d+) ')
PADDING = 24


def in_notebook(picture: Picture, text: str = "") -> str:
    """The HTML of a picture, no larger than it was made for, and of a text.

    >>> in_notebook(Picture("nothing", ()), "1 < 2")[-31:]
    '</svg></div><pre>1 &lt; 2</pre>'
    """
    drawing = picture.svg()
    found = PIXELS.search(drawing)
    width = int(found[1]) + PADDING if found else 0
    below = f"<pre>{html.escape(text)}</pre>" if text else ""
    return f'<div class="tz-shown" style="max-width:{width}px">{drawing}</div>{below}'
