"""Graphs that torch has exported as steps: names, arguments, where each stood in the user's source."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Mapping
from typing import Any

from tarazu.base.dtypes import as_dtype
from tarazu.base.errors import ArgumentError
from tarazu.interop.imported import Ref, Step
from tarazu.interop.torch.exporting import torch

Shape = tuple[int | None, ...]  # None for a size that may change
DROPPED = ("device", "layout", "pin_memory", "memory_format", "generator", "non_blocking")
CHECKS = re.compile(r"_?assert|sym_constrain|_functional_assert|_linalg_check_errors")
FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+), in \S+\n\s*(?P<code>[^\n]*)')


@dataclasses.dataclass
class Reading:
    """What was read from an exported program, all by the names of values."""

    inputs: list[str]
    outputs: Any
    steps: list[Step]
    updates: dict[str, Ref]
    shapes: dict[str, Shape]  # of the values that are tensors
    constants: dict[str, Any]  # torch's tensors that are no parameters and no buffers


def read(program: Any, known: Collection[str]) -> Reading:
    """The steps of an exported program; ArgumentError that names all operations that are not known, with lines."""
    return _Reader(program, known).reading()


class _Reader:
    def __init__(self, program: Any, known: Collection[str]) -> None:
        self._program, self._known = program, known
        self._names: dict[str, str] = {}  # of values, by those of nodes
        self._found = Reading([], None, [], {}, {}, {})
        self._unknown: list[str] = []

    def reading(self) -> Reading:
        specs = {spec.arg.name: spec for spec in self._program.graph_signature.input_specs}
        for node in self._program.graph.nodes:
            if node.op == "placeholder":
                self._placeholder(node, specs[node.name])
            elif node.op == "call_function":
                self._call(node)
            elif node.op == "output":
                self._outputs(node)
        if self._unknown:
            raise _unknown_operations(self._unknown)
        return self._found

    def _placeholder(self, node: Any, spec: Any) -> None:
        if spec.target is None:
            name = node.name
            if spec.kind.name != "TOKEN" and hasattr(node.meta.get("val"), "shape"):
                self._found.inputs.append(name)
        else:
            name = spec.target
            if spec.kind.name == "CONSTANT_TENSOR":
                self._found.constants[name] = self._program.constants[name]
        self._name(node, name)

    def _name(self, node: Any, name: str) -> None:
        self._names[node.name] = name
        self._note(name, node.meta.get("val"))

    def _note(self, name: str, value: Any) -> None:
        if hasattr(value, "shape"):
            self._found.shapes[name] = tuple(map(_fixed, value.shape))

    def _call(self, node: Any) -> None:
        if node.target.__name__ == "getitem" and node.args[0].name in self._names:
            source, index = self._names[node.args[0].name], node.args[1]
            self._name(node, f"{source}.{index}")
            return
        operation, name = self._operation(node), f"%{node.name}"
        self._names[node.name] = name
        if operation is None:
            return
        value = node.meta.get("val")
        is_several = isinstance(value, list | tuple)
        if not is_several:
            self._note(name, value)
        read = {user.args[1] for user in node.users if user.target.__name__ == "getitem"} if is_several else ()
        results = tuple(f"{name}.{i}" if i in read else "" for i in range(len(value))) if is_several else (name,)
        arguments, options = self._arguments(node)
        self._found.steps.append(Step(operation, arguments, options, results, position(node)))

    def _operation(self, node: Any) -> str | None:
        """The name in the table; None for checks, which are left out, and for what is not known, which is noted."""
        name = _name_of(node.target)
        if name == "with_effects":  # torch orders what may raise an error by tokens
            name = _name_of(node.args[1])
        if CHECKS.match(name):
            return None
        packet = name if name.startswith(("operator.", "math.")) else name.partition(".")[0]
        found = next((each for each in (name, packet) if each in self._known), None)
        if found is None:
            self._unknown.append(f"{name} ({position(node)})")
        return found

    def _arguments(self, node: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Arguments by position with their defaults, as far as there are defaults."""
        arguments = list(node.args)
        schema = getattr(node.target, "_schema", None)
        for argument in schema.arguments[len(arguments):] if schema is not None else ():
            if argument.kwarg_only or argument.name in node.kwargs or not argument.has_default_value():
                break
            arguments.append(argument.default_value)
        options = {key: self._value(value) for key, value in node.kwargs.items() if key not in DROPPED}
        return tuple(self._value(value) for value in arguments), options

    def _value(self, value: Any) -> Any:
        if isinstance(value, torch().fx.Node):
            return Ref(self._names[value.name])
        if isinstance(value, list | tuple):
            return [self._value(item) for item in value]
        if isinstance(value, torch().dtype):
            return as_dtype(str(value).removeprefix("torch."))
        return None if isinstance(value, torch().device | torch().layout | torch().memory_format) else value

    def _outputs(self, node: Any) -> None:
        given = []
        specs = self._program.graph_signature.output_specs
        for value, spec in zip(node.args[0], specs, strict=True):
            if spec.kind.name == "BUFFER_MUTATION":
                self._found.updates[spec.target] = self._value(value)
            elif spec.kind.name == "USER_OUTPUT":
                given.append(self._value(value))
            elif spec.kind.name != "TOKEN":
                raise ArgumentError(f"a module that changes its input {spec.target!r} in place",
                                    expected="a module that leaves its inputs as they are", fix="call x.clone() first")
        tree = torch().utils._pytree.tree_unflatten(given, self._program.call_spec.out_spec)
        self._found.outputs = _plain(tree, given)


def _fixed(size: Any) -> int | None:
    """A size that torch has found to be a number; None for one that may change."""
    if isinstance(size, int):
        return size
    return int(size.node.expr) if size.node.expr.is_number else None


def _name_of(target: Any) -> str:
    """ATen's name without "default", that of a function of Python with its module."""
    if isinstance(target, torch()._ops.OpOverload):
        packet, _, overload = str(target).rpartition(".")
        packet = packet.removeprefix("aten.")
        return packet if overload == "default" else f"{packet}.{overload}"
    module = getattr(target, "__module__", "").removeprefix("_")
    name = target.__name__
    return name if module.startswith("torch") else f"{module}.{name}"


def position(node: Any) -> str:
    """The path of the module and the line of the user's source where a node was made."""
    stack = [path for path, _ in node.meta.get("nn_module_stack", {}).values()]
    path = re.sub(r"^L\['self'\]\.?", "", stack[-1]) if stack else ""
    frames = [match.groupdict() for match in FRAME.finditer(node.meta.get("stack_trace") or "")]
    own = [frame for frame in frames if "/torch/" not in frame["file"].replace("\\", "/")]
    where = "".join(f"{frame['file']}, line {frame['line']}: {frame['code'].strip()}" for frame in (own or frames)[-1:])
    return "; ".join(part for part in (f"module {path}" if path else "", where) if part) or "the module's forward"


def _unknown_operations(unknown: list[str]) -> ArgumentError:
    once = list(dict.fromkeys(unknown))
    count = "an operation" if len(once) == 1 else f"{len(once)} operations"
    return ArgumentError(f"{count} of torch that Tarazu does not know: " + ", ".join(once),
                         expected="operations of ATen that tarazu/interop/torch/operations has",
                         fix="write these parts with other operations, or the model with tz.nn and move the weights "
                             "alone: tz.interop.load_torch_weights(model, module.state_dict())")


def _plain(tree: Any, leaves: list[Any]) -> Any:
    """Nested lists, tuples and dicts of references: mappings of classes of their own become dicts; what is of any
    other kind is given up for the flat list of the values."""
    if tree is None or isinstance(tree, Ref | bool | int | float | str):
        return tree
    if isinstance(tree, Mapping):
        return {str(key): _plain(item, leaves) for key, item in tree.items()}
    if isinstance(tree, list):
        return [_plain(item, leaves) for item in tree]
    if isinstance(tree, tuple):
        return tuple(_plain(item, leaves) for item in tree)
    if dataclasses.is_dataclass(tree):
        return {field.name: _plain(getattr(tree, field.name), leaves) for field in dataclasses.fields(tree)}
    return tuple(leaves)
