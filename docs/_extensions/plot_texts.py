"""What plots in notebooks show, as text for who does not see them.

A cell may say it itself (`:mystnb:` with `image: {alt: ...}`). Else it is what the drawing says of itself (its
aria-label or title), or what the cell's code writes on it: titles, axes and the names of lines; else the heading
above it.
"""

from __future__ import annotations

import ast
import html
import re
from pathlib import Path

from course_pages import language_of
from docutils import nodes
from sphinx.application import Sphinx

WORDS = {"en": ("Plot", "horizontal axis", "vertical axis", "shown"),
         "pa": ("ਚਿੱਤਰ", "ਲੇਟਵਾਂ ਧੁਰਾ", "ਖੜ੍ਹਵਾਂ ਧੁਰਾ", "ਦਿਖਾਏ ਗਏ")}
TITLES, ACROSS, UP = {"title", "set_title", "suptitle"}, {"xlabel", "set_xlabel"}, {"ylabel", "set_ylabel"}
OWN_TEXT = re.compile(r'<svg\b[^>]*?\baria-label="([^"]+)"|<svg\b[^>]*>\s*<title[^>]*>([^<]+)</title>', re.DOTALL)


def text_of(node: ast.expr) -> str:
    """A string as it is written; parts that are computed are left out."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) for part in node.values)
    return ""


def written_on(code: str) -> dict[str, list[str]]:
    """The words that a cell's code puts on its plots, by the name of the method, with `label=` of lines."""
    found: dict[str, list[str]] = {}
    try:
        tree = ast.parse(code)
    except SyntaxError:  # the notebook's own commands
        return found
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        texts = [(name, text_of(call.args[0]))] if call.args else []
        texts += [(keyword.arg or "", text_of(keyword.value)) for keyword in call.keywords]
        for kind, text in texts:
            if text.strip():
                found.setdefault(kind, []).append(text.strip())
    return found


def described(code: str, language: str) -> str:
    """A sentence from what the code writes on the plot, or nothing."""
    plot, across, up, shown = WORDS[language]
    found = written_on(code)
    parts = [text for name in TITLES for text in found.get(name, [])]
    for word, names in ((across, ACROSS), (up, UP), (shown, {"label"})):
        if texts := list(dict.fromkeys(text for name in sorted(names) for text in found.get(name, []))):
            parts.append(f"{word}: {', '.join(texts)}")
    return f"{plot}. {'; '.join(parts)}" if parts else ""


def in_section(cell: nodes.Node, language: str) -> str:
    """A sentence from the heading of the section in which a cell stands."""
    while cell.parent and not isinstance(cell, nodes.section):
        cell = cell.parent
    return f"{WORDS[language][0]}. {cell.next_node(nodes.title).astext()}" if isinstance(cell, nodes.section) else ""


def own_text(path: Path) -> str:
    """What an SVG file says of itself."""
    if path.suffix != ".svg" or not path.exists():
        return ""
    said = OWN_TEXT.search(path.read_text(encoding="utf-8"))
    return html.unescape(said[1] or said[2]).strip() if said else ""


def on_doctree(app: Sphinx, doctree: nodes.document) -> None:
    language = language_of(app.env.docname)
    for cell in doctree.findall(nodes.container):
        if cell.get("nb_element") != "cell_code":
            continue
        code = next((part.astext() for part in cell.children if part.get("nb_element") == "cell_code_source"), "")
        for image in cell.findall(nodes.image):
            if not image.get("alt"):
                image["alt"] = (own_text(Path(app.srcdir, image["uri"])) or described(code, language)
                                or in_section(cell, language))


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("doctree-read", on_doctree, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
