"""Where in the user's program a node was made: for drawings and error messages, without effect on what is computed."""

from __future__ import annotations

from typing import NamedTuple


class Origin(NamedTuple):
    """Where in the user's program a node was made. Equality of graphs ignores it, except for lines kept for debugging.

    `scope` is the path of modules and named functions, outermost first: ("MLP", "0 Linear").
    """

    scope: tuple[str, ...] = ()
    is_backward: bool = False  # made by the backward pass
    line: str | None = None  # "train.py:12", kept only while debugging
    name: str = ""  # of a parameter of the graph: the argument or variable that it stands for

    def inside(self, outer: Origin, label: str) -> Origin:
        """The origin of a node in the body of a call named `label` that was made at `outer`."""
        is_gradient = label.endswith("_vjp")
        return Origin((*outer.scope, label.removesuffix("_vjp"), *self.scope),
                      self.is_backward or outer.is_backward or is_gradient, self.line or outer.line, self.name)


NOWHERE = Origin()
