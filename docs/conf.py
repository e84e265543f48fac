"""The site: `make docs` builds it, without network."""

from __future__ import annotations

import sys
from pathlib import Path

import tarazu

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "Tarazu"
author = "the developers of Tarazu"
version = release = tarazu.__version__
extensions = ["myst_nb", "sphinx_design", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.viewcode",
              "build_quizzes"]
exclude_patterns = ["_build"]

myst_enable_extensions = ["colon_fence", "dollarmath", "deflist", "attrs_block", "attrs_inline"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_raise_on_error = True
nb_execution_timeout = 120

html_theme = "pydata_sphinx_theme"
html_title = "Tarazu"
html_show_search_summary = False  # summaries are fetched, which a browser refuses from a file
