"""Pictures of one chart or several: what is drawn, said once, and drawn as SVG or by matplotlib."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tarazu.base.errors import ArgumentError
from tarazu.base.files import make_folder, replacing
from tarazu.picture.chart import Chart
from tarazu.picture.elements import STYLE
from tarazu.picture.figures import bytes_of, drawn
from tarazu.picture.shown import in_notebook
from tarazu.picture.svg import picture_svg

OF_MATPLOTLIB = (".png", ".pdf", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")


@dataclass(frozen=True, eq=False)
class Picture:
    """What `history.plot()`, `verdict.plot()`, studies and `tz.draw` give: charts, in rows of so many columns.

    Notebooks show it; `svg()` is its SVG text, `on(axes)` draws it with matplotlib, `save(path)` writes it. `title`
    says what all of it shows, to those who cannot see it too; `values` has the numbers that are drawn, where they were
    computed for the picture.

    >>> import tarazu as tz
    >>> picture = tz.draw.roc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> picture
    <Picture: ROC curve, area 0.75>
    >>> picture.svg().startswith("<svg")
    True
    """

    title: str
    charts: tuple[Chart, ...]
    columns: int = 1
    values: Any = field(default=None, repr=False)

    def svg(self) -> str:
        """The picture as SVG text, with its colors, which light pages and dark ones can show.

        >>> Picture("nothing", ()).svg()[-6:]
        '</svg>'
        """
        return picture_svg(self.title, self.charts, self.columns, style=STYLE)

    def svg_of_page(self) -> str:
        """The picture as SVG text in the colors of the page around it, by classes such as "curve train".

        >>> "<style>" in Picture("nothing", ()).svg_of_page()
        False
        """
        return picture_svg(self.title, self.charts, self.columns)

    def on(self, axes: Any = None) -> Any:
        """Draw with matplotlib: on `axes`, or on new ones of `pyplot`; gives the axes.

        Of a picture of several charts, `axes` has one for each. ArgumentError for too few, and without matplotlib.

        >>> import tarazu as tz
        >>> axes = tz.draw.roc([0, 1], [0.1, 0.8]).on()  # doctest: +SKIP
        """
        return drawn(self.charts, self.columns, axes)

    def save(self, path: str | os.PathLike) -> Path:
        """Write an SVG file, or by matplotlib one of ".png", ".pdf", ".jpg", ".webp", ".tif"; gives the path.

        Its folder is made where it is missing. ArgumentError for another ending, and for these without matplotlib;
        OSError where the path cannot be written.

        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Picture("nothing", ()).save(pathlib.Path(folder) / "nothing.svg").name
        'nothing.svg'
        """
        path = Path(path)
        kind = path.suffix.lower()
        if kind == ".svg":
            make_folder(path.parent)
            with replacing(path) as unfinished:
                unfinished.write_text(self.svg(), encoding="utf-8", newline="\n")
        elif kind in OF_MATPLOTLIB:
            content = bytes_of(self.title, self.charts, self.columns, kind[1:])
            make_folder(path.parent)
            with replacing(path) as unfinished:
                unfinished.write_bytes(content)
        else:
            example = path.parent / f"{path.stem or 'picture'}.svg"
            raise ArgumentError(f"save({os.fspath(path)!r})", expected=f"an ending of .svg, {', '.join(OF_MATPLOTLIB)}",
                                fix=f"for example save({os.fspath(example)!r})")
        return path

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_html_(self) -> str:
        return in_notebook(self.svg())

    def __repr__(self) -> str:
        return f"<Picture: {self.title}>"


def written(picture: Picture, path: str | os.PathLike | None) -> Picture:
    """The picture, saved to `path` where that is given.

    >>> written(Picture("nothing", ()), None)
    <Picture: nothing>
    """
    if path is not None:
        picture.save(path)
    return picture
