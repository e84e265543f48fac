"""What must hold of the built site: `python docs/check.py docs/_build/html`, which `make docs` runs after the build.

Links, anchors and images that stay inside the site are there; images and drawings have a text; no page loads anything
from elsewhere; a page with all that it loads is under 1 MB; right solutions are judged right; the API has every public
name. Ends with code 1 and a line for each fault.
"""

from __future__ import annotations

import re
import sys
import zlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

MOST_BYTES = 1_000_000
MOST_ALONE = 50  # pages: reading fewer takes less time than starting processes
NOT_PAGES = {"webpack-macros.html"}  # templates that the theme leaves among its files
CSS_URL = re.compile(r"""url\(\s*['"]?([^'")]+)['"]?\s*\)|@import\s+['"]([^'"]+)""")
LINE, SOURCE_TEXT = re.compile(r'id="(line-\d+)"'), re.compile(r"<pre>.*?</pre>", re.DOTALL)
WITHOUT_CONTENT = {"img", "link", "br", "hr", "input", "meta", "source", "area", "base", "col", "embed", "track", "wbr"}


@dataclass
class Drawing:
    """An inline SVG while its page is read: where it begins, and whether it says what it shows."""

    line: int
    depth: int
    has_text: bool


@dataclass
class Page(HTMLParser):
    """What a page has and asks for."""

    path: Path
    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[tuple[str, set[str]]] = []
        self.drawing: Drawing | None = None
        self.language = ""
        text = self.path.read_text(encoding="utf-8")
        if "repository" in self.path.parts:  # source text, where nothing but lines is named
            self.ids.update(LINE.findall(text))
            text = SOURCE_TEXT.sub("", text)
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        classes = set(given.get("class", "").split())
        self.ids.update(given[name] for name in ("id", "name") if given.get(name))
        if tag == "html":
            self.language = given.get("lang", "")
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        self.note_loads(tag, given)
        says_nothing = not given.get("alt", "").strip() or given["alt"] == given.get("src")  # Sphinx gives the path
        if tag == "img" and says_nothing:
            self.faults.append(f"the image {given.get('src', '')[:60]} has no alternative text")
        if tag == "svg" and self.drawing is None and any(name == "article" for name, _ in self.stack):
            said = bool(given.get("aria-label") or given.get("aria-labelledby") or given.get("aria-hidden") == "true")
            self.drawing = Drawing(self.getpos()[0], len(self.stack), said)
        if tag in ("title", "desc") and self.drawing:
            self.drawing.has_text = True
        if tag not in WITHOUT_CONTENT:
            self.stack.append((tag, classes))

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        if tag not in WITHOUT_CONTENT:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in {name for name, _ in self.stack}:
            return
        while self.stack.pop()[0] != tag:
            pass
        if self.drawing and tag == "svg" and len(self.stack) <= self.drawing.depth:
            if not self.drawing.has_text:
                self.faults.append(f"line {self.drawing.line}: a drawing (svg) has no title and no aria-label")
            self.drawing = None

    def handle_data(self, data: str) -> None:
        if data.lstrip().startswith("✗ ") and self.is_inside("tag_hide-cell") and self.is_inside("cell_output"):
            self.faults.append(f"a solution is judged wrong: {data.strip()[:100]}")

    def is_inside(self, name: str) -> bool:
        return any(name in classes for _, classes in self.stack)

    def note_loads(self, tag: str, given: dict[str, str]) -> None:
        is_loaded_link = tag == "link" and set(given.get("rel", "").split()) & {"stylesheet", "icon", "preload"}
        if is_loaded_link:
            self.loads.append(given.get("href", ""))
        if tag in {"script", "img", "iframe", "source", "video", "audio", "embed", "track"} and given.get("src"):
            self.loads.append(given["src"])
        if tag == "object" and given.get("data"):
            self.loads.append(given["data"])
        if tag in {"image", "use"} and (target := given.get("href") or given.get("xlink:href")):
            self.loads.append(target)
        self.loads += [found[0] or found[1] for found in CSS_URL.findall(given.get("style", ""))]


def local(page: Path, url: str) -> Path:
    """The file that a relative URL on a page names."""
    path = unquote(urlsplit(url).path)
    return (page.parent / path).resolve() if path else page.resolve()


def is_outside(url: str) -> bool:
    return bool(urlsplit(url).scheme or urlsplit(url).netloc)


@cache
def loaded_by_style(path: Path) -> tuple[str, ...]:
    text = path.read_text(encoding="utf-8") if path.suffix == ".css" else ""
    return tuple(found[0] or found[1] for found in CSS_URL.findall(text))


def loaded(page: Page) -> Iterator[tuple[Path, str]]:
    """The files that a page loads, with those of its styles, each once; and the faults met on the way."""
    waiting = [(page.path, url) for url in page.loads]
    seen: set[Path] = set()
    while waiting:
        base, url = waiting.pop()
        if url.startswith(("data:", "#")):
            continue
        if is_outside(url):
            yield base, f"{base.name} loads {url}"
            continue
        path = local(base, url)
        if not path.is_file():
            yield base, f"{base.name} loads {url}, which is not there"
        elif path not in seen:
            seen.add(path)
            yield path, ""
            waiting += [(path, inner) for inner in loaded_by_style(path)]


def faults_of_loads(page: Page) -> tuple[list[str], int]:
    """The faults, and the bytes of the page with all that it loads."""
    faults, size = [], page.path.stat().st_size
    for path, fault in loaded(page):
        if fault:
            faults.append(fault)
        else:
            size += path.stat().st_size
    if size > MOST_BYTES:
        faults.append(f"loads {size:,} bytes; at most {MOST_BYTES:,} are allowed")
    return faults, size


def faults_of_links(page: Page, pages: dict[Path, Page]) -> list[str]:
    faults = []
    for url in page.links:
        if is_outside(url):
            continue
        target, anchor = local(page.path, url), unquote(urlsplit(url).fragment)
        if not target.exists():
            faults.append(f"the link {url} leads nowhere")
        elif anchor and target in pages and anchor not in pages[target].ids:
            faults.append(f"the link {url} leads to no such place on {target.name}")
    return faults


def inventory(site: Path) -> set[str]:
    """The names of the API that the site describes, from Sphinx's own list."""
    packed = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    lines = zlib.decompress(packed).decode("utf-8").splitlines()
    return {line.split(" ")[0] for line in lines if line.split(" ")[1].startswith("py:")}


def missing_names(site: Path) -> list[str]:
    """The public names that the API lacks."""
    sys.path.insert(0, str(Path(__file__).parent / "_extensions"))
    from api_pages import public_names

    described = inventory(site)
    return [f"the API lacks {public.name}" for public in public_names() if public.name not in described]


def read(paths: list[Path]) -> list[Page]:
    if len(paths) <= MOST_ALONE:
        return [Page(path) for path in paths]
    with ProcessPoolExecutor() as pool:
        return list(pool.map(Page, paths, chunksize=8))


def check(site: Path) -> tuple[list[str], dict[Path, int]]:
    """All faults of a site, and the size of each page with what it loads."""
    paths = [path for path in sorted(site.rglob("*.html")) if path.name not in NOT_PAGES]
    pages = {page.path: page for page in read([path.resolve() for path in paths])}
    faults, sizes = missing_names(site), {}
    for path, page in pages.items():
        of_loads, sizes[path] = faults_of_loads(page)
        found = page.faults + of_loads + faults_of_links(page, pages)
        name = path.relative_to(site.resolve())
        faults += [f"{name}: {fault}" for fault in dict.fromkeys(found)]
        allowed = {"pa"} if name.as_posix().startswith("course/pa/") else {"en", "pa"}
        if page.language and page.language not in allowed:
            faults.append(f"{name}: its language is said to be {page.language!r}")
    return faults, sizes


def main() -> int:
    site = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "_build" / "html")
    faults, sizes = check(site)
    for fault in faults:
        print(fault)
    largest = max(sizes, key=lambda path: sizes[path])
    print(f"{len(sizes)} pages, {len(faults)} faults; "
          f"the largest, {largest.relative_to(site.resolve())}, loads {sizes[largest]:,} bytes")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
