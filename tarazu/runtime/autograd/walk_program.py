"""The backward pass of `backward()` as one program, where passes over tapes of the same form come often.

The form of a tape is the primitives on it, with their attributes, the types of what they saved and how they hang
together: each step of a training loop has the same. The program takes the arrays that the tape saved, and gives the
gradients of the leaves. What calls a function of a user on the way back goes node by node.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tarazu.backend.base import Program
from tarazu.base.dtypes import as_dtype
from tarazu.base.settings import changes
from tarazu.base.spelling import is_ours
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.interpreter import state
from tarazu.ir.types import Shape, TensorType
from tarazu.ops.control_flow.composite import OwnGradient
from tarazu.runtime.compile import JITTED, runs_native
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.tiered import calls_before_compiling, native_program, pause
from tarazu.transform.gradient.graph_cache import runs_users_code
from tarazu.transform.gradient.tape import EVERYTHING, USER, Leaf, TapeEntry, TapeNode, ignoring
from tarazu.transform.gradient.vjp import walk_back

MOST = 64  # forms that are known; what was used least recently goes first
MOST_KNOWN = 256  # calls of composites that are known to run users' code on the way back, or not to
FIRST_LOOK = 4  # calls after which the pass is traced, to see when a program would pay
OF_NODE = 1e-5  # seconds that a rule of the gradient table takes in Python for each primitive that it calls
_counting = threading.Lock()
_Place = tuple[int, int] | None  # of a tape entry: the number of its node, negative for leaves, and which result it is


class Row(NamedTuple):
    """A node of a tape as part of the form: arrays by their numbers, tape entries by their places."""

    op: ops.Op
    attributes: tuple[tuple[str, Any], ...]
    inputs: tuple[int, ...]
    entries: tuple[_Place, ...]
    outputs: tuple[int, ...]
    exponent: bytes | None  # of a power to a number, which is part of the form: what it compiles to depends on it


class Form(NamedTuple):
    """What tapes have in common for which the same program does; the latest node comes first."""

    rows: tuple[tuple[Any, ...], ...]  # the parts of a Row each, as plain tuples are made faster
    types: tuple[tuple[Shape, np.dtype], ...]  # of the arrays, then of the cotangent that the pass starts with
    result: int  # of the first node, which one the pass starts at
    changes: int  # of settings until then


class Recorded(NamedTuple):
    """A tape: its form, and what differs from one tape to the next."""

    form: Form
    nodes: Sequence[TapeNode]
    arrays: Sequence[np.ndarray]
    leaves: Sequence[Leaf]


def walk_to_leaves(end: TapeEntry, cotangent: Tensor, *, free: bool) -> dict[Leaf, Tensor]:
    """As `walk_back` to the leaves that users made: by a program where there is one."""
    recorded = _recorded(end, cotangent.raw) if state.interpreter.compiles_often else None
    walk = None if recorded is None else _walk_of(recorded.form)
    if recorded is None or walk is None:
        return walk_back([end], [cotangent], USER, free=free)
    if not walk.is_ready():
        with pause() if walk.calls_left else contextlib.nullcontext():  # the program of the whole will have its parts
            return walk_back([end], [cotangent], USER, free=free)
    gradients = walk.program([*recorded.arrays, cotangent.raw])
    if free:
        for i in walk.visited:
            recorded.nodes[i].free()
    return {recorded.leaves[i]: Tensor(x) for i, x in zip(walk.reached, gradients, strict=True)}


def _walk_of(form: Form) -> Walk | None:
    """The pass of that form; None where an attribute cannot be compared."""
    try:
        return _walk(form)
    except TypeError:
        return None


# The form ---------------------------------------------------------------------------------------------------------

def _recorded(end: TapeEntry, cotangent: Any) -> Recorded | None:
    """The tape behind an entry; None for one that no program can go back along."""
    nodes = _nodes_behind(end.node)
    if nodes is None or cotangent.__class__ is not np.ndarray:
        return None
    nodes.sort(key=lambda node: -node.order)
    number: dict[Any, int] = {node: i for i, node in enumerate(nodes)}
    leaves: dict[Leaf, int] = {}
    arrays: list[np.ndarray] = []
    slots: dict[int, int] = {}  # by id, of the arrays
    rows = []
    for node in nodes:  # of each tape anew: what is done here counts
        inputs: list[int] = []
        outputs: list[int] = []
        for raws, own in ((node.inputs, inputs), (node.outputs, outputs)):
            for raw in raws:
                slot = slots.get(id(raw))
                if slot is None:
                    if raw.__class__ is not np.ndarray:
                        return None
                    slot = slots[id(raw)] = len(arrays)
                    arrays.append(raw)
                own.append(slot)
        places: list[_Place] = []
        for entry in node.tape_entries:
            if entry is None or not entry.mask & USER:
                places.append(None)
            elif entry.__class__ is Leaf:
                places.append((-1 - leaves.setdefault(entry, len(leaves)), 0))
            else:
                places.append((number[entry.node], entry.index))
        rows.append((node.op, tuple(node.attributes.items()), tuple(inputs), tuple(places), tuple(outputs),
                     _exponent(node) if node.op is ops.POW else None))
    if any(leaf.notes is not None and leaf.notes.hooks for leaf in leaves):
        return None
    types = tuple([(x.shape, x.dtype) for x in (*arrays, cotangent)])
    return Recorded(Form(tuple(rows), types, end.index, changes()), nodes, arrays, list(leaves))


def _nodes_behind(end: TapeNode | Leaf) -> list[TapeNode] | None:
    """The nodes that a pass from this one may go through; None where a function of a user would be called."""
    found: dict[TapeNode, None] = {}
    stack: list[Any] = [end]
    while stack:
        node = stack.pop()
        if node.__class__ is Leaf or node in found:
            continue
        if not node.outputs or (node.notes is not None and node.notes.hooks) or (
                node.op.category == "control" and not _has_our_gradient(node.attributes)):
            return None
        found[node] = None
        stack += [entry.node for entry in node.tape_entries if entry is not None and entry.mask & USER]
    return list(found) or None


_known: dict[int, tuple[dict[str, Any], bool]] = {}  # by id, of the attributes that calls of composites share


def _has_our_gradient(attributes: dict[str, Any]) -> bool:
    """As `_is_ours`, which is asked once for each composite and types."""
    found = _known.get(id(attributes))
    if found is not None:
        return found[1]
    is_one_of_ours = _is_ours(attributes)
    if isinstance(attributes.get("gradient"), OwnGradient):
        if len(_known) >= MOST_KNOWN:
            _known.clear()
        _known[id(attributes)] = attributes, is_one_of_ours  # with the attributes, so that the id stays theirs
    return is_one_of_ours


def _is_ours(attributes: dict[str, Any]) -> bool:
    """Whether the gradient of a loop or call runs nothing but operations, and is not compiled already."""
    gradient = attributes.get("gradient")
    if gradient is not None and not (isinstance(gradient, OwnGradient) and is_ours(gradient.rule.__module__)):
        return False
    return (not attributes.get("label", "").startswith(JITTED)
            and not any(map(runs_users_code, attributes.values())))


def _exponent(node: TapeNode) -> bytes | None:
    exponent: Any = node.inputs[1] if node.tape_entries[1] is None else None
    return exponent.tobytes() if exponent is not None and exponent.ndim == 0 else None


# The program ------------------------------------------------------------------------------------------------------

class Walk:
    """A pass over tapes of one form: how often it came, and its program once that pays."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.calls_left = FIRST_LOOK
        self.graph: Graph | None = None
        self.reached: list[int] = []  # the numbers of the leaves that the pass comes to
        self.visited: list[int] = []  # and of the nodes
        self._program: Program | None = None
        self._used: list[int] = []  # the numbers of the arrays that the program takes

    def is_ready(self) -> bool:
        """Whether there is a program; to be asked before each pass."""
        if self.calls_left:
            with _counting:
                self.calls_left = max(self.calls_left - 1, 0)
                if not self.calls_left and self._program is None:
                    self._advance()
        return self._program is not None

    def _advance(self) -> None:
        """Trace the pass, or compile it."""
        if self.graph is None:
            self.graph = self._trace()
            self.calls_left = calls_before_compiling(self.graph, OF_NODE) if runs_native() else 0
        else:
            read = {x for node in self.graph.nodes for x in node.inputs} | set(self.graph.outputs)
            self._used = [i for i, x in enumerate(self.graph.parameters) if x in read]
            used = [self.graph.parameters[i] for i in self._used]
            self._program = native_program(Graph(used, self.graph.outputs))
            self.graph = None

    def program(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The gradients of the leaves that are reached, from all arrays of a tape and the cotangent."""
        assert self._program is not None
        return self._program(*[arrays[i] for i in self._used])

    def _trace(self) -> Graph:
        types = [TensorType(shape, as_dtype(dtype)) for shape, dtype in self.form.types]
        return state.interpreter.trace(self._pass, types).graph

    def _pass(self, *values: Tensor) -> list[Tensor]:
        """The pass over a tape of this form that holds these values."""
        nodes, leaves = _tape(self.form, values)
        with ignoring(EVERYTHING):
            gradients = walk_back([nodes[0].tape_entry_of(self.form.result)], [values[-1]], USER, free=True)
        self.reached = [leaves.index(leaf) for leaf in gradients]
        self.visited = [i for i, node in enumerate(nodes) if not node.is_alive]
        return list(gradients.values())


@functools.lru_cache(maxsize=MOST)
def _walk(form: Form) -> Walk:
    return Walk(form)


def _tape(form: Form, values: Sequence[Tensor]) -> tuple[list[TapeNode], list[Leaf]]:
    """A tape of that form that holds the values, and its leaves."""
    rows = [Row(*row) for row in form.rows]
    count = 1 + max([-1, *[-1 - place[0] for row in rows for place in row.entries if place is not None]])
    leaves = [Leaf(USER) for _ in range(count)]
    nodes: dict[int, TapeNode] = {}

    def entry(place: _Place) -> TapeEntry | None:
        if place is None:
            return None
        return leaves[-1 - place[0]] if place[0] < 0 else nodes[place[0]].tape_entry_of(place[1])

    for i, row in reversed(list(enumerate(rows))):
        inputs = [values[j].raw for j in row.inputs]
        if row.exponent is not None:
            of_exponent = np.frombuffer(row.exponent, form.types[row.inputs[1]][1]).reshape(())
            inputs[1] = state.interpreter.constant(of_exponent, None).raw
        nodes[i] = TapeNode(row.op, dict(row.attributes), inputs, [entry(place) for place in row.entries],
                            tuple([values[j].raw for j in row.outputs]), USER)
    return [nodes[i] for i in range(len(rows))], leaves
