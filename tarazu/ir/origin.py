"""Where a node of a graph came from: for drawings and for error messages, never for what the graph means."""

from __future__ import annotations

from typing import NamedTuple


class Origin(NamedTuple):
    """The place in the user's program that made a node. Graphs compare without it, but for lines noted for debugging.

    `scope` is the path of modules and named functions, outermost first: ("MLP", "0 Linear").
    """

    scope: tuple[str, ...] = ()
    is_backward: bool = False  # made on the way back, for a gradient
    line: str | None = None  # "train.py:12", noted only while debugging
    name: str = ""  # of a parameter of the graph: the argument or variable that it stands for

    def inside(self, outer: Origin, label: str) -> Origin:
        """The origin of a node in the body of a call named `label` that was made at `outer`."""
        is_gradient = label.endswith("_vjp")
        return Origin((*outer.scope, label.removesuffix("_vjp"), *self.scope),
                      self.is_backward or outer.is_backward or is_gradient, self.line or outer.line, self.name)


NOWHERE = Origin()
