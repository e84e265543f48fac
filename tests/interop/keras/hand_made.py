"""Files in Keras's format, written without Keras: JSON and HDF5 in a zip archive."""

import io
import json
import zipfile

import numpy as np

FLOAT32 = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None}


def part(kind, name, module="keras.layers", calls=None, **config):
    """The config of a layer; of an operation without the arguments that all layers have."""
    content = {"module": module, "class_name": kind, "registered_name": None if module == "keras.layers" else kind,
               "config": {"name": name, **config}}
    if module == "keras.layers":
        content["config"] = {"trainable": True, "dtype": FLOAT32, **content["config"]}
    return content if calls is None else {**content, "name": name, "inbound_nodes": calls}


def start(*sizes, name="x", dtype="float32", **more):
    return part("InputLayer", name, batch_shape=[None, *sizes], dtype=dtype, **more)


def dense(units, name="dense", **config):
    return part("Dense", name, **{"units": units, "activation": "linear", "use_bias": True, "kernel_regularizer": None,
                                  "bias_regularizer": None, "kernel_constraint": None, "bias_constraint": None,
                                  "quantization_config": None, **config})


def sequential(*layers, compiled=None):
    content = {"module": "keras", "class_name": "Sequential", "registered_name": None,
               "config": {"name": "sequential", "trainable": True, "dtype": FLOAT32, "layers": list(layers)}}
    return content if compiled is None else {**content, "compile_config": compiled}


def tensor(name, call=0, position=0):
    return {"class_name": "__keras_tensor__", "config": {"shape": None, "dtype": "float32",
                                                         "keras_history": [name, call, position]}}


def call(*args, **kwargs):
    return {"args": list(args), "kwargs": kwargs}


def functional(*layers, inputs, outputs):
    return {"module": "keras.src.models.functional", "class_name": "Functional", "registered_name": "Functional",
            "config": {"name": "functional", "trainable": True, "layers": list(layers), "input_layers": inputs,
                       "output_layers": outputs}}


def hdf5(fill):
    """The bytes of an HDF5 file that `fill(file)` has filled."""
    import h5py

    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        fill(file)
    return memory.getvalue()


def weights(**groups):
    """The bytes of a file of weights; the names of groups have "__" for "/"."""
    def fill(file):
        for group, arrays in groups.items():
            for i, array in enumerate(arrays):
                file[f"{group.replace('__', '/')}/vars/{i}"] = np.asarray(array, np.float32)
    return hdf5(fill)


def write(path, config, content=b"", **members):
    """A `.keras` file; `members` are further ones, or in place of the usual."""
    text = config if isinstance(config, str) else json.dumps(config)
    usual = {"metadata.json": '{"keras_version": "3.15.1"}', "config.json": text, "model.weights.h5": content}
    with zipfile.ZipFile(path, "w", members.pop("compression", zipfile.ZIP_STORED)) as archive:
        for name, member in {**usual, **members}.items():
            if member is not None:
                archive.writestr(name, member)
    return path
