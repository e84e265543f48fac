"""The interactive pages, put together and written into the site when it is built: interactive/NAME.html.

docs/conf.py names this file among its extensions; docs/interactive/index.md links to the pages.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from sphinx.application import Sphinx


def write_pages(app: Sphinx, exception: Exception | None) -> None:
    """Write each page by docs/interactive/build.py."""
    if exception is None and app.builder.format == "html":
        path = Path(app.srcdir) / "interactive" / "build.py"
        spec = importlib.util.spec_from_file_location("interactive_build", path)
        assert spec is not None and spec.loader is not None
        build = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(build)
        build.write_pages(Path(app.outdir) / "interactive")


def setup(app: Sphinx) -> dict[str, bool]:
    """Have Sphinx call `write_pages` at the end of a build."""
    app.connect("build-finished", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
