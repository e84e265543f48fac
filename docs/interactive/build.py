"""The interactive pages, put together: templates from pages/, and what compute.py wrote to data/, in one file each.

docs/_extensions/build_interactive.py writes them into the site; `python docs/interactive/build.py FOLDER` does by hand.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
PAGES = ["five_dots", "decision", "curves"]
FRAME = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<main>
<header>
<h1 data-word="title">{title}</h1>
<div role="group" aria-label="Language, ਭਾਸ਼ਾ">
<button type="button" data-language="en" lang="en">English</button>
<button type="button" data-language="pa" lang="pa">ਪੰਜਾਬੀ</button>
</div>
</header>
{body}
<p class="muted"><a href="index.html" data-word="back"></a></p>
</main>
<script>
const DATA = {data};
const WORDS = {words};
{shared}
{script}</script>
</body>
</html>
"""


def page(name: str) -> str:
    """The text of the page of this name."""
    folder = HERE / "pages"
    body, _, script = (folder / f"{name}.html").read_text(encoding="utf-8").partition("<script>")
    words = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    shared_words = json.loads((folder / "page.json").read_text(encoding="utf-8"))
    words = {language: {**shared_words[language], **words[language]} for language in words}
    return FRAME.format(
        title=words["en"]["title"], style=(folder / "page.css").read_text(encoding="utf-8"), body=body.strip(),
        data=in_script((HERE / "data" / f"{name}.json").read_text(encoding="utf-8").strip()),
        words=in_script(json.dumps(words, ensure_ascii=False, indent=0)),
        shared=(folder / "page.js").read_text(encoding="utf-8"), script=script.replace("</script>", "").strip() + "\n")


def in_script(text: str) -> str:
    """JSON that can stand within a script: nothing in it ends the script."""
    return text.replace("</", "<\\/")


def write_pages(folder: Path) -> None:
    """Write all pages into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in PAGES:
        (folder / f"{name}.html").write_text(page(name), encoding="utf-8")


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
