"""Functional models of Keras: layers called on symbolic tensors, in the order in which these come to be."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from tarazu.base.errors import FileFormatError
from tarazu.interop.keras.archive import INTACT
from tarazu.interop.keras.calls import called, flat
from tarazu.interop.keras.merging import MERGES
from tarazu.interop.keras.operations import find_operation, is_operation
from tarazu.interop.keras.options import Options, Place, name_of, require_float32
from tarazu.interop.keras.saved_weights import GroupNames
from tarazu.nn.functional.model import Model
from tarazu.nn.module.module import Module
from tarazu.runtime.tensor.tensor import Tensor

Call: TypeAlias = "tuple[Any, int, Any]"  # the layer's description, which of its calls, and that


class FunctionalReader:
    """Calls the layers of a functional config on symbolic tensors, in the order in which these come to be."""

    def __init__(self, config: Mapping[str, Any], group: str, path: Path, layer: Callable[..., Module],
                 make_input: Callable[[Mapping[str, Any], Place], Tensor], custom: Collection[str]) -> None:
        self._config, self._group, self._path = config, group, path
        self._layer, self._input, self._custom = layer, make_input, custom
        self._values: dict[tuple[str, int], list[Tensor]] = {}  # the results of a call of a layer, or an operation

    def model(self) -> Module:
        """The model of the outputs."""
        callables = dict(self._callables())
        names = [content.get("name") or name_of(content) for content in self._config["layers"]]
        if len(set(names)) < len(names):
            raise FileFormatError("two layers of one name", path=self._path, expected="a name for each", fix=INTACT)
        calls = [(content, i, node) for content in self._config["layers"] for i, node in enumerate(_nodes(content))]
        for content, i, node in self._in_order(calls):
            call = callables[content["name"]]
            self._values[content["name"], i] = flat(self._result(content, call, node))
        inputs, outputs = (self._nested(self._config[key]) for key in ("input_layers", "output_layers"))
        return Model(inputs, outputs)

    def _in_order(self, calls: Sequence[Call]) -> Iterator[Call]:
        """The calls, each after those whose results it reads; FileFormatError where there is no such order."""
        missing = [set(_needed(node)) - self._values.keys() for _, _, node in calls]
        readers: dict[tuple[str, int], list[int]] = defaultdict(list)
        for index, keys in enumerate(missing):
            for key in keys:
                readers[key].append(index)
        ready = deque(index for index, keys in enumerate(missing) if not keys)
        done = set[int]()
        while ready:
            index = ready.popleft()
            yield calls[index]
            done.add(index)
            made = calls[index][0]["name"], calls[index][1]
            for reader in readers.pop(made, ()):
                missing[reader].discard(made)
                if not missing[reader]:
                    ready.append(reader)
        if waiting := [content["name"] for index, (content, _, _) in enumerate(calls) if index not in done]:
            raise FileFormatError(f"the call of layer {waiting[0]!r} waits for itself, or for nothing in the model",
                                  path=self._path, expected="calls whose inputs are made before", fix=INTACT)

    def _callables(self) -> Iterator[tuple[str, Any]]:
        """What each part is when it is called: a layer, or a function of tensors; inputs become values at once."""
        names = GroupNames()
        for content in self._config["layers"]:
            kind, name = content["class_name"], content.get("name") or name_of(content)
            place = Place(self._path, name, kind)
            if is_operation(content):
                yield name, find_operation(content, place)
                continue
            group = f"{self._group}layers/{names.of(kind)}"
            if kind == "InputLayer":
                self._values[name, 0] = [self._input(content["config"], place)]
            elif kind in MERGES and kind not in self._custom:
                options = Options(place, content["config"], _nothing, _nothing, _nothing)
                require_float32(options)
                yield name, MERGES[kind](options)
                options.require_all_used()
            else:
                calls = [_call_options(node) for node in _nodes(content)]
                yield name, self._layer(content, group, calls)

    def _result(self, content: Any, call: Any, node: Any) -> Any:
        """What a layer or operation gives for the inputs of a node."""
        name, kind = content["name"], content["class_name"]
        place = Place(self._path, name, kind)
        args, options = (self._filled(tree) for tree in _arguments(node))
        try:
            return called(call, kind, args, options, place)
        except FileFormatError:
            raise
        except Exception as error:
            raise place.refused(f"it cannot be called: {error}", "inputs as in Keras") from error

    def _filled(self, tree: Any) -> Any:
        """A tree of arguments with symbolic tensors in the places of their names."""
        if isinstance(tree, list):
            return [self._filled(item) for item in tree]
        if not isinstance(tree, dict):
            return tree
        kind: Any = tree.get("class_name")
        config: Any = tree.get("config")
        if kind == "__keras_tensor__":
            name, node, position = config["keras_history"]
            return self._values[name, node][position]
        if kind == "__slice__":
            return slice(*(config[key] for key in ("start", "stop", "step")))
        if kind == "__ellipsis__":
            return ...
        if kind in ("__tensor__", "__numpy__"):
            return np.asarray(config["value"], config["dtype"])
        return {key: self._filled(item) for key, item in tree.items()}

    def _nested(self, tree: Any) -> Any:
        """Inputs or outputs: ["name", call, position] is one of them; a list of a single one is that itself."""
        if isinstance(tree, dict):
            return {key: self._nested(item) for key, item in tree.items()}
        if len(tree) == 3 and isinstance(tree[0], str):
            return self._values[tree[0], tree[1]][tree[2]]
        return tuple(map(self._nested, tree)) if len(tree) > 1 else self._nested(tree[0])


def _nothing(*_: Any) -> Any:
    return []


def _nodes(content: Any) -> list[Any]:
    nodes = content.get("inbound_nodes") or []
    if any(not isinstance(node, Mapping) for node in nodes):
        raise FileFormatError("calls of layers as Keras 2 writes them", expected="those of Keras 3",
                              fix="load the model in Keras 3 and save it again: model.save('model.keras')")
    return list(nodes)


def _arguments(node: Any) -> tuple[Any, Any]:
    return node["args"], node["kwargs"]


def _call_options(node: Any) -> dict[str, Any]:
    return {key: value for key, value in node["kwargs"].items() if not isinstance(value, Mapping | list)}


def _needed(node: Any) -> Iterator[tuple[str, int]]:
    """The calls whose results a node reads."""
    stack = [*_arguments(node)]
    while stack:
        tree = stack.pop()
        if isinstance(tree, dict):
            if tree.get("class_name") == "__keras_tensor__":
                name, call, _ = tree["config"]["keras_history"]
                yield name, call
            else:
                stack.extend(tree.values())
        elif isinstance(tree, list):
            stack.extend(tree)
