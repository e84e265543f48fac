"""What the pages of the course have beside their text: their language, the same lesson in the other, the notebook.

Lessons are course/NN_name.md in English and course/pa/NN_name.md in Punjabi; every page below course/pa/ is marked as
Punjabi. Below its title each page has a line with what there is for it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from myst_nb.core.config import NbParserConfig
from myst_nb.core.read import create_nb_reader
from myst_parser.config.main import MdParserConfig
from sphinx.application import Sphinx
from sphinx.util.osutil import relative_uri

COURSE, PUNJABI = "course/", "course/pa/"
WORDS = {
    "en": {"other": "ਪੰਜਾਬੀ ਵਿੱਚ", "download": "Download as notebook"},
    "pa": {"other": "In English", "download": "ਨੋਟਬੁੱਕ (notebook) ਡਾਊਨਲੋਡ ਕਰੋ"},
}
SAID = {  # what Sphinx and MyST write, and what pages of the course say instead
    "en": {"Show code cell content": "Show a solution", "Hide code cell content": "Hide the solution",
           "Show code cell source": "Show the code", "Hide code cell source": "Hide the code"},
    "pa": {"Show code cell content": "ਹੱਲ ਵੇਖੋ", "Hide code cell content": "ਹੱਲ ਲੁਕਾਓ",
           "Show code cell source": "ਕੋਡ ਵੇਖੋ", "Hide code cell source": "ਕੋਡ ਲੁਕਾਓ",
           '"admonition-title">Note<': '"admonition-title">ਧਿਆਨ ਦਿਓ<',
           '"admonition-title">Tip<': '"admonition-title">ਸਲਾਹ<',
           '"admonition-title">Hint<': '"admonition-title">ਇਸ਼ਾਰਾ<',
           '"admonition-title">Important<': '"admonition-title">ਜ਼ਰੂਰੀ<',
           '"admonition-title">Warning<': '"admonition-title">ਖ਼ਬਰਦਾਰ<'},
}
DIRECTIVE = re.compile(r"^(:{3,}|`{3,})\{(\w+)\}[ \t]*(.*)$")
ADMONITIONS = {"note", "tip", "warning", "important", "hint", "admonition", "dropdown", "seealso", "caution"}


def language_of(docname: str) -> str:
    return "pa" if docname.startswith(PUNJABI) else "en"


def other_language(docname: str, documents: set[str]) -> str | None:
    """The page that says the same in the other language, if there is one."""
    if docname.startswith(PUNJABI):
        other = COURSE + docname.removeprefix(PUNJABI)
    elif docname.startswith(COURSE):
        other = PUNJABI + docname.removeprefix(COURSE)
    else:
        return None
    return other if other in documents else None


def plain_markdown(text: str) -> str:
    """A text cell without MyST's boxes, which Jupyter does not know: each becomes a quotation with a title in bold."""
    lines, fence = [], ""
    for line in text.splitlines():
        opening = DIRECTIVE.match(line)
        if not fence and opening and opening[2] in ADMONITIONS:
            fence = opening[1]
            title = opening[3] or opening[2].capitalize()
            lines.append(f"> **{title}**\n>")
        elif fence and line.strip() == fence:
            fence = ""
        elif fence and re.match(r"^:\w+:", line):
            continue
        else:
            lines.append(f"> {line}".rstrip() if fence else line)
    return "\n".join(lines)


def notebook(source: Path) -> nbformat.NotebookNode | None:
    """A page as a notebook that is yet to be run, its solutions folded; None for a page without code to run."""
    text = source.read_text(encoding="utf-8")
    if not re.match(r"---\n.*?file_format: mystnb.*?\n---\n", text, re.DOTALL):
        return None
    config = MdParserConfig(enable_extensions={"colon_fence", "dollarmath", "deflist", "attrs_block", "attrs_inline"})
    reader = create_nb_reader(str(source), config, NbParserConfig(), text)
    assert reader is not None
    made = reader.read(text)
    for number, cell in enumerate(made.cells):
        cell["id"] = f"cell-{number}"
        if cell.cell_type == "markdown":
            cell.source = plain_markdown(cell.source)
        elif "hide-cell" in cell.metadata.get("tags", []):
            cell.metadata["jupyter"] = {"source_hidden": True}
    made.nbformat, made.nbformat_minor = 4, 5
    return made


def write_notebook(app: Sphinx, docname: str) -> str | None:
    """Write the page's notebook beside the page; its name."""
    made = notebook(Path(app.env.doc2path(docname)))
    if made is None:
        return None
    path = Path(app.outdir, docname + ".ipynb")
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(made, path)
    return path.name


def page_line(app: Sphinx, docname: str) -> str:
    words = WORDS[language_of(docname)]
    parts = []
    if other := other_language(docname, set(app.env.all_docs)):
        language = language_of(other)
        parts.append(f'<a href="{relative_uri(docname, other)}.html" hreflang="{language}" lang="{language}">'
                     f'{words["other"]}</a>')
    if name := write_notebook(app, docname):
        parts.append(f'<a href="{name}" download>{words["download"]}</a>')
    return f'<p class="page-line">{" · ".join(parts)}</p>' if parts else ""


def on_page(app: Sphinx, pagename: str, _: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    if doctree is None or app.builder.format != "html":
        return
    context["language"] = language_of(pagename)
    if pagename.startswith(COURSE):
        for theirs, ours in SAID[language_of(pagename)].items():
            context["body"] = context["body"].replace(theirs, ours)
    before, title, after = context["body"].partition("</h1>")
    if title:
        context["body"] = before + title + page_line(app, pagename) + after


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", on_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
