# ruff: noqa: E501
"""Damages of what Tarazu writes: model folders, files of tensors, checkpoints, run folders, histories."""

import json
import struct

from damages import (
    BYTES,
    DEEP,
    JSON_DAMAGES,
    PLACES,
    content,
    fixed,
    gzip_bomb,
    in_json,
    inside,
    link_outside,
    password_file,
)

WEIGHT = {"dtype": "F32", "shape": [3, 2], "data_offsets": [0, 24]}


def tensors(header, data=bytes(24), length=None):
    """A safetensors file with this header, which it may say to be of another length."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return fixed(struct.pack("<Q", len(text) if length is None else length) + text + data)


def one(**change):
    return tensors({"w": {**WEIGHT, **change}})


TENSORS = {
    "header of 2^63 bytes": tensors({"w": WEIGHT}, length=2**63), "header of 2^64-1 bytes": tensors({"w": WEIGHT}, length=2**64 - 1),
    "header beyond the file": tensors({"w": WEIGHT}, length=10_000), "header of 90 MB": tensors({"w": WEIGHT}, length=90_000_000),
    "sizes that overflow": one(shape=[2**40, 2**40]), "sizes beyond the file": one(shape=[10**9, 2], data_offsets=[0, 8 * 10**9]),
    "a negative size": one(shape=[-3, -2]), "offsets backwards": one(data_offsets=[24, 0]), "offsets beyond": one(data_offsets=[0, 2**62]),
    "negative offsets": one(data_offsets=[-24, 0]), "overlapping": tensors({"w": WEIGHT, "v": WEIGHT}),
    "a hole": tensors({"w": WEIGHT, "v": {**WEIGHT, "data_offsets": [40, 64]}}, bytes(64)), "unknown type": one(dtype="F7"),
    "type of objects": one(dtype="O"), "a shape of text": one(shape="big"), "a million axes": one(shape=[1] * 100_000 + [6]),
    "one header name twice": tensors(b'{"w": %s, "w": %s}' % ((json.dumps(WEIGHT).encode(),) * 2)),
    "header nested deep": tensors(DEEP.encode()), "header of null": tensors(b"null"), "shape missing": tensors({"w": {"dtype": "F32"}}),
    "a float as offset": one(data_offsets=[0.0, 24.0]), "8-bit floats of no array": tensors({"w": {**WEIGHT, "dtype": "F8_E8M0", "data_offsets": [0, 6]}}, bytes(6)),
    "4-bit floats": tensors({"w": {**WEIGHT, "dtype": "F4", "data_offsets": [0, 3]}}, bytes(3)),
    "bytes behind": tensors({"w": WEIGHT}, bytes(1000)), "metadata of lists": tensors({"__metadata__": [1], "w": WEIGHT})}


def _layer(content_):
    """The description of the first layer that has a class."""
    return next(x for x in content_["layers"] if "class" in x)


def layer(**entries):
    """The damage that puts entries into the description of a layer, in model.json."""
    return in_json("model.json", lambda value: _layer(value).update(entries))


def argument(value):
    """The damage that passes a value to a layer's constructor."""
    return in_json("model.json", lambda content_: _layer(content_)["kwargs"].update(units=value))


def named(name):
    return layer(**{"class": name})


def function(name):
    return in_json("model.json", lambda value: _layer(value)["kwargs"].update(activation={"function": name}))


NAMES = ["os:system", "builtins:eval", "builtins:exec", "subprocess:Popen", "posix:system", "tarazu.base.files:os.system",
         "tarazu.nn:Module.__init__", "tarazu.nn:__builtins__.eval", "tarazu.train.save.tensor_file:write_tensors",
         "antigravity:geohash", "this:s", "__main__:main", "tarazu.nn:Dense.__class__", "../../evil:run", "tarazu.nn:", ":", "",
         "pickle:loads", "importlib:import_module", "tarazu.cli.main:main", "numpy:save", "shutil:rmtree", "tarazu.nn:Dense\0"]
CODE = {f"class {name!r}": named(name) for name in NAMES} | {
    f"activation {name!r}": function(name) for name in NAMES[:10]} | {
    "partial of a writer": argument({"partial": "tarazu.train.save.weights:save_weights", "args": [], "kwargs": {}, "named": {}}),
    "a dataclass of subprocess": argument({"dataclass": "subprocess:Popen", "fields": {}}),
    "an enum of signals": argument({"enum": "signal:Signals", "member": "SIGKILL"}),
    "an attribute in place of a method": in_json("model.json", lambda value: value.update(changes={"": {"__class__": 1}})),
    "an attribute with dots": in_json("model.json", lambda value: value.update(changes={"": {"a.b": {"function": "os:system"}}})),
    "a loss of os": in_json("model.json", lambda value: value["training"].update(loss={"function": "os:system"})),
    "an optimizer of os": in_json("model.json", lambda value: value["training"]["optimizer"].update(object="os:system"))}
SIZES = {f"units={value!r:.30}": argument(value) for value in
         (2**31, 10**6, -1, 1e308, "many", [1], None, True, {"range": [0, 10**12, 1]}, 10**400)} | {
    "an array of wide texts": argument({"array": [""] * 1000, "dtype": "<U10000000", "shape": [1000]}),
    "an array of objects": argument({"array": [1], "dtype": "O", "shape": [1]}),
    "an array of records": argument({"array": "AAAA", "dtype": "V1000000000", "shape": [1]}),
    "an array of huge shape": argument({"array": [1.0], "dtype": "float32", "shape": [2**40]}),
    "a tensor of no numbers": argument({"tensor": "x", "dtype": "float32", "shape": [1]}),
    "inputs of 10^10": in_json("model.json", lambda value: _layer(value)["kwargs"].update(in_features=10**10)),
    "built with 10^12": in_json("model.json", lambda value: value.update(builds={"": [[10**6, 10**6]]})),
    "a million layers": in_json("model.json", lambda value: value.update(layers=value["layers"] * 5_000))}


def _wrong(key, value):
    return in_json("model.json", lambda content_: content_.update({key: value}))


def _missing(key):
    return in_json("model.json", lambda content_: content_.pop(key) and None)


TYPES = {f"{key} is {value!r:.20}": _wrong(key, value) for key in ("model", "layers", "builds", "changes", "frozen", "training")
         for value in (None, [3], "x", {"a": {"b": 1}}, 7)} | {f"{key} is missing": _missing(key) for key in ("model", "builds", "frozen", "format")} | {
    "a layer that holds itself": in_json("model.json", lambda value: _layer(value)["kwargs"].update(units={"layer": value["layers"].index(_layer(value))})),
    "a layer that is not there": _wrong("model", {"layer": 99}), "a negative layer": _wrong("model", {"layer": -1}),
    "a weight that is not there": argument({"weight": "../../etc/passwd", "kind": "Parameter"}),
    "a weight of no kind": argument({"weight": "0.bias", "kind": "os.system"}),
    "a later format": _wrong("format", "tarazu model 99")}
MODEL_FILES = {f"model.json {name}": inside("model.json", damage)
               for name, damage in {**BYTES, **PLACES, **JSON_DAMAGES, "links out": link_outside, "links to passwords": password_file}.items()}
MODEL_WEIGHTS = {f"model.safetensors {name}": inside("model.safetensors", damage)
                 for name, damage in {**{k: BYTES[k] for k in ("empty", "cut in half", "a pickle")}, **PLACES, "links out": link_outside,
                                      "of another model": TENSORS["bytes behind"], "header": TENSORS["header of 2^63 bytes"]}.items()}
MODEL_OPTIMIZER = {f"optimizer.safetensors {name}": inside("optimizer.safetensors", damage)
                   for name, damage in {"empty": BYTES["empty"], "noise": BYTES["noise"], "a pipe": PLACES["a pipe"], "links out": link_outside}.items()}
MODELS = {**MODEL_FILES, **MODEL_WEIGHTS, **MODEL_OPTIMIZER, **CODE, **SIZES, **TYPES}

INDEX = "model.safetensors.index.json"
SHARDED = {f"index {name}": inside(INDEX, damage) for name, damage in {**BYTES, **JSON_DAMAGES, **PLACES}.items()} | {
    f"a file {name!r}": in_json(INDEX, lambda value, name=name: value["weight_map"].update(weight=name))
    for name in ("../weights.safetensors", "/etc/passwd", "one.safetensors/../../x.safetensors", "", ".", "missing.safetensors",
                 "a\0.safetensors", "..\\x.safetensors", "C:\\x.safetensors", 7, None, ["one.safetensors"])} | {
    "another file": in_json(INDEX, lambda value: value["weight_map"].update(weight="two.safetensors")),
    "a shard that is a pipe": inside("one.safetensors", PLACES["a pipe"]), "a shard that is a folder": inside("one.safetensors", PLACES["a folder"]),
    "a map of lists": in_json(INDEX, lambda value: value.update(weight_map=[1])), "no map": in_json(INDEX, lambda value: value.clear())}

CHECKPOINTS = {f"checkpoint.json {name}": inside("checkpoint.json", damage)
               for name, damage in {**BYTES, **JSON_DAMAGES, **PLACES, "links out": link_outside, "links to passwords": password_file}.items()} | {
    f"tensors in {name!r}": in_json("checkpoint.json", lambda value, name=name: value.update(tensors=name))
    for name in ("../weights.safetensors", "/etc/passwd", "", "..", "a\0b", 7, None, [], "missing.safetensors", "checkpoint.json")} | {
    "values changed": in_json("checkpoint.json", lambda value: value["values"].update(epoch=2)),
    "values of a list": in_json("checkpoint.json", lambda value: value.update(values=[1])),
    "a checksum of text": in_json("checkpoint.json", lambda value: value.update(checksum="0")),
    "an entry more": in_json("checkpoint.json", lambda value: value.update(run="os.system")),
    "tensors changed": inside("tensors-1.safetensors", content(lambda data: data[:-1] + b"\7")),
    "tensors a pipe": inside("tensors-1.safetensors", PLACES["a pipe"]), "tensors link out": inside("tensors-1.safetensors", link_outside)}


def extra(change):
    return in_json("model.json", lambda value: change(value["extra"]))


RUNS = {f"history {name}": inside("history.jsonl", damage) for name, damage in {**BYTES, **JSON_DAMAGES, **PLACES, "links out": link_outside,
                                                                                 "links to passwords": password_file}.items()} | {
    f"{part} is {value!r:.20}": extra(lambda content_, part=part, value=value: content_.update({part: value}))
    for part in ("encoder", "assessment") for value in (None, [1], "x", {}, {"format": 1}, 7)} | {
    "no extra": in_json("model.json", lambda value: value.update(extra=None)),
    "columns of a text": extra(lambda value: value["encoder"].update(dict.fromkeys(list(value["encoder"]), "x"))),
    "scores of lists": extra(lambda value: value["assessment"].update(scores=[1, 2])),
    "model.json links out": inside("model.json", link_outside), "weights link out": inside("model.safetensors", link_outside),
    "weights gone": lambda folder: (folder / "model.safetensors").unlink(), "a class of os": in_json("model.json", lambda value: value["layers"].append({"class": "os:system", "args": [], "kwargs": {}}) or value.update(model={"layer": len(value["layers"]) - 1}))}

HISTORIES = {**BYTES, **PLACES, **JSON_DAMAGES, **{f"last line {text:.30}": fixed(b'{"loss": 1}\n' + text.encode() + b"\n") for text in (
    "{}", '{"format": "tarazu history 1"}', '{"format": "tarazu history 1", "stopped": 1, "measurements": 7, "verdict": null}',
    '{"format": "tarazu history 1", "stopped": 1, "measurements": {}, "verdict": [1]}',
    '{"format": "tarazu history 1", "stopped": 1, "measurements": {}, "verdict": {"name": "x", "headline": 1, "findings": [{"os": 1}]}}',
    '{"format": "tarazu history 1", "stopped": 1, "measurements": {}, "verdict": {"name": 1}}')},
    "deep within a line": content(lambda data: data.replace(b"0.5", DEEP.encode())), "packed": fixed(gzip_bomb(1))}
WEIGHTS = {**BYTES, **PLACES, **TENSORS}

A_LINE_END = "only the end of the last line is gone"
MODELS_MAY_LOAD = {
    "model.json a byte short": A_LINE_END, "training is None": "a model need not be compiled", "a million layers": "no more are made than the model names"}
WEIGHTS_MAY_LOAD = {"ends with zeros": "any bytes are numbers"}
CHECKPOINTS_MAY_LOAD = {"checkpoint.json a byte short": A_LINE_END}
RUNS_MAY_LOAD = {"history a byte short": A_LINE_END}
HISTORIES_MAY_LOAD = {"a byte short": A_LINE_END}
