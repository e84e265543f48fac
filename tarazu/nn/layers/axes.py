"""Checks of how many axes an input has, for layers that work on images or sequences."""

from __future__ import annotations

from typing import Any

from tarazu.base.errors import ShapeError


def require_images(x: Any) -> None:
    """ShapeError unless `x` is (batch, height, width, channels)."""
    if len(x.shape) != 4:
        raise ShapeError(f"an input of shape {tuple(x.shape)}", expected="images: (batch, height, width, channels)",
                         fix="gray pictures have one channel: x[..., None]; one picture is a batch of one: x[None]")


def require_sequences(x: Any) -> None:
    """ShapeError unless `x` is (batch, time, features)."""
    if len(x.shape) != 3:
        raise ShapeError(f"an input of shape {tuple(x.shape)}", expected="sequences: (batch, time, features)",
                         fix="one feature per step is x[..., None]; one sequence is a batch of one: x[None]")
