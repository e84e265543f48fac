"""`Imported`: models as steps on named values, whatever framework described them."""

import gc
import weakref
from typing import ClassVar

import numpy as np
import pytest

import tarazu as tz
from tarazu.interop.imported import Body, Imported, Ref, Step
from tarazu.ops.contract import matmul
from tarazu.ops.elementwise import add


def both(x):
    return x, -x


def repeated(x, times, function):
    for _ in range(times):
        x = function(x)
    return x


class Small(Imported):
    """With four operations of a framework that has no more."""

    operations: ClassVar = {"matmul": matmul, "add": add, "both": both, "repeated": repeated}


def step(operation, arguments, results, **options):
    return Step(operation, arguments, options, results, f"line {operation}")


def small(**others):
    """x w + b, and what it is with the other sign."""
    steps = [step("matmul", (Ref("x"), Ref("w")), ("h",)), step("add", (Ref("h"), Ref("b")), ("y",)),
             step("both", (Ref("y"),), ("", "z"))]
    tensors = {"w": tz.nn.Parameter([[1.0], [2.0]]), "b": tz.tensor([0.5])}
    return Small(["x"], {"y": Ref("y"), "others": [Ref("z")]}, steps, tensors, **others)


def line():
    steps = [step("matmul", (Ref("x"), Ref("w")), ("y",))]
    return Small(["x"], Ref("y"), steps, {"w": tz.nn.Parameter([[1.0], [2.0]])})


def test_outputs_are_nested_as_described_in_a_call_and_jitted():
    model = small()
    for call in (model, tz.jit(model)):
        result = call(tz.ones(3, 2))
        assert result["y"].shape == (3, 1)
        assert result["others"][0].numpy()[0, 0] == -3.5


def test_it_takes_arrays():
    assert small()(np.ones((1, 2), np.float32))["y"].numpy() == 3.5


def test_its_parameters_are_those_among_its_tensors_and_get_gradients():
    model = small()
    assert [p.shape for p in model.parameters()] == [(2, 1)]
    model(tz.ones(3, 2))["y"].sum().backward()
    assert model.tensors["w"].grad.tolist() == [[3.0], [3.0]]
    assert model.tensors["b"].grad is None


def test_it_is_trained():
    model, x = line(), tz.random.normal((64, 2))
    model.compile(loss="mse", optimizer=tz.optim.SGD(lr=0.1))
    model.fit(x, x @ tz.tensor([[3.0], [-1.0]]), epochs=20, verbose=0)
    np.testing.assert_allclose(model.tensors["w"].numpy(), [[3.0], [-1.0]], atol=0.2)


def test_it_is_saved_and_loaded(tmp_path):
    model = small()
    with tz.no_grad():
        model.tensors["w"] *= 2
    model.save(tmp_path / "small.tz")
    loaded = tz.load(tmp_path / "small.tz", custom_objects={"Small": Small})
    assert loaded.steps == model.steps
    assert isinstance(loaded.tensors["w"], tz.nn.Parameter)
    assert loaded(tz.ones(1, 2))["y"].numpy() == 6.5


def test_an_operation_calls_a_body_which_reads_values_around_it(tmp_path):
    body = Body(("h",), Ref("more"), (step("add", (Ref("h"), Ref("w")), ("more",)),))
    steps = [step("both", (Ref("x"),), ("y",)), step("repeated", (Ref("y"), 3), ("z",), function=body)]
    model = Small(["x"], Ref("z"), steps, {"w": tz.nn.Parameter([2.0])})
    assert model(tz.ones(1)).tolist() == [7.0]
    model.save(tmp_path / "small.tz")
    assert tz.load(tmp_path / "small.tz", custom_objects={"Small": Small})(tz.ones(1)).tolist() == [7.0]


def test_an_error_says_where_its_step_stood():
    with pytest.raises(tz.TarazuError) as caught:
        small()(tz.ones(3, 5))
    assert "line matmul, matmul: matmul: shapes (3, 5)" in str(caught.value)


def test_an_error_of_python_in_a_step_says_where_too():
    model = Small(["x"], Ref("y"), [step("add", (Ref("x"),), ("y",))], {})
    with pytest.raises(tz.TarazuError, match="line add, add: .*missing"):
        model(tz.ones(3))


def test_another_number_of_inputs_is_refused():
    with pytest.raises(tz.TarazuError, match="0 inputs\n  expected: 1: x"):
        small()()


def test_values_go_after_their_last_read():
    alive = []

    def noted(x):
        gc.collect()
        alive.append(sum(reference() is not None for reference in seen))
        y = x + 1
        seen.append(weakref.ref(y.raw))
        return y

    class Chain(Imported):
        operations: ClassVar = {"noted": noted}

    seen = []
    steps = [step("noted", (Ref(f"x{i}"),), (f"x{i + 1}",)) for i in range(5)]
    with tz.no_grad():
        Chain(["x0"], Ref("x5"), steps, {})(tz.zeros(3))
    assert alive == [0, 1, 1, 1, 1]
