"""Formulas as MathML, which browsers draw without any script: a math renderer for Sphinx."""

from __future__ import annotations

import re

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.writers.html5 import HTML5Translator

ENVIRONMENT = re.compile(r"\\begin\{(\w+\*?)\}.*?\\end\{\1\}", re.DOTALL)
ALIGNED = re.compile(r"\\\\|(?<!\\)&")


def to_mathml(latex: str, *, display: bool) -> str:
    """A formula as a `<math>` element with the formula's text as its label; ExtensionError for one that is not read."""
    text = latex.strip()
    if display and ALIGNED.search(ENVIRONMENT.sub("", text)):
        text = r"\begin{aligned}" + text + r"\end{aligned}"
    try:
        return convert(text, display="block" if display else "inline")
    except Exception as error:
        raise ExtensionError(f"the formula {latex!r} cannot be turned into MathML: {error!r}") from error


def visit_inline(self: HTML5Translator, node: nodes.math) -> None:
    self.body.append(f'<span class="math">{to_mathml(node.astext(), display=False)}</span>')
    raise nodes.SkipNode


def visit_block(self: HTML5Translator, node: nodes.math_block) -> None:
    self.body.append(self.starttag(node, "div", CLASS="math"))
    self.body.append(to_mathml(node.astext(), display=True))
    self.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
