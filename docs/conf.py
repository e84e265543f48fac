"""The site: `make docs` builds it, without network.

_extensions/ has what Sphinx and the theme lack: formulas as MathML, texts of plots, the two languages of the course,
notebooks to download, links to files of the repository, the pages of the API, and a smaller style sheet. check.py
looks at the result.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_extensions"))

import tarazu  # noqa: E402

project = "Tarazu"
author = "the developers of Tarazu"
copyright = author
version = release = tarazu.__version__
language = "en"
extensions = [
    "myst_nb",
    "sphinx_design",
    "sphinx.ext.autodoc",
    "api_pages",
    "mathml",
    "plot_texts",
    "build_interactive",
    "build_quizzes",
    "course_pages",
    "repository_files",
    "search_words",
    "small_styles",
]
exclude_patterns = ["_build", "_extensions", "_templates", "**/.ipynb_checkpoints"]
templates_path = ["_templates"]

# Text: Markdown. Formulas are written to the page as MathML, which browsers draw by themselves.
myst_enable_extensions = ["colon_fence", "dollarmath", "deflist", "attrs_block", "attrs_inline"]
myst_heading_anchors = 3
myst_update_mathjax = False
html_math_renderer = "mathml"

# Notebooks: run whenever their page is read anew, which is when it has changed. The cache of myst-nb is not for several
# processes at once (-j auto): one of them may find the other's record without its file.
nb_execution_mode = "force"
nb_execution_excludepatterns = os.environ.get("TARAZU_DOCS_SKIP", "").split()  # pages whose notebooks do not run
suppress_warnings = ["myst-nb.lexer"] if nb_execution_excludepatterns else []  # cells of those have no lexer
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_merge_streams = True
nb_render_error_lexer = "text"  # the lexer for tracebacks stumbles over our messages

html_theme = "pydata_sphinx_theme"
html_title = "Tarazu"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_show_search_summary = False  # summaries are fetched, which a browser refuses from a file
html_last_updated_fmt = None
html_theme_options = {
    "logo": {"text": "Tarazu"},
    "header_links_before_dropdown": 7,
    "navbar_align": "left",
    "navigation_depth": 3,
    "show_toc_level": 2,
    "collapse_navigation": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}

# Files of the repository that pages link to and that are pages of the site; other files are shown as source text.
repository_root = str(HERE.parent)
repository_pages = {
    "README.md": "index",
    "CHANGELOG.md": "changelog",
    "CONTRIBUTING.md": "contributing",
    "bench/causes/README.md": "causes",
}

# The API, from the package's own docstrings (api_pages.py).
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
maximum_signature_line_length = 90
toc_object_entries_show_parents = "hide"
add_module_names = False
