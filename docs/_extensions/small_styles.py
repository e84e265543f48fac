"""The theme's style sheet cut down to what the site's pages can use; the whole is larger than most pages.

A rule stays when every class that it names is written on some page or in some script. Of the icons' fonts the one stays
that the theme's own icons are in; the script by which a site may add icons of its own goes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pydata_sphinx_theme
from sphinx.application import Sphinx

ICONS = "fa-solid-900.woff2"
STYLE = "styles/pydata-sphinx-theme.css"
CLASSES = re.compile(r'class="([^"]*)"')
WORD = re.compile(r"[A-Za-z_][\w-]*")
NAMED_CLASS = re.compile(r"\.(-?[A-Za-z_](?:[\w-]|\\.)*)")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
GROUPS = ("@media", "@supports", "@layer", "@container")


def used_words(site: Path) -> set[str]:
    """The classes on pages, and every word in scripts, which may add classes."""
    words: set[str] = set()
    for path in site.rglob("*.html"):
        for classes in set(CLASSES.findall(path.read_text(encoding="utf-8"))):
            words.update(classes.split())
    for path in site.rglob("*.js"):
        if path.name != "searchindex.js":
            words.update(WORD.findall(path.read_text(encoding="utf-8")))
    return words


def rules(css: str) -> Iterator[tuple[str, str]]:
    """The rules of a style sheet or of a group: what stands before the braces, and what stands in them."""
    start = position = 0
    while (opening := css.find("{", position)) >= 0:
        statement = css.rfind(";", start, opening)
        if statement >= 0:  # @charset and the like
            start = statement + 1
        depth, end = 1, opening
        while depth:
            end += 1
            depth += {"{": 1, "}": -1}.get(css[end], 0)
        yield css[start:opening].strip(), css[opening + 1 : end]
        start = position = end + 1


def is_used(selector: str, words: set[str]) -> bool:
    positive = re.sub(r":not\([^()]*(?:\([^()]*\)[^()]*)*\)", "", selector)
    return all(name.replace("\\", "") in words for name in NAMED_CLASS.findall(positive))


def selectors(text: str) -> list[str]:
    """A list of selectors, divided at the commas outside parentheses."""
    return [part.strip() for part in re.split(r",(?![^()]*\))", text)]


def pruned(css: str, words: set[str]) -> str:
    kept = []
    for head, body in rules(css):
        if head.startswith(GROUPS):
            if inside := pruned(body, words):
                kept.append(f"{head}{{{inside}}}")
        elif head.startswith("@font-face") and ICONS not in body:
            continue
        elif head.startswith("@"):
            kept.append(f"{head}{{{body}}}")
        elif left := [selector for selector in selectors(head) if is_used(selector, words)]:
            kept.append(f"{','.join(left)}{{{body}}}")
    return "".join(kept)


def on_finished(app: Sphinx, error: Exception | None) -> None:
    if error or app.builder.format != "html":
        return
    whole = Path(pydata_sphinx_theme.__file__).parent / "theme" / "pydata_sphinx_theme" / "static" / STYLE
    css = COMMENT.sub("", whole.read_text(encoding="utf-8"))
    static = Path(app.outdir, "_static")
    (static / STYLE).write_text(pruned(css, used_words(Path(app.outdir))), encoding="utf-8")
    (static / "scripts" / "fontawesome.js").write_text("// this site adds no icons\n", encoding="utf-8")
    for path in [*static.rglob("*.map"), *static.rglob("*.woff2")]:
        if path.name != ICONS:
            path.unlink()


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("build-finished", on_finished)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
