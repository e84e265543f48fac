"""The chart of gains: order, intervals, both directions, and what it says to those who cannot see it."""

import re

import pytest

from tarazu.study.trials.chart import gain_chart
from tarazu.study.trials.trials import Gain

GAINS = [Gain("4 x the width", "too_little_capacity", -0.05, 0.04, 2),
         Gain("corrected <targets>", "label_noise", 0.5, 0.1, 1)]


def test_the_best_gain_is_first_and_whiskers_are_its_interval():
    picture = gain_chart(GAINS, "remedies").svg()
    assert picture.index('class="bar gain"') < picture.index('class="bar loss"')
    assert "<title>remedies; corrected &lt;targets&gt;: falls by 50.0 (30.0 to 70.0); 4 x the width: rises by 5.0 " \
           "(-3.0 to 13.0)</title>" in picture
    bar, = re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)" height="[\d.]+" class="bar gain">', picture)
    lines = re.findall(r'<line x1="([\d.]+)" y1="([\d.]+)" x2="([\d.]+)" y2="([\d.]+)" class="whisker ink">', picture)
    left, width, (low, y, high, same_y) = float(bar[0]), float(bar[1]), map(float, lines[0])
    assert y == same_y and low - left == pytest.approx(0.3 / 0.5 * width, abs=0.2)
    assert high - left == pytest.approx(0.7 / 0.5 * width, abs=0.2)


def test_no_gains_and_endless_intervals_are_drawn():
    assert "nothing was tried" in gain_chart([], "remedies").svg()
    picture = gain_chart([Gain("a rate", "learning_rate_too_high", 0.1, float("inf"), 1)], "remedies").svg()
    assert "nan" not in picture and 'x1="inf' not in picture
