"""What all pages share: one frame with colors for light and dark, print and phones, filled by a template for each."""

from __future__ import annotations

from pathlib import Path

from tarazu.diagnose.reporting.word import WORD
from tarazu.picture.elements import drawing, element

OWN = Path(__file__).parent


def rendered_page(template: str, *, folder: Path | None = None, **content: object) -> str:
    """The text of a page, whole in itself: a template of this folder, or of another `folder`, which extends
    page.html.jinja, with its content.

    >>> "<h1>Iris</h1>" in rendered_page("diagnosis.html.jinja", title="Iris", answer={}, sections=[], notes=[])
    True
    """
    import jinja2

    environment = jinja2.Environment(loader=jinja2.FileSystemLoader([folder or OWN, OWN]), autoescape=True,
                                     trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    return environment.get_template(template).render(content, signature=signature())


def signature() -> str:
    """The framework's name in Gurmukhi, as outlines: few fonts of readers hold the script.

    >>> "Tarazu" in signature()
    True
    """
    return drawing(200, 92, "Tarazu, a pair of scales", element("path", d=WORD, transform="translate(1 62)"))
