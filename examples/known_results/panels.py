"""Pictures of several panels side by side as SVG text, drawn with the parts that Tarazu's own charts are made of."""

import math
from pathlib import Path

from tarazu.picture.axis import Axis, make_axis
from tarazu.picture.elements import STYLE, drawing, element, frame, label, points_text

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 320, 254, 50, 308, 34, 200  # of a panel
BLUE, ORANGE, GREEN, PURPLE, GREY = "#3b7dd8", "#e08a1e", "#3aa66a", "#b05cc6", "#7a8494"


class Panel:
    """Axes that hold the given numbers, with lines and dots; what lies above or below them is drawn at the edge.

    Positive x that span more than a factor of 10 have a logarithmic axis, with a tick at each of `ticks`.
    """

    def __init__(self, title, x_name, xs, ys, ticks=()):
        if min(xs) > 0 and max(xs) > 10 * min(xs):
            self.x = Axis(min(xs) / 1.1, max(xs) * 1.1, LEFT, RIGHT, tuple(ticks or xs), True)
        else:
            margin = 0.03 * (max(xs) - min(xs))
            ticks = tuple(ticks or make_axis(xs, LEFT, RIGHT, whole=True).ticks)
            self.x = Axis(min(xs) - margin, max(xs) + margin, LEFT, RIGHT, ticks)
        self.y = make_axis(list(ys), BOTTOM, TOP)
        self.parts = [frame(self.x, self.y, x_name, BOTTOM + 38), label(LEFT - 40, 18, title, "start", class_="title")]

    def line(self, xs, ys, color, *, width=2, opacity=1.0, dashes="none"):
        """A line through the points whose numbers are finite."""
        self.parts.append(element("polyline", points=points_text(self._pixels(xs, ys)), fill="none", stroke=color,
                                  stroke_width=width, stroke_opacity=opacity, stroke_dasharray=dashes))

    def dots(self, xs, ys, color, *, size=3.0):
        """A dot at each point."""
        self.parts += [element("circle", cx=x, cy=y, r=size, fill=color) for x, y in self._pixels(xs, ys)]

    def curve(self, xs, ys, color):
        """A line with a dot at each point."""
        self.line(xs, ys, color)
        self.dots(xs, ys, color)

    def text(self, x, y, words, anchor="middle"):
        """Words at a point."""
        (at,) = self._pixels([x], [y])
        self.parts.append(label(*at, words, anchor))

    def _pixels(self, xs, ys):
        return [(self.x.pixel(float(x)), self.y.pixel(min(max(float(y), self.y.low), self.y.high)))
                for x, y in zip(xs, ys, strict=True) if math.isfinite(y)]


def save(name, title, panels, legend, columns=3):
    """Write panels in rows of `columns`, above a legend {text: color}, to docs/pictures; gives the file's path."""
    width, height = WIDTH * min(columns, len(panels)), HEIGHT * -(-len(panels) // columns)
    parts = [element("style", STYLE)]
    parts += [element("g", "".join(panel.parts), transform=f"translate({i % columns * WIDTH} {i // columns * HEIGHT})")
              for i, panel in enumerate(panels)]
    x, y = float(LEFT), height + 4
    for text, color in legend.items():
        if x + 24 + 6.6 * len(text) > width:
            x, y = float(LEFT), y + 20
        parts += [element("line", x1=x, y1=y - 4, x2=x + 18, y2=y - 4, stroke=color, stroke_width=4),
                  label(x + 24, y, text, "start")]
        x += 44 + 6.6 * len(text)
    path = PICTURES / f"{name}.svg"
    picture = drawing(width, round(y) + 10, title, "".join(parts))
    path.write_text(picture.replace("<svg", f'<svg width="{width}"', 1), encoding="utf-8")
    return path
