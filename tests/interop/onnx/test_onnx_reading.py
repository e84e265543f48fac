"""`tz.load` of ONNX files: what becomes of a model, and which files are refused."""

import contextlib
import re
from pathlib import Path

import numpy as np
import pytest

import tarazu as tz

pytestmark = pytest.mark.extras


@pytest.fixture
def helper():
    from onnx import helper
    return helper


@pytest.fixture
def images():
    return np.random.default_rng(1).normal(size=(2, 3, 8, 8)).astype(np.float32)


def test_a_network_of_convolutions_gives_what_onnxruntime_gives(tmp_path, images):
    import onnxruntime
    from onnx_models import convolutional, loaded

    proto = convolutional()
    model = loaded(proto, tmp_path)
    (expected,) = onnxruntime.InferenceSession(proto.SerializeToString()).run(None, {"x": images})
    for call in (model, tz.jit(model)):
        np.testing.assert_allclose(call(tz.tensor(images)).numpy(), expected, 1e-4, 1e-5)


def test_jitted_it_turns_images_once_and_no_kernel(tmp_path, images):
    from onnx_models import convolutional, loaded

    graph = str(tz.trace(loaded(convolutional(), tmp_path))(tz.tensor(images)))
    assert graph.count("transpose") <= 2  # the images, and the matrix of Gemm
    assert "conv" in graph


def test_a_kernel_whose_shape_is_read_is_turned_once_for_all(tmp_path, helper, images):
    """As torch.onnx writes it without optimizing: Shape and CastLike read the kernel too."""
    import onnxruntime
    from onnx_models import graph_of, loaded, proto_of

    kernel = np.random.default_rng(0).normal(size=(5, 3, 3, 2)).astype(np.float32)
    nodes = [helper.make_node("Shape", ["kernel"], ["sizes"], start=0, end=1),
             helper.make_node("CastLike", ["one", "kernel"], ["like"]),
             helper.make_node("Expand", ["like", "sizes"], ["bias"]),
             helper.make_node("Conv", ["x", "kernel", "bias"], ["y"]),
             helper.make_node("ReduceSum", ["kernel"], ["total"], keepdims=0)]
    proto = proto_of(graph_of(nodes, {"x": ["n", 3, 8, 8]}, {"y": ["n", 5, 6, 7], "total": [], "kernel": [5, 3, 3, 2]},
                              {"kernel": kernel, "one": 1.0}))
    fewer = proto_of(graph_of(nodes[:-1], {"x": ["n", 3, 8, 8]}, {"y": ["n", 5, 6, 7]}, {"kernel": kernel, "one": 1.0}))
    expected = onnxruntime.InferenceSession(proto.SerializeToString()).run(None, {"x": images})
    for one in (proto, fewer):
        model = loaded(one, tmp_path)
        for call in (model, tz.jit(model)):
            found = call(tz.tensor(images))
            for value, wanted in zip(found if one is proto else [found], expected, strict=False):
                np.testing.assert_allclose(value.numpy(), wanted, 1e-4, 1e-4)
    assert model.tensors["kernel"].shape == (3, 2, 3, 5)
    assert str(tz.trace(model)(tz.tensor(images))).count("transpose") == 2  # images, in and out


def test_initial_values_that_are_weights_are_parameters_by_their_names(tmp_path, images):
    from onnx_models import convolutional, loaded

    model = loaded(convolutional(), tmp_path)
    trained = {name for name, tensor in model.tensors.items() if isinstance(tensor, tz.nn.Parameter)}
    assert trained == {"kernel", "bias", "scale", "shift", "w", "b"}
    model(tz.tensor(images)).sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_halves_are_weights_and_their_largest_numbers_masks():
    from tarazu.interop.onnx.reading.weights import _is_weight

    assert _is_weight(np.ones((2, 2), np.float16), [("Add", 1)])
    assert not _is_weight(np.full((2, 2), -65504, np.float16), [("Add", 1)])


def test_it_is_fine_tuned_and_saved(tmp_path, images):
    from onnx_models import convolutional, loaded

    model = loaded(convolutional(), tmp_path)
    mean = model.constants["mean"].copy()
    model.compile(loss="cross_entropy", optimizer=tz.optim.Adam(lr=0.05))
    history = model.fit(images, np.array([1, 3]), epochs=30, verbose=0)
    assert history.rows[-1]["loss"] < 0.7 * history.rows[0]["loss"]
    np.testing.assert_array_equal(model.constants["mean"], mean)  # statistics stay
    model.save(tmp_path / "tuned.tz")
    np.testing.assert_array_equal(tz.load(tmp_path / "tuned.tz")(images).numpy(), model(images).numpy())


def test_shapes_are_known_while_it_is_traced(tmp_path, helper):
    """Reshape to what is computed of the shape of the input, as exporters write it."""
    from onnx_models import graph_of, loaded, proto_of

    nodes = [helper.make_node("Shape", ["x"], ["shape"]), helper.make_node("Gather", ["shape", "zero"], ["rows"]),
             helper.make_node("Concat", ["rows", "rest"], ["sizes"], axis=0),
             helper.make_node("Reshape", ["x", "sizes"], ["y"])]
    model = loaded(proto_of(graph_of(nodes, {"x": ["n", 2, 3]}, {"y": ["n", 6]},
                                     {"zero": np.array([0]), "rest": np.array([-1])})), tmp_path)
    assert tz.jit(model)(tz.ones(4, 2, 3)).shape == (4, 6)


def branching(helper):
    """x + 1 where its sum is above 0, else x * weight."""
    from onnx_models import graph_of, proto_of

    then = graph_of([helper.make_node("Add", ["x", "one"], ["a"])], {}, {"a": [2]}, {"one": np.float32([1])}, "then")
    other = graph_of([helper.make_node("Mul", ["x", "weight"], ["m"])], {}, {"m": [2]}, name="else")
    nodes = [helper.make_node("ReduceSum", ["x"], ["sum"], keepdims=0),
             helper.make_node("Greater", ["sum", "zero"], ["is_above"]),
             helper.make_node("If", ["is_above"], ["y"], then_branch=then, else_branch=other)]
    return proto_of(graph_of(nodes, {"x": [2]}, {"y": [2]}, {"zero": np.float32(0), "weight": np.float32([3, 3])}))


def test_a_branch_is_taken_by_what_is_computed(tmp_path, helper):
    from onnx_models import loaded

    model = loaded(branching(helper), tmp_path)
    for call in (model, tz.jit(model)):
        assert call(tz.tensor([1.0, 1.0])).tolist() == [2.0, 2.0]
        assert call(tz.tensor([-1.0, -1.0])).tolist() == [-3.0, -3.0]


def looping(helper, graph_of):
    body = graph_of([helper.make_node("Mul", ["h", "weight"], ["more"])], {"h": [2]}, {"more": [2]}, name="body")
    from onnx import TensorProto
    for place, (name, kind) in enumerate((("i", TensorProto.INT64), ("goes_on", TensorProto.BOOL))):
        body.input.insert(place, helper.make_tensor_value_info(name, kind, []))
    body.output.insert(0, helper.make_tensor_value_info("goes_on", TensorProto.BOOL, []))
    return body


def test_a_loop_is_differentiated(tmp_path, helper):
    from onnx_models import graph_of, loaded, proto_of

    node = helper.make_node("Loop", ["times", "", "x"], ["y"], body=looping(helper, graph_of))
    model = loaded(proto_of(graph_of([node], {"x": [2]}, {"y": [2]}, {"times": np.int64(3),
                                                                      "weight": np.float32([2, 2])})), tmp_path)
    for call in (model, tz.jit(model)):
        assert call(tz.ones(2)).tolist() == [8.0, 8.0]
    model(tz.ones(2)).sum().backward()
    assert model.tensors["weight"].grad.tolist() == [12.0, 12.0]


def long_loop(helper, rounds, operator="Add", gathers=False):
    """x (2) with one added so often, or what it was before each of the rounds."""
    from onnx_models import graph_of, proto_of

    body = looping(helper, graph_of)
    body.node[0].op_type = operator
    if gathers:
        body.output.append(helper.make_tensor_value_info("kept", 1, [2]))
        body.node.append(helper.make_node("Identity", ["h"], ["kept"]))
    node = helper.make_node("Loop", ["times", "", "x"], ["last", "y"] if gathers else ["y"], body=body)
    return proto_of(graph_of([node], {"x": [2]}, {"y": [rounds, 2] if gathers else [2]},
                             {"times": np.int64(rounds), "weight": np.float32([1, 1])}))


@pytest.mark.long
def test_a_loop_of_100000_rounds(tmp_path, helper):
    from onnx_models import loaded

    with tz.no_grad():
        assert loaded(long_loop(helper, 100_000), tmp_path)(tz.zeros(2)).tolist() == [1e5, 1e5]


def test_loops_are_bounded_by_their_work(tmp_path, helper, monkeypatch):
    from onnx_models import loaded

    from tarazu.interop.onnx.reading import bounds

    monkeypatch.setattr(bounds, "FREE_WORK", 2500 - 2 * 256 - 2)  # of which the input and the weights have a part
    for rounds, is_recorded, gathers in ((1250, False, False), (276, True, False), (625, False, True)):
        for more in (0, 2):
            model = loaded(long_loop(helper, rounds + more, gathers=gathers), tmp_path)
            model.tensors["weight"].requires_grad_(is_recorded)
            if more:
                with pytest.raises(tz.TarazuError, match="loops that run for far longer, or keep far more"):
                    model(tz.zeros(2))
            else:
                assert model(tz.zeros(2)).numpy().max() == rounds - gathers


def test_what_many_rounds_gather_is_in_order(tmp_path, helper):
    from onnx_models import loaded

    model = loaded(long_loop(helper, 2100, gathers=True), tmp_path)  # more than two blocks
    x = tz.zeros(2).requires_grad_()
    y = model(x)
    assert np.array_equal(y.numpy(), np.arange(2100, dtype=np.float32)[:, None].repeat(2, 1))
    y.sum().backward()
    assert x.grad.tolist() == [2100.0, 2100.0]


def test_functions_of_the_model_are_written_out(tmp_path, helper):
    from onnx_models import graph_of, loaded, proto_of

    twice = helper.make_function("own", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])],
                                 [helper.make_opsetid("", 21)])
    node = helper.make_node("Twice", ["x"], ["y"], domain="own")
    model = loaded(proto_of(graph_of([node], {"x": [2]}, {"y": [2]}), functions=[twice]), tmp_path)
    assert model(tz.ones(2)).tolist() == [2.0, 2.0]


def test_an_error_in_a_step_names_the_node(tmp_path, images):
    from onnx_models import convolutional, loaded

    with pytest.raises(tz.TarazuError, match="node 0, Conv/1"):
        loaded(convolutional(), tmp_path)(tz.ones(1, 4, 8, 8))


def test_the_page_says_what_happens(tmp_path, monkeypatch, capsys):
    from onnx_models import convolutional

    monkeypatch.chdir(tmp_path)
    Path("model.onnx").write_bytes(convolutional().SerializeToString())
    page = (Path(__file__).parents[3] / "docs" / "howto" / "load_onnx.md").read_text(encoding="utf-8")
    names = {}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(block, names)
    assert "OnnxModel(inputs=1, steps=7" in capsys.readouterr().out
    assert Path("tuned.tz").is_dir()


# Elements in files beside -----------------------------------------------------------------------------------------

def beside(helper, location, size=16, **entries):
    from onnx import TensorProto
    from onnx_models import graph_of, proto_of

    graph = graph_of([helper.make_node("Add", ["x", "w"], ["y"])], {"x": [4]}, {"y": [4]})
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[size // 4], data_location=TensorProto.EXTERNAL)
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=str(value))
    graph.initializer.append(tensor)
    return proto_of(graph)


def test_elements_in_a_file_beside_are_read(tmp_path, helper):
    from onnx_models import loaded

    np.arange(6, dtype=np.float32).tofile(tmp_path / "weights.bin")
    model = loaded(beside(helper, "weights.bin", offset=8, length=16), tmp_path)
    assert model(tz.zeros(4)).tolist() == [2.0, 3.0, 4.0, 5.0]


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/passwd", "", "missing.bin", "link.bin", "inner/up.bin"])
def test_elements_outside_of_the_folder_are_refused(tmp_path, helper, location):
    from onnx_models import loaded

    folder = tmp_path / "model"
    folder.mkdir()
    np.arange(4, dtype=np.float32).tofile(tmp_path / "weights.bin")
    (folder / "link.bin").symlink_to(tmp_path / "weights.bin")
    (folder / "inner").symlink_to(tmp_path)
    with pytest.raises(tz.TarazuError, match=r"(?s)tensor 'w' in the file .* a file in the folder of the model"):
        loaded(beside(helper, location), folder)


@pytest.mark.parametrize("entries", [{"size": 2**50}, {"offset": 8}, {"length": 8}, {"offset": -4}])
def test_sizes_that_do_not_fit_the_file_are_refused(tmp_path, helper, entries):
    from onnx_models import loaded

    np.arange(4, dtype=np.float32).tofile(tmp_path / "weights.bin")
    with pytest.raises(tz.TarazuError, match=r"tensor 'w' of shape .* bytes"):
        loaded(beside(helper, "weights.bin", **entries), tmp_path)


# Refused ----------------------------------------------------------------------------------------------------------

def test_what_is_no_model_is_refused(tmp_path):
    from onnx_models import convolutional, loaded

    whole = convolutional().SerializeToString()
    for content in (b"", b"no model", whole[:-200], whole[:100]):
        with pytest.raises(tz.TarazuError, match=r"model\.onnx: "):
            loaded(content, tmp_path)
    with pytest.raises(tz.TarazuError, match=r"missing\.onnx: there is no such file"):
        tz.load(tmp_path / "missing.onnx")


def test_damaged_files_give_errors_of_their_own_kind(tmp_path, helper):
    import random

    from onnx_models import convolutional, loaded

    draw = random.Random(0)
    wholes = [convolutional().SerializeToString(), branching(helper).SerializeToString(),
              calling(helper, ["f1", "f1"], []).SerializeToString(), beside(helper, "w.bin").SerializeToString()]
    for _ in range(200):
        content = bytearray(draw.choice(wholes))
        place = draw.randrange(min(len(content), draw.choice([400, 3000])))
        content[place:place + draw.choice([0, 1, 5])] = draw.randbytes(draw.choice([0, 1, 4]))
        with contextlib.suppress(tz.TarazuError):
            loaded(bytes(content), tmp_path)


def test_what_the_checker_finds_is_told(tmp_path, helper):
    from onnx_models import graph_of, loaded, proto_of

    graph = graph_of([helper.make_node("Add", ["x", "nowhere"], ["y"])], {"x": [2]}, {"y": [2]})
    with pytest.raises(tz.TarazuError, match="nowhere"):
        loaded(proto_of(graph), tmp_path)


def test_all_that_is_lacking_is_named_at_once(tmp_path, helper):
    from onnx import TensorProto
    from onnx_models import graph_of, loaded, proto_of

    text = helper.make_tensor("s", TensorProto.STRING, [1], ["a"])
    nodes = [helper.make_node("ImageDecoder", ["x"], ["h"]), helper.make_node("Constant", [], ["c"], value=text),
             helper.make_node("StringConcat", ["c", "c"], ["y"])]
    with pytest.raises(tz.TarazuError, match=r"elements of the type string, operator ImageDecoder, operator StringC"):
        loaded(proto_of(graph_of(nodes, {"x": [2]}, {"y": [2]})), tmp_path)


def test_a_type_that_is_lacking_is_named(tmp_path, helper):
    from onnx_models import graph_of, loaded, proto_of

    node = helper.make_node("Cast", ["x"], ["y"], to=17)
    model = loaded(proto_of(graph_of([node], {"x": [2]}, {"y": [2]})), tmp_path)
    with pytest.raises(tz.TarazuError, match="elements of the ONNX type float8e4m3fn"):
        model(tz.zeros(2))


def calling(helper, *calls):
    """Functions f0, f1, ... each with a node for each of the functions that it calls."""
    from onnx_models import graph_of, proto_of

    functions = []
    for i, names in enumerate(calls):
        nodes = [helper.make_node(name, ["a" if k == 0 else f"h{k}"], ["b" if k == len(names) - 1 else f"h{k + 1}"],
                                  domain="own") for k, name in enumerate(names)]
        functions.append(helper.make_function("own", f"f{i}", ["a"], ["b"], nodes or [
            helper.make_node("Neg", ["a"], ["b"])], [helper.make_opsetid("", 21), helper.make_opsetid("own", 1)]))
    node = helper.make_node("f0", ["x"], ["y"], domain="own")
    proto = proto_of(graph_of([node], {"x": [2]}, {"y": [2]}), functions=functions[:1])
    proto.functions.extend(functions[1:])
    return proto


def test_functions_without_an_end_or_nearly_so_are_refused(tmp_path, helper):
    from onnx_models import loaded

    with pytest.raises(tz.TarazuError, match="calls itself|Cycle detected"):
        loaded(calling(helper, ["f1"], ["f0"]), tmp_path)
    doubling = [[f"f{i + 1}"] * 10 for i in range(8)]
    with pytest.raises(tz.TarazuError, match="more than 1,000,000 operators"):
        loaded(calling(helper, *doubling, []), tmp_path)


def test_a_sparse_tensor_of_too_many_zeros_is_refused(tmp_path, helper):
    from onnx import TensorProto
    from onnx_models import graph_of, loaded, proto_of

    sparse = helper.make_sparse_tensor(helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0]),
                                       helper.make_tensor("i", TensorProto.INT64, [1], [5]), [2**20, 2**20])
    node = helper.make_node("Constant", [], ["y"], sparse_value=sparse)
    with pytest.raises(tz.TarazuError, match="a sparse tensor of shape"):
        loaded(proto_of(graph_of([node], {}, {"y": [2]})), tmp_path)
