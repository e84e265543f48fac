# ruff: noqa: E501
"""A good file, or folder, of every format that is read, small: what the damages start from."""

import gzip
import io
import json
import sys
import tarfile
from pathlib import Path

import numpy as np

import tarazu as tz
from tarazu.interop.torch_weights.shards import INDEX
from tarazu.record import History
from tarazu.train.callbacks import checkpoint_folder

sys.path.append(str(Path(__file__).parents[1] / "interop" / "keras"))

ROWS = "".join(f"{i},{i * i % 7},{'abc'[i % 3]},{'no' if i % 2 else 'yes'}\n" for i in range(60))
CSV = f"size,weight,kind,answer\n{ROWS}".encode()


def model():
    return tz.nn.Sequential([tz.nn.Dense(4, activation="relu", in_features=3), tz.nn.Dense(2)])


def write_model(path):
    made = model()
    made.compile(tz.optim.Adam(lr=0.01), "cross_entropy")
    made(tz.zeros(1, 3))
    made.save(path)


def write_sharded(path):
    from safetensors.numpy import save_file

    path.mkdir()
    save_file({"weight": np.ones((3, 4), np.float32)}, path / "one.safetensors")
    save_file({"bias": np.ones(4, np.float32)}, path / "two.safetensors")
    (path / INDEX).write_text(json.dumps({"weight_map": {"weight": "one.safetensors", "bias": "two.safetensors"}}))


def write_weights(path):
    tz.train.save_weights(tz.nn.Dense(2, in_features=3), path)


def write_checkpoint(path):
    checkpoint_folder.write(path, "1", {"epoch": 1, "rows": [1.0, float("nan")]}, [("w", tz.ones(3))])


def write_run(path):
    table = path.with_name("run.csv")
    table.write_bytes(CSV)
    tz.fit_table(table, "answer", epochs=1, hidden=4, verbose=False).save(path)


def write_history(path):
    history = History()
    history.append(loss=0.5, val_loss=0.6)
    history.append(loss=0.4, val_loss=float("nan"))
    history.save(path)


def write_parquet(path):
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.table({"size": list(range(60)), "kind": list("abc") * 20, "weight": [0.5] * 60})
    pyarrow.parquet.write_table(table, path, compression="gzip")


def idx(*shape, data=None):
    return b"\0\0\x08" + bytes([len(shape)]) + np.array(shape, ">u4").tobytes() + (
        bytes(int(np.prod(shape))) if data is None else data)


def cifar(members=None):
    """The archive of CIFAR-10 with two images in each file."""
    names = [f"cifar-10-batches-bin/{name}.bin" for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")]
    return tar({name: bytes(2 * 3073) for name in names} if members is None else members)


def tar(members, compress=gzip.compress):
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return compress(memory.getvalue())


def image(kind="PNG", size=(12, 8), mode="RGB", **options):
    from PIL import Image

    memory = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(memory, kind, **options)
    return memory.getvalue()


def write_keras(path):
    import hand_made

    config = hand_made.sequential(hand_made.start(3), hand_made.dense(4), hand_made.dense(2, "dense_1"))
    weights = hand_made.weights(layers__dense=[np.ones((3, 4)), np.zeros(4)],
                                layers__dense_1=[np.ones((4, 2)), np.zeros(2)])
    hand_made.write(path, config, weights)


def write_onnx(path):
    tz.export(model(), path, tz.zeros(1, 3))


def write_stablehlo(path):
    tz.export(model(), path, tz.zeros(1, 3))


GOOD = {
    "model folder": ("model.tz", write_model), "weights": ("weights.safetensors", write_weights),
    "sharded weights": ("sharded", write_sharded), "checkpoint": ("checkpoint", write_checkpoint),
    "run folder": ("run", write_run), "history": ("history.jsonl", write_history),
    "CSV": ("table.csv", lambda path: path.write_bytes(CSV)),
    "gzipped CSV": ("table.csv.gz", lambda path: path.write_bytes(gzip.compress(CSV))),
    "Parquet": ("table.parquet", write_parquet),
    "streamed CSV": ("stream.csv", lambda path: path.write_bytes(CSV)), "streamed Parquet": ("stream.parquet", write_parquet),
    "idx": ("images-idx3-ubyte", lambda path: path.write_bytes(idx(2, 3, 4))),
    "CIFAR archive": ("cifar.tar.gz", lambda path: path.write_bytes(cifar())),
    "image": ("image.png", lambda path: path.write_bytes(image())),
    "Keras": ("model.keras", write_keras), "ONNX": ("model.onnx", write_onnx),
    "StableHLO": ("model.stablehlo", write_stablehlo)}
EXTRAS, XLA = ("Keras", "ONNX"), ("StableHLO",)
DEFAULT = tuple(name for name in GOOD if name not in (*EXTRAS, *XLA))
MAIN_FILE = {"model folder": "model.json", "sharded weights": INDEX, "checkpoint": "checkpoint.json", "run folder": "model.json"}


def write_good(folder, formats):
    """The good files of these formats, in a folder; their paths by format."""
    paths = {}
    for format_ in formats:
        name, write = GOOD[format_]
        paths[format_] = folder / name
        write(paths[format_])
    return paths
