"""Where in the user's program a trace is: the modules that are being called, and, while debugging, the line."""

from __future__ import annotations

import contextlib
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from tarazu.ir.node import Builder, Node
from tarazu.ir.origin import NOWHERE, Origin
from tarazu.transform.gradient.tape import Leaf, TapeNode

_PACKAGE = str(Path(__file__).parents[2]) + os.sep


class Origins:
    """Gives the nodes of a trace their origins: the path of the modules that are being called, and perhaps the line."""

    def __init__(self, builder: Builder, *, notes_lines: bool) -> None:
        self.modules: list[Any] = []  # that are being called, outermost first; of `nn`, which is above
        self.child_names: dict[int, Any] = {}  # of the modules that have been called; kept by `nn`
        self._builder, self._notes_lines, self._is_origin_given = builder, notes_lines, False
        self._origin = NOWHERE
        self._calls: Counter[tuple[str, ...]] = Counter()

    @contextlib.contextmanager
    def module_call(self, module: object, name: str) -> Iterator[None]:
        """A block for one call of `module`, which the module around it knows as `name`."""
        before = self._origin
        path = (*before.scope, name)
        self._calls[path] += 1
        if self._calls[path] > 1:
            path = (*before.scope, f"{name} (call {self._calls[path]})")
        self._origin = self._builder.origin = before._replace(scope=path)
        self.modules.append(module)
        try:
            yield
        finally:
            self.modules.pop()
            self._origin = self._builder.origin = before

    def note_line(self) -> None:
        """Note the user's line for the next node, unless that takes over the line of an earlier one."""
        if self._notes_lines and not self._is_origin_given:
            self._builder.origin = self._origin._replace(line=user_line())

    def enter_backward(self, node: TapeNode | Leaf | None) -> None:
        """Let nodes carry the origin of the result that `node` of the tape recorded, marked as backward."""
        forward = node.outputs[0] if isinstance(node, TapeNode) else None
        origin = forward.origin if isinstance(forward, Node) else self._origin
        self._set_given_origin(None if node is None else origin._replace(is_backward=True))

    def enter_replay(self, node: Node | None) -> None:
        """Let nodes carry the origin of `node` of another graph."""
        self._set_given_origin(None if node is None else node.origin)

    def _set_given_origin(self, origin: Origin | None) -> None:
        """Let nodes carry that origin, not one of their own; None ends that."""
        self._is_origin_given = origin is not None
        self._builder.origin = self._origin if origin is None else origin


def user_line() -> str:
    """The file and line, outside of Tarazu, that is running now: "train.py:12"."""
    frame, _ = _user_frame(sys._getframe(1))
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def frames_to_user() -> int:
    """The `stacklevel` with which the caller's `warnings.warn` shows the user's line."""
    _, level = _user_frame(sys._getframe(1))
    return level


def _user_frame(frame: FrameType) -> tuple[FrameType, int]:
    """The first frame outside of Tarazu, from `frame` outwards, and how many frames out it is, from 1."""
    level = 1
    while frame.f_back is not None and _is_of_machinery(frame.f_code.co_filename):
        frame, level = frame.f_back, level + 1
    return frame, level


def _is_of_machinery(filename: str) -> bool:
    """Whether the code is Tarazu's, or of a standard module that calls it back."""
    return filename.startswith(_PACKAGE) or filename == contextlib.__file__
