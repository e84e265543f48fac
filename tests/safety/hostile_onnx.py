# ruff: noqa: E501
"""Damages of ONNX files: of the protocol buffer, of tensors, of graphs. The package onnx is imported to make them only."""

import sys
from pathlib import Path

import numpy as np
from damages import content, fixed

sys.path.append(str(Path(__file__).parents[1] / "interop" / "onnx"))
HUGE = 10**12


def model(change):
    """The damage that `change(proto, onnx.helper)` does to the model."""
    def damage(path):
        import onnx

        proto = onnx.load_model_from_string(path.read_bytes())
        change(proto, onnx.helper)
        path.write_bytes(proto.SerializeToString())
    return damage


def weight(**fields):
    """Other fields of the first initial tensor with two axes; lists are put in place of what is there."""
    def change(proto, helper):
        tensor = next(x for x in proto.graph.initializer if len(x.dims) == 2)
        for key, value in fields.items():
            if isinstance(value, list):
                tensor.ClearField(key)
                getattr(tensor, key).extend(value)
            else:
                setattr(tensor, key, value)
    return model(change)


def beside(location, **entries):
    """The first tensor in the file `location`, of so many bytes at such a place."""
    def change(proto, helper):
        tensor = next(x for x in proto.graph.initializer if len(x.dims) == 2)
        tensor.ClearField("raw_data")
        tensor.data_location = 1
        for key, value in {"location": location, **entries}.items():
            tensor.external_data.add(key=key, value=str(value))
    return model(change)


def with_file(damage, name="weights.bin", size=48):
    """The damage, with a file beside; a link where the size is a path."""
    def both(path):
        if isinstance(size, str):
            (path.parent / name).symlink_to(size)
        else:
            (path.parent / name).write_bytes(bytes(size))
        damage(path)
    return both


def graph(make, outputs="y", opset=21, functions=(), inputs=("x",), **arrays):
    """The damage that writes a model of the nodes that `make(onnx.helper)` gives, of x (n, 3)."""
    def damage(path):
        from onnx import helper
        from onnx_models import graph_of, proto_of

        made = functions(helper) if callable(functions) else functions
        proto = proto_of(graph_of(make(helper), {name: ["n", 3] for name in inputs}, {outputs: ["a", "b"]}, arrays), opset, made[:1])
        proto.functions.extend(made[1:])
        path.write_bytes(proto.SerializeToString())
    return damage


def node(operator, *inputs, opset=21, results=("y",), arrays=None, domain="", **attributes):
    """A model of one node; "x" is its input (n, 3), `arrays` are initial values."""
    return graph(lambda helper: [helper.make_node(operator, list(inputs), list(results), domain=domain, **attributes)], opset=opset, **(arrays or {}))


def numbers(*values, dtype=np.int64):
    return np.array(values, dtype)


def cut(at):
    return content(lambda data: data[:int(len(data) * at)])


def nested(depth):
    """A branch in a branch, and so on, written as bytes: ONNX's own library does not nest so deep."""
    def tagged(number, body):
        return _varint(number << 3 | 2) + _varint(len(body)) + body

    def damage(path):
        inner = tagged(1, tagged(2, b"y") + tagged(4, b"Identity") + tagged(1, b"x"))
        for _ in range(depth):
            branch = tagged(5, tagged(1, b"then_branch") + _varint(20 << 3) + _varint(5) + tagged(6, inner))
            inner = tagged(1, tagged(1, b"x") + tagged(2, b"y") + tagged(4, b"If") + branch)
        path.write_bytes(b"\x08\x0a" + tagged(7, inner + tagged(2, b"g")) + tagged(8, b"\x10\x15"))
    return damage


def _varint(value):
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def loop(trips=HUGE, condition=True):
    """A loop of so many rounds."""
    def make(helper):
        body = helper.make_graph([helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Add", ["v", "v"], ["w"])], "body",
                                 [helper.make_tensor_value_info("i", 7, []), helper.make_tensor_value_info("go", 9, []), helper.make_tensor_value_info("v", 1, ["n", 3])],
                                 [helper.make_tensor_value_info("on", 9, []), helper.make_tensor_value_info("w", 1, ["n", 3])])
        return [helper.make_node("Loop", ["trips" if trips is not None else "", "first", "x"], ["y"], body=body)]
    arrays = {"first": np.array(condition)} | ({} if trips is None else {"trips": np.array(trips)})
    return graph(make, **arrays)


def endless(*nodes, gathers=False, arrays=None):
    """A loop without an end of these (operator, inputs): the first makes "w" of "v" and others, the second "g"."""
    def make(helper):
        infos = [helper.make_tensor_value_info(name, 1, None) for name in ("w", "g")]
        body = helper.make_graph([helper.make_node("Identity", ["go"], ["on"]), *(helper.make_node(operator, inputs, [name]) for (operator, inputs), name in zip(nodes, "wg", strict=False))], "body",
                                 [helper.make_tensor_value_info("i", 7, []), helper.make_tensor_value_info("go", 9, []), helper.make_tensor_value_info("v", 1, None)],
                                 [helper.make_tensor_value_info("on", 9, []), *infos[:1 + gathers]])
        return [helper.make_node("Expand", ["x", "size"], ["e"]), helper.make_node("Loop", ["", "first", "e"], ["last", "y"] if gathers else ["y"], body=body)]
    return graph(make, first=np.array(True), **{"size": numbers(1, 1), **(arrays or {})})


def in_rows(rows, *nodes):
    """These nodes behind one that makes so many rows of a number, "e"."""
    def make(helper):
        body = helper.make_graph([helper.make_node("Add", ["a", "r"], ["b"]), helper.make_node("Expand", ["r", "wide"], ["g"])], "body",
                                 [helper.make_tensor_value_info(name, 1, None) for name in "ar"], [helper.make_tensor_value_info(name, 1, None) for name in "bg"])
        return [helper.make_node("Expand", ["one", "rows"], ["e"]), *(helper.make_node(operator, inputs, outputs, **({"body": body, "num_scan_inputs": 1} if operator == "Scan" else {})) for operator, inputs, outputs in nodes)]
    return graph(make, one=np.array(1, np.float32), rows=numbers(rows), wide=numbers(2**16))


def chain(operator, length, **arrays):
    """So many nodes one behind the other, each with the results of the one before twice."""
    return graph(lambda helper: [helper.make_node(operator, [f"h{i}" if i else "x"] * 2, [f"h{i + 1}" if i + 1 < length else "y"], **({"axis": 1} if operator == "Concat" else {})) for i in range(length)], **arrays)


def recursive(*calls):
    """Functions f0, f1, ... with the calls of each."""
    def functions(helper):
        domains = [helper.make_opsetid("", 21), helper.make_opsetid("own", 1)]
        return [helper.make_function("own", f"f{i}", ["a"], ["b"], [helper.make_node(name, [f"h{k}" if k else "a"], [f"h{k + 1}" if k + 1 < len(names) else "b"], domain="own") for k, name in enumerate(names)], domains)
                for i, names in enumerate(calls)]
    return graph(lambda helper: [helper.make_node("f0", ["x"], ["y"], domain="own")], functions=functions)


def sparse(dims, indices, values=(1.0,)):
    def make(helper):
        content_ = helper.make_sparse_tensor(helper.make_tensor("w", 1, [len(values)], values), helper.make_tensor("i", 7, [len(indices)], indices), dims)
        return [helper.make_node("Constant", [], ["w"], sparse_value=content_), helper.make_node("Mul", ["x", "w"], ["y"])]
    return graph(make)


def attribute(index, name, **fields):
    def change(proto, helper):
        entry = proto.graph.node[index].attribute.add(name=name)
        for key, value in fields.items():
            setattr(entry, key, value)
    return model(change)


TENSORS = {
    "sizes of 10^12": weight(dims=[10**6, 10**6]), "a size of 10^12": weight(dims=[HUGE, 1]), "sizes that overflow": weight(dims=[2**62, 4]), "sizes whose product is 0 by overflow": weight(dims=[2**32, 2**32]),
    "a negative size": weight(dims=[-3, -4]), "a size of 0": weight(dims=[0, 4]), "no sizes": weight(dims=[]), "100,000 sizes": weight(dims=[1] * 100_000 + [12]), "a byte too many": weight(raw_data=bytes(49)),
    "a byte missing": weight(raw_data=bytes(47)), "no bytes": weight(raw_data=b""), "floats missing": weight(float_data=[1.0]), "floats of 10^12": weight(dims=[10**6, 10**6], float_data=[1.0]), "type 0": weight(data_type=0),
    "type 77": weight(data_type=77), "type -1": weight(data_type=-1), "texts": weight(data_type=8), "4-bit integers": weight(data_type=22), "8-bit floats": weight(data_type=17), "a segment": model(lambda proto, _: setattr(proto.graph.initializer[0].segment, "end", HUGE)),
    "no name": weight(name=""), "a name of 10 MB": weight(name="n" * 10**7),
    **{f"elements in {place!r}": beside(place) for place in ("../../etc/passwd", "/etc/passwd", "/dev/zero", "", ".", "..", "missing.bin", "a\0b", "weights.bin/../../x", "C:\\x", "x" * 5_000, "file:///etc/passwd")},
    "elements in a link": with_file(beside("weights.bin"), size="/etc/passwd"), "elements in /dev/zero by a link": with_file(beside("weights.bin"), size="/dev/zero"),
    "elements in a link to itself": with_file(beside("weights.bin"), size="weights.bin"),
    **{f"elements at {entries}": with_file(beside("weights.bin", **entries)) for entries in ({"offset": 10**15}, {"offset": -8}, {"length": HUGE}, {"length": 0}, {"length": -1}, {"offset": "many"}, {"length": "1e9"}, {"offset": 8}, {"offset": "9" * 5_000})},
    "a file beside that is short": with_file(beside("weights.bin"), size=47), "sparse of 10^12": sparse([HUGE], [5]), "sparse of 2^26 and more": sparse([2**25, 3], [5]), "sparse of 2^25": sparse([2**25], [5]), "sparse beyond": sparse([3], [3]), "sparse and negative": sparse([3], [-1]),
    "sparse sizes that are negative": sparse([-3], [0]), "sparse of another number": sparse([3], [0, 1]), "two sparse at one place": sparse([3], [1, 1], (1.0, 2.0))}
GRAPHS = {
    "a circle": graph(lambda helper: [helper.make_node("Add", ["x", "b"], ["a"]), helper.make_node("Add", ["a", "x"], ["b"]), helper.make_node("Neg", ["b"], ["y"])]), "a node that reads itself": node("Add", "x", "y"), "an input that is not there": node("Add", "x", "nowhere"),
    "an output that is not there": graph(lambda helper: [helper.make_node("Neg", ["x"], ["z"])]), "an output twice": graph(lambda helper: [helper.make_node("Neg", ["x"], ["y"])] * 2), "a value of two nodes": graph(lambda helper: [helper.make_node("Neg", ["x"], ["x"]), helper.make_node("Neg", ["x"], ["y"])]),
    "two tensors of a name": model(lambda proto, _: proto.graph.initializer.append(proto.graph.initializer[0])), "two inputs of a name": model(lambda proto, _: proto.graph.input.append(proto.graph.input[0])), "no nodes": model(lambda proto, _: proto.graph.ClearField("node")), "no graph": model(lambda proto, _: proto.ClearField("graph")), "no opset": model(lambda proto, _: proto.ClearField("opset_import")), "opset 10^9": model(lambda proto, _: setattr(proto.opset_import[0], "version", 10**9)),
    "opset 0": model(lambda proto, _: setattr(proto.opset_import[0], "version", 0)), "opset -1": model(lambda proto, _: setattr(proto.opset_import[0], "version", -1)), "IR version 10^9": model(lambda proto, _: setattr(proto, "ir_version", 10**9)), "no IR version": model(lambda proto, _: proto.ClearField("ir_version")),
    "an unknown operator": node("System", "x"), "an operator of os": node("system", "x", domain="os"), "an operator with dots": node("os.system", "x"), "an operator of PyTorch's": node("PyOp", "x", domain="ai.onnx.contrib"), "an operator of 10 MB": node("N" * 10**7, "x"),
    "branches 20 deep": nested(20), "branches 300 deep": nested(300), "branches 10,000 deep": nested(10_000), "a function that calls itself": recursive(["f0"]), "functions in a circle": recursive(["f1"], ["f2"], ["f0"]), "a function that is not there": recursive(["f7"]),
    "functions 5,000 deep": recursive(*([f"f{i + 1}"] for i in range(5_000)), []), "functions of 10^12 nodes": recursive(*([f"f{i + 1}"] * 10 for i in range(12)), ["f13", "f14"]),
    "a loop without an end": loop(None), "a loop that records": endless(("MatMul", ["v", "weights"]), arrays={"weights": np.eye(3, dtype=np.float32)}),
    "a loop that gathers": endless(("Identity", ["v"]), ("Expand", ["v", "wide"]), gathers=True, arrays={"wide": numbers(500, 1, 1)}), "a loop of large values": endless(("Sin", ["v"]), arrays={"size": numbers(2**20, 1, 1)}),
    "a scan of 2^24 rows": in_rows(2**24, ("Scan", ["x", "e"], ["y", "z"])), "a scan of 2^16 wide rows": in_rows(2**16, ("Scan", ["x", "e"], ["y", "z"])),
    "a list of 2^24": in_rows(2**24, ("SplitToSequence", ["e"], ["list"]), ("SequenceAt", ["list", "rows"], ["y"])), "a loop of -1": loop(-1),
    "an attribute more": attribute(0, "run", s=b"os.system", type=3), "an attribute of another type": attribute(0, "alpha", i=2, type=2), "an attribute of text": attribute(0, "transB", s=b"yes", type=3), "an attribute of 2^62": attribute(0, "transB", i=2**62, type=2)}
SIZES = {
    "Expand to 10^12": node("Expand", "x", "s", arrays={"s": numbers(10**9, 1000, 1)}), "Expand of a constant to 10^12": node("Expand", "c", "s", arrays={"s": numbers(10**6, 10**6), "c": numbers(1.0, dtype=np.float32)}), "Expand to -1": node("Expand", "x", "s", arrays={"s": numbers(-5, 3)}),
    "Expand to 2^63": node("Expand", "x", "s", arrays={"s": numbers(2**62, 4, 1, 3)}), "Tile of 10^12": node("Tile", "x", "s", arrays={"s": numbers(10**6, 10**6)}), "Tile of -1": node("Tile", "x", "s", arrays={"s": numbers(-1, -1)}),
    "ConstantOfShape of 10^12": node("ConstantOfShape", "s", arrays={"s": numbers(10**6, 10**6)}), "ConstantOfShape of 2^62": node("ConstantOfShape", "s", arrays={"s": numbers(2**62)}), "ConstantOfShape of -1": node("ConstantOfShape", "s", arrays={"s": numbers(-1, 3)}),
    "Range of 10^12": node("Range", "a", "b", "c", arrays={"a": np.array(0), "b": np.array(HUGE), "c": np.array(1)}), "Range of no step": node("Range", "a", "b", "c", arrays={"a": np.array(0), "b": np.array(5), "c": np.array(0)}),
    "Range to infinity": node("Range", "a", "b", "c", arrays={"a": np.array(0.0), "b": np.array(np.inf), "c": np.array(1.0)}), "OneHot of 10^12": node("OneHot", "i", "d", "v", arrays={"i": numbers(1, 2), "d": np.array(HUGE), "v": numbers(0.0, 1.0, dtype=np.float32)}),
    "Pad of 10^12": node("Pad", "x", "p", arrays={"p": numbers(0, HUGE, 0, 0)}), "Pad of -10^12": node("Pad", "x", "p", arrays={"p": numbers(0, -HUGE, 0, 0)}), "Resize to 10^12": node("Resize", "x", "", "", "s", arrays={"s": numbers(10**6, 10**6)}, mode="nearest"),
    "Resize by 10^12": node("Resize", "x", "", "f", arrays={"f": numbers(1e6, 1e6, dtype=np.float32)}, mode="nearest"), "Upsample by NaN": node("Upsample", "x", "f", opset=9, arrays={"f": numbers(np.nan, np.nan, dtype=np.float32)}),
    "random numbers, 10^12": node("RandomNormal", shape=[10**6, 10**6]), "random numbers of -1": node("RandomUniform", shape=[-1, 3]), "a window of 10^12": node("HannWindow", "n", arrays={"n": np.array(HUGE)}), "a mel matrix of 10^12": node("MelWeightMatrix", *"abcde", arrays={"a": np.array(10**6), "b": np.array(2 * 10**6), "c": np.array(16_000), "d": np.array(0.0, np.float32), "e": np.array(8000.0, np.float32)}),
    "Reshape to 10^12": node("Reshape", "x", "s", arrays={"s": numbers(10**6, 10**6)}), "Reshape to -1, -1": node("Reshape", "x", "s", arrays={"s": numbers(-1, -1)}), "Gather beyond": node("Gather", "x", "i", arrays={"i": numbers(HUGE)}, axis=1), "Split of 10^9": graph(lambda helper: [helper.make_node("Split", ["x"], ["y", "z"], axis=1, num_outputs=10**9)]),
    "Squeeze of axis 10^9": node("Squeeze", "x", "a", arrays={"a": numbers(10**9)}), "Unsqueeze at 10^9": node("Unsqueeze", "x", "a", arrays={"a": numbers(10**9)}), "Transpose of 7": node("Transpose", "x", perm=[7, 0]), "Concat 50 times": chain("Concat", 50), "a kernel of 10^12": node("MaxPool", "x", kernel_shape=[10**6, 10**6]),
    "pads of 10^12": graph(lambda helper: [helper.make_node("Unsqueeze", ["x", "a"], ["h"]), helper.make_node("MaxPool", ["h"], ["y"], kernel_shape=[1], pads=[0, HUGE])], a=numbers(1)), "strides of 0": graph(lambda helper: [helper.make_node("Unsqueeze", ["x", "a"], ["h"]), helper.make_node("MaxPool", ["h"], ["y"], kernel_shape=[1], strides=[0])], a=numbers(1)),
    "an equation of 10 MB": node("Einsum", "x", equation="ab," * 10**6 + "b->a"), "TopK of 10^12": node("TopK", "x", "k", results=("y", "z"), arrays={"k": numbers(HUGE)}), "DFT of 10^12": node("DFT", "x", "n", arrays={"n": np.array(HUGE)}), "a division of integers by 0": node("Div", "a", "b", arrays={"a": numbers(1, 2, 3), "b": numbers(0, 0, 0)}),
    "blocks of 10^9": graph(lambda helper: [helper.make_node("Unsqueeze", ["x", "a"], ["h"]), helper.make_node("DepthToSpace", ["h"], ["y"], blocksize=10**9)], a=numbers(2, 3))}
BUFFERS = {
    **{f"cut at {share}": cut(share) for share in (0.02, 0.1, 0.3, 0.7, 0.9, 0.98)}, "a length of 2^63": fixed(b"\x08\x0a\x3a" + _varint(2**63 - 1)), "a length of 2 GB": fixed(b"\x08\x0a\x3a" + _varint(2**31 - 1) + bytes(100)),
    "a number of 20 bytes": fixed(b"\x08" + b"\xff" * 20), "a group without an end": fixed(b"\x0b" * 200), "100,000 groups": fixed(b"\x0b" * 100_000), "field 0": fixed(b"\x00\x00" * 50), "an unknown wire type": fixed(b"\x0f" * 50), "a million empty graphs": fixed(b"\x3a\x00" * 10**6),
    "texts that are no UTF-8": content(lambda data: data.replace(b"Gemm", b"\xff\xfe\xfd\xfc").replace(b"MatMul", b"\xff\xfe\xfd\xfc\xfb\xfa")), "a graph in a graph": content(lambda data: b"\x3a" + _varint(len(data)) + data), "bytes behind": content(lambda data: data + b"\x3a\x7f"), "twice": content(lambda data: data * 2)}
DAMAGES = {**TENSORS, **GRAPHS, **SIZES, **BUFFERS}
