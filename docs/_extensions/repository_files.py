"""Links from pages to files of the repository outside docs/: to the site's page of the file, or to its source text.

Pages write such links as GitHub shows them, `[script](../examples/images.py)`. What `repository_pages` in conf.py names
is a page of the site; other files become pages below `repository/`, a folder a list of its files.
"""

from __future__ import annotations

import html
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.osutil import relative_uri

LINK = re.compile(r"(\]\()((?!https?:|mailto:|#|/)[^)\s]+?)(#[^)\s]*)?\)")
LANGUAGES = {".py": "python", ".sh": "bash", ".toml": "toml", ".json": "json", ".md": "markdown"}
HIDDEN = {"__pycache__"}


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name not in HIDDEN and not path.name.startswith("."))


def page_of(path: str) -> str:
    return f"repository/{path}"


def rewritten(app: Sphinx, text: str, folder: Path, page_folder: Path) -> tuple[str, set[str]]:
    """`text` with its links to files outside docs/ turned into links of the site, and the files that need a page.

    `folder` is where the text's file lies, `page_folder` where the page is that shows it.
    """
    root, docs = Path(app.config.repository_root), Path(app.srcdir)
    shown: set[str] = set()

    def new_link(link: re.Match[str]) -> str:
        opening, target, anchor = link[1], link[2], link[3] or ""
        path = Path(os.path.normpath(folder / target))
        if not path.exists() or not path.is_relative_to(root):
            return link[0]
        if path.is_relative_to(docs):
            return link[0] if folder == page_folder else f"{opening}{os.path.relpath(path, page_folder)}{anchor})"
        name = path.relative_to(root).as_posix()
        if name in app.config.repository_pages:
            page = docs / (app.config.repository_pages[name] + ".md")
            return f"{opening}{os.path.relpath(page, page_folder)}{anchor})"
        shown.add(name)
        return f"{opening}{os.path.relpath(docs / page_of(name), page_folder)}.html){{.external}}"  # a URL as it stands

    return LINK.sub(new_link, text), shown


def link_to(name: str, docname: str, line: int) -> str:
    """The URL of a line of a file of the repository, from a page."""
    return relative_uri(docname + ".html", f"{page_of(name)}.html") + f"#line-{line}"


def note(env: BuildEnvironment, docname: str, shown: set[str]) -> None:
    env.repository_files = getattr(env, "repository_files", {})  # type: ignore[attr-defined]
    env.repository_files.setdefault(docname, set()).update(shown)  # type: ignore[attr-defined]


def on_source(app: Sphinx, docname: str, source: list[str]) -> None:
    folder = Path(app.env.doc2path(docname)).parent
    source[0], shown = rewritten(app, source[0], folder, folder)
    note(app.env, docname, shown)


def on_include(app: Sphinx, path: Path, _: str, source: list[str]) -> None:
    docname = app.env.docname
    included = Path(os.path.normpath(Path(app.srcdir) / path))
    source[0], shown = rewritten(app, source[0], included.parent, Path(app.env.doc2path(docname)).parent)
    note(app.env, docname, shown)


def forget(_: Sphinx, env: BuildEnvironment, docname: str) -> None:
    getattr(env, "repository_files", {}).pop(docname, None)


def merge(_: Sphinx, env: BuildEnvironment, docnames: set[str], other: BuildEnvironment) -> None:
    for docname in docnames:
        note(env, docname, getattr(other, "repository_files", {}).get(docname, set()))


def is_written(app: Sphinx, name: str) -> bool:
    """Whether a file's page is there and newer than the file and the settings."""
    page = Path(app.outdir, page_of(name) + ".html")
    sources = [Path(app.config.repository_root, name), Path(app.confdir, "conf.py"), Path(__file__)]
    return page.exists() and all(page.stat().st_mtime > source.stat().st_mtime for source in sources)


def pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """The pages of files and folders that something links to; a folder's files have pages too."""
    root = Path(app.config.repository_root)
    wanted = {name for names in getattr(app.env, "repository_files", {}).values() for name in names}
    seen: set[str] = set()
    while wanted - seen:
        name = min(wanted - seen)
        seen.add(name)
        path = root / name
        if path.is_dir():
            inside = [entry.relative_to(root).as_posix() for entry in files_of(path)]
            wanted.update(inside)
            rows = "".join(f'<li><a href="{html.escape(Path(entry).relative_to(Path(name).parent).as_posix())}.html">'
                           f"{html.escape(Path(entry).name)}</a></li>" for entry in inside)
            body = f"<ul>{rows}</ul>"
        else:
            if is_written(app, name):
                continue
            body = app.builder.highlighter.highlight_block(
                path.read_text(encoding="utf-8"), LANGUAGES.get(path.suffix, "text"), lineanchors="line")
        title = f"<h1>{html.escape(name)}</h1><p>A file of the repository.</p>"
        yield page_of(name), {"title": name, "body": title + body}, "page.html"


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_config_value("repository_root", "", "env", str)
    app.add_config_value("repository_pages", {}, "env", dict)
    app.connect("source-read", on_source)
    app.connect("include-read", on_include)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    app.connect("html-collect-pages", pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
