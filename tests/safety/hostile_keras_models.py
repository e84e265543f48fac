# ruff: noqa: E501
"""Damages of what is in `.keras` files: the config, which is JSON, and the weights, which are an HDF5 file."""

import json
import sys
import zipfile
from pathlib import Path

import numpy as np
from damages import DEEP, JSONS
from hostile_keras_archives import CONFIG, METADATA, WEIGHTS, replaced

sys.path.append(str(Path(__file__).parents[1] / "interop" / "keras"))
import hand_made as made

# The config


def config(change):
    """The damage that `change(config)` does to the config; it may give another."""
    def damage(path):
        with zipfile.ZipFile(path) as archive:
            value = json.loads(archive.read(CONFIG))
        other = change(value)
        replaced(CONFIG, json.dumps(value if other is None else other))(path)
    return damage


def whole(value):
    """Another model, without weights."""
    def damage(path):
        replaced(CONFIG, json.dumps(value))(path)
        replaced(WEIGHTS, b"")(path)
    return damage


def entry(index=1, **entries):
    """Other entries in the description of a layer: the input is 0, the layers of weights are 1 and 2."""
    return config(lambda value: value["config"]["layers"][index].update(entries))


def option(index=1, **options):
    """Other arguments of a layer."""
    return config(lambda value: value["config"]["layers"][index]["config"].update(options))


def layers(*descriptions):
    """A Sequential of other layers, with the weights of the first Dense."""
    return whole(made.sequential(made.start(3), *descriptions))


def nested(depth):
    """A Sequential in a Sequential, and so on."""
    def damage(path):
        text = json.dumps(made.part("Identity", "i"))
        head, tail = json.dumps(made.sequential("HERE")).split('"HERE"')
        replaced(CONFIG, head * depth + text + tail * depth)(path)
        replaced(WEIGHTS, b"")(path)
    return damage


def graph(*calls, outputs="a", inputs="x"):
    """A functional model of layers Dense(3) by name, with the calls of each."""
    parts = [made.part("Activation", name, calls=list(nodes), activation="relu") for name, nodes in calls]
    return whole(made.functional(made.start(3) | {"name": "x", "inbound_nodes": []}, *parts, inputs=[inputs, 0, 0],
                                 outputs=[outputs, 0, 0]))


def of(name, call=0, position=0):
    return made.call(made.tensor(name, call, position))


CODE = {
    "a Lambda": entry(class_name="Lambda", config={"name": "l", "function": {"class_name": "__lambda__", "config": {"code": "4wEAAAA=", "defaults": None, "closure": None}}}),
    "a Lambda by name": entry(class_name="Lambda", config={"name": "l", "function": "os.system"}),
    "a Lambda with a module": entry(class_name="Lambda", module="keras.layers", config={"name": "l", "function": {"class_name": "function", "module": "os", "config": "system"}}),
    "a class of os": entry(module="os", class_name="system", registered_name="os>system"), "a class of builtins": entry(module="builtins", class_name="eval"),
    "a Dense of os": entry(module="os", registered_name="Dense"), "a registered Dense": entry(registered_name="evil>Dense"),
    "a module with ..": entry(module="keras.../../evil"), "a module of keras.evil": entry(module="keras.evil.this", class_name="s"),
    "an attribute of a class": entry(class_name="Dense.__init__"), "a private class": entry(class_name="__import__"),
    "an activation of os": option(activation={"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}),
    "an activation 'system'": option(activation="os.system"), "an activation that is code": option(activation={"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}),
    "an initializer of os": option(kernel_initializer={"module": "os", "class_name": "system", "config": {}}),
    "a regularizer of os": option(kernel_regularizer={"module": "os", "class_name": "system", "config": {"command": "touch /tmp/tarazu-was-here"}}),
    "a constraint of os": option(kernel_constraint={"module": "os", "class_name": "system", "config": {}}),
    "a model of os": config(lambda value: value.update(module="os", class_name="system")), "a model of a class of its own": config(lambda value: value.update(class_name="Mine", registered_name="mine>Mine")),
    "an optimizer of os": config(lambda value: value.update(compile_config={"optimizer": {"module": "os", "class_name": "system", "config": {}}, "loss": "mse"})),
    "a loss of os": config(lambda value: value.update(compile_config={"optimizer": "adam", "loss": {"module": "os", "class_name": "function", "config": "system"}})),
    "an operation of os": whole(made.functional(made.start(3) | {"name": "x", "inbound_nodes": []}, made.part("system", "a", "os", [of("x")]), inputs=["x", 0, 0], outputs=["a", 0, 0])),
    "a layer that loads a file": layers(made.part("TextVectorization", "t", vocabulary="/etc/passwd")), "a TFSMLayer": layers(made.part("TFSMLayer", "t", filepath="/etc")),
    "a wrapped layer of os": layers(made.part("TimeDistributed", "t", layer={"module": "os", "class_name": "system", "config": {}}))}
SIZES = {f"units={value!r:.30}": option(units=value) for value in
         (10**12, -1, 0, 1e308, float("nan"), float("inf"), "many", [1], None, {"a": 1}, True, 10**400)} | {
    f"input {value!r:.40}": option(0, batch_shape=value) for value in
    ([None, 10**12], [None, -3], [None, float("nan")], [None, "3"], [10**12, 3], "big", 7, [], [None, [3]], [None, *[1] * 10_000, 3], {"a": 1})} | {
    "a million repetitions": layers(made.part("RepeatVector", "r", n=10**12)), "a huge padding": layers(made.part("Reshape", "a", target_shape=[3, 1]), made.part("ZeroPadding1D", "p", padding=10**12)),
    "a negative padding": layers(made.part("Reshape", "a", target_shape=[3, 1]), made.part("ZeroPadding1D", "p", padding=-5)),
    "images made huge": layers(made.part("Reshape", "a", target_shape=[3, 1, 1]), made.part("UpSampling2D", "u", size=[10**6, 10**6], interpolation="nearest", data_format="channels_last")),
    "resized to 10^12": layers(made.part("Reshape", "a", target_shape=[3, 1, 1]), made.part("Resizing", "u", height=10**6, width=10**6, interpolation="bilinear", data_format="channels_last", crop_to_aspect_ratio=False)),
    "a shape of 10^12": layers(made.part("Reshape", "r", target_shape=[10**6, 10**6])), "a shape of texts": layers(made.part("Reshape", "r", target_shape=["a"])),
    "a permutation of 10^9": layers(made.part("Permute", "r", dims=[10**9])), "a dropout of 10": layers(made.part("Dropout", "d", rate=10.0)),
    "categories of 10^12": layers(made.part("CategoryEncoding", "c", num_tokens=10**12, output_mode="multi_hot")),
    "a pool of 10^12": layers(made.part("Reshape", "a", target_shape=[3, 1]), made.part("MaxPooling1D", "p", pool_size=[10**12], strides=[1], padding="valid", data_format="channels_last")),
    "a stride of 0": layers(made.part("Reshape", "a", target_shape=[3, 1]), made.part("MaxPooling1D", "p", pool_size=[1], strides=[0], padding="valid", data_format="channels_last")),
    "an equation that is long": layers(made.part("EinsumDense", "e", equation="ab," * 10_000 + "bc->ac", output_shape=[4], bias_axes=None))}
TYPES = {f"{key} is {value!r:.20}": config(lambda content, key=key, value=value: content.update({key: value}))
         for key in ("config", "class_name") for value in (None, [3], "x", 7, {"a": {"b": 1}})} | {
    f"layers are {value!r:.20}": config(lambda content, value=value: content["config"].update(layers=value)) for value in (None, 7, "x", {"a": 1}, [None], [[]], [7], [{}])} | {
    "a layer without a config": entry(config=None), "a layer of a list": entry(config=[1]), "a layer without a class": entry(class_name=None), "a class of 10 MB": entry(class_name="D" * 10**7),
    "a name of 10 MB": option(name="n" * 10**7), "a name with ..": option(name="../../etc/passwd"), "a name with zeros": option(name="a\0b"), "a dtype of objects": option(dtype="O"),
    "a dtype of texts": option(dtype={"class_name": "DTypePolicy", "config": {"name": "U1000000000"}}), "an argument more": option(run="os.system"),
    "no bias": option(use_bias=False), "a bias of text": option(use_bias="yes"), "a bias of 10^12": option(use_bias=10**12), "a build of 10^12": entry(build_config={"input_shape": [None, 10**12]}), "a quantized layer": option(quantization_config={"a": 1}),
    "50,000 layers more": config(lambda value: value["config"]["layers"].extend([made.part("Identity", "i")] * 50_000)),
    "a layer that is left out": config(lambda value: value["config"]["layers"].pop() and None), "a layer twice": config(lambda value: value["config"]["layers"].append(value["config"]["layers"][-1])),
    "a compile of texts": config(lambda value: value.update(compile_config="adam")), "models 20 deep": nested(20), "models 1,000 deep": nested(1000), "models 100,000 deep": nested(100_000)}
GRAPHS = {
    "a circle": graph(("a", [of("b")]), ("b", [of("a")])), "a call of itself": graph(("a", [of("a")])), "a call that is not there": graph(("a", [of("nowhere")])),
    "a call number of 10^12": graph(("a", [of("x", 10**12)])), "a negative position": graph(("a", [of("x", 0, -5)])), "a call of texts": graph(("a", [of("x", "0", "0")])), "an output that is not there": graph(("a", [of("x")]), outputs="nowhere"),
    "an input that is not there": graph(("a", [of("x")]), inputs="nowhere"), "two layers of a name": graph(("a", [of("x")]), ("a", [of("a")])),
    "a history of lists": graph(("a", [made.call({"class_name": "__keras_tensor__", "config": {"keras_history": [["x"], {}, 0]}})])), "a history of nothing": graph(("a", [made.call({"class_name": "__keras_tensor__", "config": {}})])),
    "an array of 10^12": graph(("a", [made.call({"class_name": "__numpy__", "config": {"value": 1, "dtype": "U1000000000"}})])), "an array of objects": graph(("a", [made.call({"class_name": "__numpy__", "config": {"value": [{}], "dtype": "O"}})])),
    "a slice of texts": graph(("a", [made.call({"class_name": "__slice__", "config": {"start": "a", "stop": {}, "step": 0}})])), "calls that are numbers": graph(("a", [7])), "a call without arguments": graph(("a", [{}])),
    "arguments of text": graph(("a", [{"args": "x", "kwargs": "y"}])), "doubled 60 times": graph(*((f"a{i}", [of(f"a{i - 1}" if i else "x")]) for i in range(60)), outputs="a59"),
    "20,000 layers backwards": graph(*((f"a{i}", [of(f"a{i + 1}")]) for i in range(20_000)), ("a20000", [of("x")]), outputs="a0"),
    "sizes that double": whole(made.functional(made.start(3) | {"name": "x", "inbound_nodes": []}, *(made.part("Concatenate", f"a{i}", calls=[made.call([made.tensor(f"a{i - 1}" if i else "x")] * 2)], axis=-1) for i in range(50)), inputs=["x", 0, 0], outputs=["a49", 0, 0])),
    "an operation over 10^12": whole(made.functional(made.start(3) | {"name": "x", "inbound_nodes": []}, made.part("BroadcastTo", "a", "keras.src.ops.numpy", [of("x")], shape=[10**6, 10**6, 3]), inputs=["x", 0, 0], outputs=["a", 0, 0]))}

# The weights


def hdf5(fill):
    """The damage that puts another HDF5 file in, with the layers' groups as `fill(file)` fills them."""
    return replaced(WEIGHTS, lambda: made.hdf5(fill))


def at(path, value=None, **options):
    """An HDF5 file with one dataset, made with these options."""
    return hdf5(lambda file: file.create_dataset(path, data=value, **options))


def linked(kind, *target):
    def fill(file):
        import h5py

        file["layers/dense/vars/0"] = getattr(h5py, kind)(*target)
    return hdf5(fill)


def _virtual(file):
    import h5py

    layout = h5py.VirtualLayout((3, 4), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (3, 4))
    file.create_virtual_dataset(KERNEL, layout)


def _circle(file):
    file["layers/again"] = file.create_group("layers")


def _references(file):
    import h5py

    file.create_dataset(KERNEL, (3, 4), dtype=h5py.ref_dtype)


def _texts(file):
    import h5py

    file.create_dataset(KERNEL, (3, 4), dtype=h5py.string_dtype())


def _named_type(file):
    file[KERNEL] = np.dtype("f4")


def _unknown_filter(file):
    import h5py

    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_chunk((3, 4))
    plan.set_filter(32_015, h5py.h5z.FLAG_OPTIONAL, (1,))
    file.create_group("layers/dense/vars")
    h5py.h5d.create(file["layers/dense/vars"].id, b"0", h5py.h5t.NATIVE_FLOAT, h5py.h5s.create_simple((3, 4)), plan)


def _many(file):
    for i in range(5_000):
        file.create_group(f"layers/dense/{i}")


KERNEL = "layers/dense/vars/0"
KERNEL_SIZES = {"shape": (3, 4), "dtype": "f4"}
ARRAYS = {
    "an external link": linked("ExternalLink", "/etc/passwd", "/x"), "an external link in ..": linked("ExternalLink", "../model.keras", "/x"),
    "a soft link": linked("SoftLink", "/layers/dense_1"), "a soft link to nothing": linked("SoftLink", "/nowhere"), "a soft link to itself": linked("SoftLink", f"/{KERNEL}"),
    "external storage": at(KERNEL, **KERNEL_SIZES, external=[("/etc/passwd", 0, 48)]), "external storage in ..": at(KERNEL, **KERNEL_SIZES, external=[("../x.bin", 0, 48)]),
    "a virtual dataset": hdf5(_virtual), "a circle of groups": hdf5(_circle), "object references": hdf5(_references), "texts of any length": hdf5(_texts), "a type in place of an array": hdf5(_named_type),
    "a kernel of 4 TB": at(KERNEL, shape=(2**20, 2**20), dtype="f4", chunks=(64, 64)), "a kernel of 2^62": at(KERNEL, shape=(2**31, 2**31), dtype="f4", chunks=(64, 64)),
    "a kernel of 4 TB, not chunked": at(KERNEL, shape=(2**20, 2**20), dtype="f4"), "a kernel that is filled": at(KERNEL, shape=(2**20, 2**10), dtype="f4", chunks=(64, 64), fillvalue=1.0),
    "a kernel packed 1,000 times": at(KERNEL, np.zeros((2**12, 2**12), np.float32), compression="gzip", chunks=(2**12, 2**12)), "packed with lzf": at(KERNEL, np.zeros((3, 4), np.float32), compression="lzf", chunks=(3, 4)),
    "an unknown filter": hdf5(_unknown_filter), "scaled and offset": at(KERNEL, np.zeros((3, 4), np.float32), scaleoffset=2, chunks=(3, 4)),
    "a compound type": at(KERNEL, np.zeros((3, 4), [("a", "f4"), ("b", "i8")])), "a type of arrays": at(KERNEL, shape=(3,), dtype=np.dtype(("f4", (4,)))), "opaque bytes": at(KERNEL, np.zeros((3, 4), "V16")),
    "texts": at(KERNEL, np.full((3, 4), b"x")), "complex numbers": at(KERNEL, np.zeros((3, 4), np.complex64)), "an empty dataset": at(KERNEL, dtype="f4"), "a number": at(KERNEL, 1.0),
    "another shape": at(KERNEL, np.zeros((4, 3), np.float32)), "40 axes": at(KERNEL, np.zeros((1,) * 32, np.float32)), "no columns": at(KERNEL, np.zeros((3, 0), np.float32)), "an array where a group is": at("layers", np.zeros(3)),
    "a group where an array is": hdf5(lambda file: file.create_group(KERNEL)), "no bias there": at(KERNEL, np.zeros((3, 4), np.float32)), "a layer that is not there": at("layers/lstm/vars/0", np.zeros(3)),
    "groups 150 deep": hdf5(lambda file: file.create_group("/".join(["g"] * 150))), "groups 5,000 deep": hdf5(lambda file: file.create_group("/".join(["g"] * 5_000))), "5,000 groups": hdf5(_many),
    "vars of 10^12": at(f"layers/dense/vars/{10**12}", np.zeros((3, 4), np.float32)), "nothing in it": hdf5(lambda file: None)}
MODELS = {**{f"config {name}": replaced(CONFIG, text) for name, text in (*JSONS.items(), ("of 100,000 objects", '{"a":' * 100_000 + "1" + "}" * 100_000), ("deep in a layer", '{"class_name": "Sequential", "config": {"layers": ' + DEEP + "}}"))},
          **{f"metadata {name}": replaced(METADATA, JSONS[name]) for name in ("nested 100,000 deep", "null", "a key twice", "comma too many")},
          **{f"{name} as weights": replaced(WEIGHTS, data) for name, data in (("noise", b"noise" * 400), ("nothing", b""), ("a pickle", b"\x80\x04cos\nsystem\n."), ("a Keras 2 head", b"\x89HDF\r\n\x1a\n" + bytes(range(200))))},
          **CODE, **SIZES, **TYPES, **GRAPHS, **ARRAYS}
