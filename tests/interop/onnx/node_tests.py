"""ONNX's own tests of operators, each a model with inputs and outputs, run through the importer."""

from __future__ import annotations

import importlib
import pkgutil
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np

import tarazu as tz

SLOW = "averagepool", "lppool", "maxpool"  # modules, of which each takes 2 to 5 seconds
KNOWN_TYPES = {1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16}  # those that Tarazu has


class NodeTest(NamedTuple):
    """One test: its name, its model, its cases (inputs, outputs), and how near the outputs have to be."""

    name: str
    model: Any
    cases: list[tuple[list[Any], list[Any]]]
    rtol: float
    atol: float


def all_tests(kind: str = "node") -> list[NodeTest]:
    """All of a kind, in the order of their names."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ONNX makes infinities on purpose
        from onnx.backend.test.loader import load_model_tests
        return _read(load_model_tests(kind=kind))


def sample(every: int) -> list[NodeTest]:
    """One of so many, of operators whose tests are made quickly: ONNX makes them when their modules are imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.case import base, node
        with patch.object(base, "process_snippet", lambda _, name, export: (name, "")):  # only ONNX's pages show code
            for module in pkgutil.walk_packages(node.__path__, f"{node.__name__}."):
                if module.name.rpartition(".")[2] not in SLOW:
                    importlib.import_module(module.name)
        return _read(sorted(node._NodeTestCases, key=lambda test: test.name)[::every])


def _read(found: Sequence[Any]) -> list[NodeTest]:
    tests = []
    for one in found:
        model, cases = (one.model, one.data_sets) if one.model is not None else _from_folder(Path(one.model_dir))
        plain = [([_array(value) for value in inputs], [_array(value) for value in outputs])
                 for inputs, outputs in cases]
        tests.append(NodeTest(one.name, model, plain, one.rtol, one.atol))
    return sorted(tests, key=lambda test: test.name)


def _array(value: Any) -> Any:
    """A value of a case, some of which come as ONNX's own tensors."""
    from onnx import TensorProto, numpy_helper

    return numpy_helper.to_array(value) if isinstance(value, TensorProto) else value


def _from_folder(folder: Path) -> tuple[Any, list[Any]]:
    import onnx

    model = onnx.load(folder / "model.onnx")
    return model, [[[_value(file, value) for file, value in zip(sorted(case.glob(f"{kind}_*.pb"), key=_number), values,
                                                                strict=False)]
                    for kind, values in (("input", model.graph.input), ("output", model.graph.output))]
                   for case in sorted(folder.glob("test_data_set_*"))]


def _number(path: Path) -> int:
    return int(path.stem.rpartition("_")[2])


def _value(file: Path, description: Any) -> Any:
    import onnx
    from onnx import numpy_helper

    kind = description.type.WhichOneof("value")
    proto = {"tensor_type": onnx.TensorProto, "sequence_type": onnx.SequenceProto,
             "optional_type": onnx.OptionalProto}[kind]()
    proto.ParseFromString(file.read_bytes())
    return {"tensor_type": numpy_helper.to_array, "sequence_type": numpy_helper.to_list,
            "optional_type": numpy_helper.to_optional}[kind](proto)


def types_of(model: Any) -> set[int]:
    """The numbers of all types of elements in a model, of inputs, outputs and what is made inside."""
    import onnx

    found = {value for graph in _graphs(model.graph) for value in _of_graph(graph)}
    try:
        inferred = onnx.shape_inference.infer_shapes(model)
        found |= {type for value in inferred.graph.value_info for type in _of_type(value.type)}
    except Exception:
        pass
    return found - {0}


def _graphs(graph: Any) -> list[Any]:
    inner = [attribute.g for node in graph.node for attribute in node.attribute if attribute.HasField("g")]
    return [graph, *(one for part in inner for one in _graphs(part))]


def _of_graph(graph: Any) -> set[int]:
    found = {tensor.data_type for tensor in graph.initializer}
    for value in [*graph.input, *graph.output]:
        found |= _of_type(value.type)
    for node in graph.node:
        for attribute in node.attribute:
            found |= {attribute.t.data_type, *(tensor.data_type for tensor in attribute.tensors)}
            if attribute.strings and attribute.name.startswith(("value_", "keys_", "values_")):
                found.add(8)
            if attribute.name in ("to", "dtype", "output_dtype") and attribute.type == 2:
                found.add(attribute.i)
    return found


def _of_type(described: Any) -> set[int]:
    kind = described.WhichOneof("value")
    if kind in ("sequence_type", "optional_type"):
        return _of_type(getattr(described, kind).elem_type)
    return {described.tensor_type.elem_type} if kind == "tensor_type" else set()


def is_of_known_types(test: NodeTest) -> bool:
    """Whether all elements are of types that Tarazu has."""
    return types_of(test.model) <= KNOWN_TYPES


def failure_of(test: NodeTest) -> str:
    """What goes wrong, in one line; nothing where all is right."""
    try:
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            path = Path(folder, "model.onnx")
            path.write_bytes(test.model.SerializeToString())
            model = tz.load(path)
            for inputs, outputs in test.cases:
                given = [value for value, described in zip(inputs, test.model.graph.input, strict=False)
                         if described.name in model.inputs]
                result = model(*(given + [None] * (len(model.inputs) - len(given))))
                _compare(test, result if len(outputs) > 1 else (result,), outputs)
    except AssertionError as error:
        return f"differs: {' '.join(str(error).split())[:300]}"
    except Exception as error:
        return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    return ""


def _compare(test: NodeTest, found: Any, expected: Any) -> None:
    assert len(found) == len(expected), f"{len(found)} outputs instead of {len(expected)}"
    for one, wanted in zip(found, expected, strict=True):
        if isinstance(wanted, list) or wanted is None:
            assert isinstance(one, list) == isinstance(wanted, list)
            _compare(test, one or [], wanted or [])
            continue
        array = one.numpy()
        assert array.dtype == np.asarray(wanted).dtype, f"type {array.dtype} instead of {np.asarray(wanted).dtype}"
        assert array.shape == np.shape(wanted), f"shape {array.shape} instead of {np.shape(wanted)}"
        wide = np.float64 if array.dtype.kind in "fV" else array.dtype
        np.testing.assert_allclose(array.astype(wide), np.asarray(wanted).astype(wide), test.rtol, test.atol)
