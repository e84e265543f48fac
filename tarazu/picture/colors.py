"""The colors of pictures: of what is drawn, by its role, and of numbers in heat maps."""

from __future__ import annotations

import numpy as np

# Seen on light pages and on dark ones.
ROLES = {"train": "#3b7dd8", "validation": "#e08a1e", "third": "#3aa66a", "fourth": "#b05cc6", "muted": "#7a8494",
         "gain": "#2f9e63", "loss": "#d9662b", "light": "#ffffff", "dark": "#1c2430"}
SERIES = ("train", "validation", "third", "fourth", "muted")  # of lines whose roles are no others
RAMPS = {  # colors at equal distances from the lowest number to the highest
    "shares": ("#f5f7fb", "#8fb6ec", "#3b7dd8", "#14366b"),
    "signs": ("#8a3c06", "#e08a1e", "#f6f5f2", "#3b7dd8", "#14366b"),
    "gray": ("#000000", "#ffffff"),
    "mistakes": ("#fbf7f2", "#eeb877", "#e08a1e", "#7d3c05"),
}
NOT_A_NUMBER = (190, 120, 160)
LIGHTEST_UNDER_LIGHT = 150.0  # luminance, 0 to 255, up to which text is white


def rgb(color: str) -> tuple[int, int, int]:
    """Red, green and blue, each 0 to 255, of a color such as "#3b7dd8".

    >>> rgb("#3b7dd8")
    (59, 125, 216)
    """
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def colored(values: np.ndarray, low: float, high: float, ramp: str = "shares") -> np.ndarray:
    """`values` (rows, columns) as colors, uint8 (rows, columns, 3): `low` and below is the first of the ramp's.

    >>> colored(np.array([[0.0, 1.0]]), 0, 1, "gray").tolist()
    [[[0, 0, 0], [255, 255, 255]]]
    """
    values = np.asarray(values, np.float64)
    anchors = np.array([rgb(color) for color in RAMPS[ramp]], np.float64)
    share = np.clip((values - low) / (high - low if high > low else 1.0), 0, 1)
    places = np.linspace(0, 1, len(anchors))
    mixed = np.stack([np.interp(np.nan_to_num(share), places, anchors[:, part]) for part in range(3)], axis=-1)
    mixed[np.isnan(values)] = NOT_A_NUMBER
    return mixed.round().astype(np.uint8)


def text_role(background: np.ndarray) -> str:
    """The role of a text on a color (3,) that is read on it.

    >>> text_role(np.array([0, 0, 0])), text_role(np.array([255, 255, 255]))
    ('light', 'dark')
    """
    return "light" if float(background @ np.array([0.299, 0.587, 0.114])) < LIGHTEST_UNDER_LIGHT else "dark"
