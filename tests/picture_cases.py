"""A mark of each kind, with the SVG element that draws it, for the tests of both ways to draw."""

import numpy as np

from tarazu.picture.axis import make_axis
from tarazu.picture.chart import Chart
from tarazu.picture.marks import Band, Bars, Curve, Dots, Intervals, Raster, Rule, Shape, Stroke, Words

NAN = float("nan")
MARKS = {
    "curve": (Curve([0, 1, 2, 3], [1, NAN, 2, 3], name="<b>"), "polyline"), "dots": (Dots([1, 2], [1, 2]), "circle"),
    "intervals": (Intervals([1, 2], [0, 1], [2, 3]), "line"), "band": (Band([0, 1], [0, 0], [1, 2]), "polygon"),
    "bars": (Bars([0, 1], [1, 2], [0, 0], [1, 2], name="count"), "rect"),
    "shape": (Shape([0, 1, 2], [0, 1, 0]), "polygon"),
    "stroke": (Stroke([0, 1], [0, 1]), "polyline"), "rule": (Rule(1, "a <mark>"), "line"),
    "raster": (Raster(np.zeros((2, 2, 3), np.uint8)), "image"), "words": (Words([1], [1], ["<i>"]), "text"),
}


def chart_of(*marks) -> Chart:
    return Chart("a < b", make_axis([0, 3]), make_axis([0, 3]), marks, "x & y", "up")
