"""Files of weights alone: what fits is taken over whole, and what does not is named and changes nothing."""

import numpy as np
import pytest
from helpers import same_bits
from own_layers import Branches
from safetensors.numpy import load_file, save_file

import tarazu as tz
from tarazu.base.errors import ArgumentError, DTypeError, FileFormatError, ShapeError
from tarazu.nn import BatchNorm, Dense, Sequential

X = np.random.default_rng(3).normal(size=(20, 4)).astype(np.float32)


def built():
    model = Sequential([Branches(4), BatchNorm(), lambda x: x * 2])  # a model that cannot be saved whole
    model(tz.asarray(X))
    return model


def test_weights_go_into_another_model(tmp_path):
    model, other = built(), built()
    model.save_weights(tmp_path / "weights.safetensors")
    other.load_weights(tmp_path / "weights.safetensors")
    assert same_bits(other.predict(X), model.predict(X))
    assert list(load_file(tmp_path / "weights.safetensors")) == sorted(model.state_dict())
    assert [path.name for path in tmp_path.iterdir()] == ["weights.safetensors"]


def test_tied_weights_are_written_once_and_stay_tied(tmp_path):
    models = []
    for _ in range(2):
        layer = Dense(4, in_features=4)
        models.append(Sequential([layer, layer]))
    models[0].save_weights(tmp_path / "weights")
    models[1].load_weights(tmp_path / "weights")
    assert models[1][0] is models[1][1] and same_bits(models[0].predict(X), models[1].predict(X))


def test_frozen_and_half_weights_keep_what_they_are(tmp_path):
    model, other = Dense(2, in_features=4), Dense(2, in_features=4)
    for each in (model, other):
        each.weight = tz.nn.Parameter(tz.random.normal((4, 2)).astype("bfloat16"))
    other.bias.requires_grad_(False)
    model.save_weights(tmp_path / "weights")
    other.load_weights(tmp_path / "weights")
    assert same_bits(model.weight.detach(), other.weight.detach()) and not other.bias.requires_grad


def test_a_saved_model_is_a_file_of_weights_too(tmp_path):
    model, other = Dense(2, in_features=4), Dense(2, in_features=4)
    model.save(tmp_path / "model")
    other.load_weights(tmp_path / "model")
    assert same_bits(model.weight.detach(), other.weight.detach())


def written(folder, change):
    """The path of a file of the weights of a Dense(2, in_features=4), after `change` of its arrays."""
    arrays = {"weight": np.ones((4, 2), np.float32), "bias": np.ones(2, np.float32)}
    change(arrays)
    save_file(arrays, folder / "weights")
    return folder / "weights"


MISFITS = {
    "another name": (lambda a: a.update(bais=a.pop("bias")), ArgumentError,
                     r"missing bias; not known bais\n.*\n  to mend it: 'bais' may be 'bias' here; make the model"),
    "a prefix": (lambda a: [a.update({f"module.{k}": a.pop(k)}) for k in list(a)], ArgumentError,
                 r"'module.bias' may be 'bias' here; 'module.weight' may be 'weight' here"),
    "a name too few": (lambda a: a.pop("bias"), ArgumentError, "missing bias; not known nothing"),
    "another shape": (lambda a: a.update(weight=np.ones((4, 3), np.float32)), ShapeError,
                      r"weight in the state has shape \(4, 3\)\n  expected: shape \(4, 2\)\n  to mend it: make the"),
    "transposed": (lambda a: a.update(weight=np.ones((2, 4), np.float32)), ShapeError,
                   r"weight in the state has shape \(2, 4\)\n.*\n  to mend it: it is transposed, as torch has weights"),
    "two shapes": (lambda a: a.update({k: v[:1] for k, v in a.items()}), ShapeError, r"shape \(1, 2\) \(2 differ\)"),
    "another dtype": (lambda a: a.update(bias=a["bias"].astype(np.float64)), DTypeError,
                      "bias in the file is float64\n  expected: float32\n.*casts"),
}


@pytest.mark.parametrize(("change", "kind", "text"), MISFITS.values(), ids=MISFITS)
def test_what_does_not_fit_is_named_and_changes_nothing(tmp_path, change, kind, text):
    layer = Dense(2, in_features=4)
    before = layer.weight.tolist()
    with pytest.raises(kind, match=text):
        layer.load_weights(written(tmp_path, change))
    assert layer.weight.tolist() == before and layer.bias.tolist() == [0, 0]


def test_files_that_are_none(tmp_path):
    layer = Dense(2, in_features=4)
    with pytest.raises(FileFormatError, match="weights: the file is missing"):
        layer.load_weights(tmp_path / "weights")
    (tmp_path / "weights").write_bytes(b"no tensors")
    with pytest.raises(FileFormatError, match="damaged or cut short"):
        layer.load_weights(tmp_path / "weights")
    with pytest.raises(ArgumentError, match="is a folder\n.*\n.*weights.safetensors"):
        layer.save_weights(tmp_path)


def test_layers_without_weights_yet(tmp_path):
    for act in (Dense(2).save_weights, Dense(2).load_weights):
        with pytest.raises(ArgumentError, match="'Dense' has no parameters yet"):
            act(tmp_path / "weights")


def test_missing_folders_are_made(tmp_path):
    layer = tz.nn.Dense(1, in_features=2)
    layer.save_weights(tmp_path / "new" / "folder" / "w.safetensors")
    layer.load_weights(tmp_path / "new" / "folder" / "w.safetensors")
