"""Pictures of several panels side by side as SVG text, drawn with the parts that Tarazu's own charts are made of."""

import math
from pathlib import Path

from tarazu.diagnose.reporting.axis import Axis, make_axis
from tarazu.diagnose.reporting.rate_chart import STYLE
from tarazu.diagnose.reporting.svg import drawing, element, frame, label, points_text

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 320, 262, 50, 308, 34, 200  # of a panel
BLUE, ORANGE, GREEN, PURPLE, GREY = "#3b7dd8", "#e08a1e", "#3aa66a", "#b05cc6", "#7a8494"


class Panel:
    """Axes that hold the given numbers, with lines, dots and bars; what lies above or below them is drawn at the edge.

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

    def bars(self, xs, lows, highs, color):
        """An interval at each of `xs`."""
        for (x, low), (_, high) in zip(self._pixels(xs, lows), self._pixels(xs, highs), strict=True):
            self.parts.append(element("line", x1=x, y1=low, x2=x, y2=high, stroke=color, stroke_width=1.5))

    def text(self, x, y, words, anchor="middle"):
        """Words at a point."""
        (at,) = self._pixels([x], [y])
        self.parts.append(label(*at, words, anchor))

    def _pixels(self, xs, ys):
        return [(self.x.pixel(float(x)), self.y.pixel(min(max(float(y), self.y.low), self.y.high)))
                for x, y in zip(xs, ys, strict=True) if math.isfinite(y)]


def save(name, title, panels, legend):
    """Write panels side by side, above a legend {text: color}, to docs/pictures; gives the file's path."""
    width = WIDTH * len(panels)
    parts = [element("style", STYLE)]
    parts += [element("g", "".join(panel.parts), transform=f"translate({WIDTH * number} 0)")
              for number, panel in enumerate(panels)]
    x = float(LEFT)
    for text, color in legend.items():
        parts += [element("line", x1=x, y1=HEIGHT - 4, x2=x + 18, y2=HEIGHT - 4, stroke=color, stroke_width=4),
                  label(x + 24, HEIGHT, text, "start")]
        x += 48 + 6.6 * len(text)
    path = PICTURES / f"{name}.svg"
    path.write_text(drawing(width, HEIGHT + 8, title, "".join(parts)), encoding="utf-8")
    return path
