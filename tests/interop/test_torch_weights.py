"""Weights of torch without torch: round trips, how layers are matched, files, and what errors and reports say."""

from __future__ import annotations

import itertools
import json
import re

import numpy as np
import pytest
from safetensors.numpy import save_file
from torch_pairs import PAIRS

import tarazu as tz
from tarazu.base.errors import ArgumentError, DTypeError, FileFormatError
from tarazu.interop import load_torch_weights, to_torch_state
from tarazu.nn import GRU, LSTM, BatchNorm, Conv2D, Dense, Embedding, Flatten, MultiHeadAttention, Sequential

DRAW = np.random.default_rng(0)


def random(*shape):
    return DRAW.normal(size=shape).astype("float32")


def linear(path, inputs, outputs):
    """torch's Linear in a state."""
    return {f"{path}.weight": random(outputs, inputs), f"{path}.bias": random(outputs)}


def layers(*sizes):
    return Sequential(*(Dense(b, in_features=a) for a, b in itertools.pairwise(sizes)))


@pytest.fixture(params=[name for name, pair in PAIRS.items() if pair.biases != "none"])
def twins(request):
    """Two layers of a kind with other weights, and inputs."""
    pair = PAIRS[request.param]
    inputs = [DRAW.integers(0, pair.codes, shape) if pair.codes else random(*shape) for shape in pair.shapes]
    made = []
    for _ in range(2):
        layer = pair.here()
        layer(*inputs)
        with tz.no_grad():
            for _, x in layer.named_tensors():
                x.copy_(np.abs(random(*x.shape)))
        made.append(layer.eval())
    return *made, inputs


def test_what_to_torch_state_gives_is_read_back(twins, tmp_path):
    one, other, inputs = twins
    state = to_torch_state(one)
    assert load_torch_weights(other, state).is_complete
    expected, y = one(*inputs), other(*inputs)
    expected, y = (x[0] if isinstance(x, tuple) else x for x in (expected, y))
    assert np.array_equal(expected.numpy(), y.numpy())
    again = to_torch_state(one, like=state)
    assert again.keys() == state.keys() and all(np.array_equal(again[name], x) for name, x in state.items())
    save_file(state, tmp_path / "model.safetensors")
    assert load_torch_weights(other, tmp_path / "model.safetensors").is_complete


# Layouts, by hand


def test_dense_is_transposed():
    model, state = layers(2, 3), linear("0", 2, 3)
    load_torch_weights(model, state)
    x = random(5, 2)
    np.testing.assert_allclose(model(x).numpy(), x @ state["0.weight"].T + state["0.bias"], rtol=1e-5)


def test_two_biases_are_added_and_missing_ones_are_zeros():
    model, weights = LSTM(3, in_features=2), {"weight_ih_l0": random(12, 2), "weight_hh_l0": random(12, 3)}
    load_torch_weights(model, {**weights, "bias_ih_l0": np.full(12, 2.0), "bias_hh_l0": np.full(12, 3.0)})
    assert model.bias.numpy().tolist() == [5.0] * 12
    load_torch_weights(model, weights)
    assert not model.bias.numpy().any()
    assert not to_torch_state(model)["bias_hh_l0"].any()


def test_layers_and_directions_of_one_recurrent_module_are_layers_here():
    def part(inputs, number):
        return {f"rnn.{name}_{number}": random(6, size) for name, size in (("weight_ih", inputs), ("weight_hh", 2))}

    model = Sequential(*(tz.nn.Bidirectional(GRU(2, True)) for _ in range(2)))
    model(random(1, 4, 3))
    state = {**part(3, "l0"), **part(3, "l0_reverse"), **part(4, "l1"), **part(4, "l1_reverse")}
    load_torch_weights(model, state)
    assert np.array_equal(model[1].backward_layer.weight.numpy(), state["rnn.weight_ih_l1_reverse"].T)


def test_places_behind_a_flatten_are_counted_by_place():
    model = Sequential(Conv2D(2, 1, in_channels=1), BatchNorm(2), Flatten(), Dense(1, in_features=8))
    state = {name: np.zeros(x.shape, "f") for name, x in to_torch_state(model).items()}
    state["3.weight"] = np.arange(8, dtype="f")[None]  # places 0 to 3 of channel 0, then of channel 1
    report = load_torch_weights(model, state)
    assert model[3].weight.numpy().ravel().tolist() == [0, 4, 1, 5, 2, 6, 3, 7]
    assert "transposed, flattened places of 2 channels" in str(report)
    load_torch_weights(model, state, flattened={"3": None})
    assert model[3].weight.numpy().ravel().tolist() == list(range(8))
    with pytest.raises(ArgumentError, match="no layer at '4'"):
        load_torch_weights(model, state, flattened={"4": 2})


@pytest.mark.parametrize("apart", [("q_proj", "k_proj", "v_proj", "out_proj"), ("self.query", "self.key", "self.value",
                                                                               "output.dense")])
def test_projections_of_attention_are_put_together(apart):
    model = Sequential(MultiHeadAttention(2, 4))
    state = {key: x for name in apart for key, x in linear(f"block.{name}", 4, 4).items()}
    report = load_torch_weights(model, state)
    assert np.array_equal(model[0].weight.numpy()[:, 4:8], state[f"block.{apart[1]}.weight"].T)
    assert report.is_complete and "{" in str(report)


def test_square_weights_are_transposed_unless_others_tell_that_inputs_come_first():
    square = random(3, 3)
    model = Sequential(Dense(3, in_features=3, bias=False), Dense(6, in_features=3, bias=False))
    load_torch_weights(model, {"0.weight": square, "1.weight": random(6, 3)})
    assert np.array_equal(model[0].weight.numpy(), square.T)
    load_torch_weights(model, {"0.weight": square, "1.weight": random(3, 6)})  # as GPT-2 has them
    assert np.array_equal(model[0].weight.numpy(), square)


# Matching


def test_names_with_something_in_front_are_the_same():
    class Net(tz.nn.Module):
        def __init__(self):
            self.head, self.body = Dense(2, in_features=2), layers(2, 2, 2)

    state = {**linear("model.body.0", 2, 2), **linear("model.body.1", 2, 2), **linear("model.head", 2, 2)}
    model = Net()
    report = load_torch_weights(model, state)
    assert np.array_equal(model.head.weight.numpy(), state["model.head.weight"].T)
    assert {x.by for x in report.placements} == {"names"}


def test_numbers_of_layers_count_by_position_where_they_do_not_agree():
    model, state = layers(2, 2, 2, 2), {**linear("0", 2, 2), **linear("2", 2, 2), **linear("4", 2, 2)}
    load_torch_weights(model, state)
    assert np.array_equal(model[2].weight.numpy(), state["4.weight"].T)  # though it has the name "2"


class Residual(tz.nn.Module):
    """Whose layers stand in another order than torch's."""

    def __init__(self):
        self.shortcut, self.one, self.two = (Dense(2, in_features=2) for _ in range(3))


def test_layers_in_another_order_need_names():
    state = {**linear("first", 2, 2), **linear("second", 2, 2), **linear("past", 2, 2), **linear("end", 2, 9)}
    model = Sequential(Dense(9, in_features=2), Residual())
    with pytest.raises(ArgumentError, match="say which is which") as caught:
        load_torch_weights(model, state)
    assert re.search(r"'1.shortcut' \(Dense\): may be '\w+' or another one of the same shapes", str(caught.value))
    names = {"1.shortcut": "past", "1.one": "first", "1.two": "second"}
    load_torch_weights(model, state, names=names)
    assert np.array_equal(model[1].shortcut.weight.numpy(), state["past.weight"].T)


def test_names_have_to_be_there():
    model, state = layers(2, 2, 2), {**linear("wide", 2, 2), **linear("narrow", 2, 2)}
    with pytest.raises(ArgumentError, match=r"names=\{'body': 'wide'\}: no path in the model has this part"):
        load_torch_weights(model, state, names={"body": "wide"})
    with pytest.raises(ArgumentError, match=r"'0' \(Dense; by names 'wid'\): may be '(wide|narrow)'"):
        load_torch_weights(model, state, names={"0": "wid"})


def test_the_same_path_counts_more_than_one_with_parts_in_front():
    class Net(tz.nn.Module):
        def __init__(self):
            self.body, self.end = {"end": Dense(2, in_features=2)}, Dense(2, in_features=2)

    model, state = Net(), {**linear("end", 2, 2), **linear("start", 2, 2), **linear("other", 1, 1)}
    load_torch_weights(model, state, strict=False)
    assert np.array_equal(model.end.weight.numpy(), state["end.weight"].T)
    assert not np.array_equal(model.body["end"].weight.numpy(), state["end.weight"].T)


def test_files_do_not_tell_the_order_of_words(tmp_path):
    state = {**linear("wide", 2, 2), **linear("narrow", 2, 2)}
    save_file(state, tmp_path / "model.safetensors")
    model = layers(2, 2, 2)
    load_torch_weights(model, state)
    assert np.array_equal(model[0].weight.numpy(), state["wide.weight"].T)
    with pytest.raises(ArgumentError, match="sorted by name and does not tell their order"):
        load_torch_weights(model, tmp_path)
    load_torch_weights(model, tmp_path, names={"0": "wide", "1": "narrow"})
    numbered = {**linear("9", 2, 2), **linear("10", 2, 2)}
    save_file(numbered, tmp_path / "model.safetensors")
    load_torch_weights(model, tmp_path)
    assert np.array_equal(model[0].weight.numpy(), numbered["9.weight"].T)


def test_shared_weights_may_be_there_twice():
    class Words(tz.nn.Module):
        def __init__(self):
            self.words = Embedding(5, 2)
            self.scores = self.words.as_output()

    words = random(5, 2)
    state = {"words.weight": words, "lm_head.weight": words}
    report = load_torch_weights(Words(), state)
    assert report.is_complete and "copies: 'lm_head.weight of words.weight'" in str(report)
    assert list(to_torch_state(Words(), like=state)) == list(state)
    apart = Sequential(Embedding(5, 2), Dense(5, in_features=2, bias=False))
    load_torch_weights(apart, state)
    assert np.array_equal(apart[1].weight.numpy(), words.T)


def test_a_body_without_its_head():
    model, state = layers(2, 3, 4), {**linear("0", 2, 3), **linear("1", 3, 9)}
    before = model[1].weight.numpy()
    with pytest.raises(ArgumentError, match="1 layer of the model and 1 layer of the state without a match") as caught:
        load_torch_weights(model, state)
    assert "'1' (Dense): the nearest is '1', where 1.weight has shape (9, 3) and (4, 3) would fit" in str(caught.value)
    assert np.array_equal(model[1].weight.numpy(), before)
    report = load_torch_weights(model, state, strict=False)
    assert report.missing == ("1.weight", "1.bias") and report.unused == ("1.weight", "1.bias")
    assert "2 of 4 tensors loaded\nmissing in the state: '1.weight', '1.bias'\nnot used: " in str(report)
    assert np.array_equal(model[0].weight.numpy(), state["0.weight"].T)


def test_a_head_of_another_task_is_not_taken_for_the_new_one():
    class Net(tz.nn.Module):
        def __init__(self):
            self.body, self.classifier = layers(3, 3), Dense(2, in_features=3)

    state = {**linear("bert.body.0", 3, 3), **linear("cls.seq_relationship", 3, 2)}
    report = load_torch_weights(Net(), state, strict=False)
    assert report.missing == ("classifier.weight", "classifier.bias")
    assert report.unused == ("cls.seq_relationship.weight", "cls.seq_relationship.bias")


# Errors that name what is near


@pytest.mark.parametrize(("model", "state", "said"), [
    (layers(2, 3), {"0.weight": random(3, 2)}, "the nearest, '0', lacks 'bias': a layer with bias=False fits"),
    (Sequential(Dense(3, in_features=2, bias=False)), linear("0", 2, 3),
     "the nearest, '0', has 'bias' in addition: a layer with bias=True fits"),
    (Sequential(Conv2D(4, 3, in_channels=2)), {"0.weight": random(3, 3, 2, 4), "0.bias": random(4)},
     "0.weight has shape (3, 3, 2, 4) and (4, 2, 3, 3) would fit, the same size in another order"),
    (Sequential(BatchNorm(2)), {"0.weight": random(2), "0.bias": random(2)},
     "the nearest, '0', lacks 'num_batches_tracked', 'running_mean', 'running_var'"),
    (Sequential(Embedding(3, 2)), {"tokens": random(9)}, "'0' (Embedding): nothing in the state is like it"),
    (layers(2, 3), {**linear("0", 2, 3), **linear("1", 3, 1)}, "the state also has '1.weight', '1.bias'"),
    (Sequential(MultiHeadAttention(2, 4)), {"0.in_proj_weight": random(12, 4), "0.out_proj.weight": random(4, 4)},
     "the nearest, '0', lacks 'in_proj_bias', 'out_proj.bias'")])
def test_errors_name_what_is_near(model, state, said):
    with pytest.raises(ArgumentError, match=re.escape(said)):
        load_torch_weights(model, state)


def test_a_bias_that_torch_has_no_place_for():
    model = LSTM(3, in_features=2)
    with pytest.raises(ArgumentError, match="'bias' is not 0, and the layer of torch"):
        to_torch_state(model, like={"weight_ih_l0": random(12, 2), "weight_hh_l0": random(12, 3)})


@pytest.mark.parametrize(("state", "error", "said"), [
    ({"state_dict": linear("0", 2, 3)}, ArgumentError, r"'state_dict' is a dict[\s\S]*state\['state_dict'\]"),
    ({"0.weight": "three"}, DTypeError, "the value of '0.weight' is a str"), (3, ArgumentError, "a int as a state"),
    (type("Module", (), {"state_dict": None})(), ArgumentError, r"module\.state_dict\(\)$"),
    ("model.pt", FileFormatError, r"a pickle, which can run any code[\s\S]*save_file"),
    ("model.safetensors", FileFormatError, "the file is missing")])
def test_what_is_no_state(state, error, said):
    with pytest.raises(error, match=said):
        load_torch_weights(layers(2, 3), state)


def test_a_model_that_has_seen_no_input():
    with pytest.raises(ArgumentError, match="has no parameters yet"):
        load_torch_weights(Sequential(Dense(3)), linear("0", 2, 3))


def test_buffers_that_say_nothing_are_left_out():
    state = {**linear("0", 2, 3), "embeddings.position_ids": np.arange(5), "h.0.attn.bias": np.ones((1, 1, 5, 5))}
    report = load_torch_weights(layers(2, 3), state)
    assert "left out, as nothing is learned in them: 'embeddings.position_ids', 'h.0.attn.bias'" in str(report)


def test_half_precision_becomes_that_of_the_model(tmp_path):
    import ml_dtypes

    state = {name: x.astype(ml_dtypes.bfloat16) for name, x in linear("0", 2, 3).items()}
    save_file(state, tmp_path / "model.safetensors")
    model = layers(2, 3)
    load_torch_weights(model, tmp_path)
    assert model[0].weight.dtype is tz.float32
    assert np.array_equal(model[0].weight.numpy(), state["0.weight"].T.astype("f"))


# Files in several parts


def shards(folder, file_of, **content):
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": file_of, **content}))


def test_a_state_in_several_files(tmp_path):
    state = linear("0", 2, 3)
    for i, (name, x) in enumerate(state.items()):
        save_file({name: x}, tmp_path / f"model-{i}.safetensors")
    shards(tmp_path, {name: f"model-{i}.safetensors" for i, name in enumerate(state)}, metadata={"total_size": 36})
    model = layers(2, 3)
    for path in (tmp_path, tmp_path / "model.safetensors.index.json"):
        assert load_torch_weights(model, path).is_complete
    assert np.array_equal(model[0].weight.numpy(), state["0.weight"].T)
    shards(tmp_path, {"0.weight": "model-0.safetensors", "0.bias": "model-0.safetensors"})
    with pytest.raises(FileFormatError, match="its files lack 1 tensor: '0.bias'"):
        load_torch_weights(model, tmp_path)


@pytest.mark.parametrize("name", ["../secret.safetensors", "/etc/x.safetensors", "a\\..\\b.safetensors", "model.bin",
                                  ""])
def test_paths_in_an_index_do_not_leave_its_folder(tmp_path, name):
    shards(tmp_path, {"0.weight": name})
    with pytest.raises(FileFormatError, match="names of .safetensors files in the folder of the index"):
        load_torch_weights(layers(2, 3), tmp_path)


@pytest.mark.parametrize(("text", "said"), [
    ("[" * 100000, "no JSON: lists and objects are nested too deep"), ("{", "no JSON: Expecting"),
    ("[]", "no index of tensors"), ('{"weight_map": {"a": 1}}', "no index of"),
])
def test_a_damaged_index(tmp_path, text, said):
    (tmp_path / "model.safetensors.index.json").write_text(text)
    with pytest.raises(FileFormatError, match=said):
        load_torch_weights(layers(2, 3), tmp_path)


def test_a_folder_without_weights(tmp_path):
    with pytest.raises(FileFormatError, match=r"no weights in this folder[\s\S]*model.safetensors.index.json"):
        load_torch_weights(layers(2, 3), tmp_path)
