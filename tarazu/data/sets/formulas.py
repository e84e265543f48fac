"""Data sets that are made by a formula and a seed."""

from __future__ import annotations

import numpy as np

from tarazu.data.dataset.dataset import Dataset
from tarazu.data.sets.named import named_dataset

MOONS, NOISE_OF_MOONS = 1000, 0.15
ARMS, LINKS, NOISE_OF_ARMS = 8192, 8, 0.02
TARGET_OF_ARMS = (0.5, 0.25, 0.25)


def two_moons(seed: int) -> Dataset:
    """1,000 points of two half circles that reach into each other, with normal noise of standard deviation 0.15."""
    draw = np.random.default_rng(seed)
    labels = np.arange(MOONS) % 2
    angle = np.pi * draw.random(MOONS)
    upper = np.stack([np.cos(angle), np.sin(angle)], 1)
    points = np.where(labels[:, None] == 0, upper, np.array([1.0, 0.5]) - upper)
    noisy = points + draw.normal(0, NOISE_OF_MOONS, points.shape)
    return named_dataset(noisy, labels, ["x", "y"], ["upper", "lower"])


def kin(seed: int) -> Dataset:
    """8,192 positions of an arm of 8 links: from the angles of its joints, how far its tip is from a fixed point.

    Links have length 1/8; joints turn about the axes z and y in turn, by angles from -pi/2 to pi/2, each in the frame
    of the link before. The distance has normal noise of standard deviation 0.02.
    """
    draw = np.random.default_rng(seed)
    angles = draw.uniform(-np.pi / 2, np.pi / 2, (ARMS, LINKS))
    tip = np.zeros((ARMS, 3))
    for joint in reversed(range(LINKS)):  # from the last link back: move along the link, then turn at its joint
        tip[:, 0] += 1 / LINKS
        other = 1 if joint % 2 == 0 else 2
        cos, sin = np.cos(angles[:, joint]), np.sin(angles[:, joint])
        tip[:, 0], tip[:, other] = (cos * tip[:, 0] - sin * tip[:, other], sin * tip[:, 0] + cos * tip[:, other])
    distance = np.linalg.norm(tip - np.array(TARGET_OF_ARMS), axis=1) + draw.normal(0, NOISE_OF_ARMS, ARMS)
    return named_dataset(angles, distance, [f"angle {joint + 1}" for joint in range(LINKS)])
