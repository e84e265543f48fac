"""Devices of XLA: their names, tensors on them, operations, gradients, compiled functions and models there."""

import copy
import pickle

import numpy as np
import pytest
from helpers import compilations, same_bits

import tarazu as tz
from tarazu.base.errors import ArgumentError, DeviceError, ShapeError, TraceError

X = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)


def test_names():
    names = list(map(str, tz.devices()))
    assert names == ["cpu", *[f"xla:{i}" for i in range(8)]]
    assert tz.device("xla") == tz.device("xla:0") and str(tz.device("xla:3")) == "xla:3"
    assert [str(one) for one in tz.__array_namespace_info__().devices()] == names


@pytest.mark.parametrize(("spec", "text"), [
    ("gpu", r"no GPU: the installed jax has no CUDA plugin .*pip install 'tarazu\[cuda\]'"),
    ("cuda:1", "there is no device 'gpu:1': no GPU"),
    ("tpu", r"no TPU: .*pip install 'tarazu\[tpu\]'"),
    ("xla:8", "device 'xla:8' is not there"),
    ("moon", "there is no device 'moon'"), ("gpu:x", "there is no device 'gpu:x'"),
    ("gpo", "did you mean 'gpu'")])
def test_devices_that_are_not_there(spec, text):
    with pytest.raises(DeviceError, match=text):
        tz.device(spec)


def test_creation_and_movement():
    x = tz.tensor(X, device="xla:1")
    assert x.device == tz.device("xla:1") and same_bits(x.numpy(), X)
    assert same_bits(x.to("cpu").raw, X) and x.to("xla:2").device == tz.device("xla:2") and x.to("xla:1") is x
    assert repr(tz.ones(1, device="xla:0")) == "Tensor([1.], dtype=float32, device='xla:0')"
    made = [tz.zeros(2, device="xla:1"), tz.arange(3, device="xla:1"), tz.eye(2, device="xla:1"),
            tz.random.normal(3, device="xla:1"), tz.randn(2, requires_grad=True, device="xla:1"), tz.zeros_like(x),
            tz.full((2,), 3, device="xla:1"), tz.linspace(0, 1, 3, device="xla:1"), tz.asarray(X, device="xla:1")]
    assert {str(one.device) for one in made} == {"xla:1"} and made[4].is_leaf
    assert tz.zeros_like(x, device="cpu").device == tz.device("cpu")
    assert x.to_device("cpu").device == tz.device("cpu")


@pytest.mark.parametrize("dtype", ["float64", "int64", "bool", "bfloat16", "complex128", "uint8"])
def test_every_dtype_comes_and_goes(dtype):
    x = tz.asarray(X > 0).astype(dtype)
    back = x.to("xla:0")
    assert back.dtype == x.dtype and same_bits(back.numpy(), x.numpy())


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "complex128", "bool"])
@pytest.mark.parametrize("offset", [0, 16])
def test_large_arrays_come_and_go_in_any_layout(dtype, offset):
    room = np.arange(3 * 2**20 + 64, dtype=np.uint8)
    start = -room.ctypes.data % 64 + offset
    table = (room[start:start + 3 * 2**20] > 100).reshape(3, -1)
    large = tz.asarray(table).astype(dtype).numpy()
    for x in (large, large[:, ::2], large.T, large[::-1]):
        assert same_bits(tz.asarray(x, device="xla:1").numpy(), x)


def test_a_large_tensor_is_a_copy_of_the_array_that_it_was_made_of():
    x = np.zeros(2**19, np.float32)
    made = tz.tensor(x, device="xla:1")
    x[:] = 1
    assert not made.any()


def test_copies_and_pickles_keep_values():
    x = tz.tensor(X, device="xla:1", requires_grad=True)
    twin = copy.deepcopy(x)
    assert twin.device == x.device and twin.requires_grad and same_bits(twin.numpy(), X)
    assert same_bits(pickle.loads(pickle.dumps(x)).numpy(), X)
    assert same_bits(np.from_dlpack(y := tz.tensor(X, device="xla:0")), X) and y.device == tz.device("xla:0")
    assert x.tolist() == X.tolist() and float(x.sum()) == pytest.approx(float(X.sum()), rel=1e-5)


def test_operations_run_where_their_inputs_are():
    x = tz.tensor(X, device="xla:1")
    for y in (x + 1, x * X, tz.ones(8, 4) - x, x @ tz.ones(4), tz.softmax(x), x[1:, [0, 2]], tz.sort(x), x.mean(),
              tz.where(x > 0, x, 0.0), tz.linalg.vector_norm(x)):
        assert y.device == x.device
    np.testing.assert_allclose(tz.softmax(x).numpy(), tz.softmax(tz.tensor(X)).numpy(), rtol=1e-6)
    x[0] = 7.0
    x -= 1
    assert x.device == tz.device("xla:1") and x[0].tolist() == [6.0] * 4


def test_changes_in_place_stay_where_they_are():
    x, y = tz.tensor(X, device="xla:1"), tz.tensor(X)
    x.copy_(X + 1)
    y += tz.tensor(X, device="xla:1")
    assert x.device == tz.device("xla:1") and y.device == tz.device("cpu")
    assert same_bits(x.numpy(), X + 1) and same_bits(y.numpy(), X + X)


def test_two_devices_do_not_mix():
    with pytest.raises(DeviceError, match=r"on xla:1 and on xla:2 in one computation\n.*\n.*x\.to\(y\.device\)"):
        tz.ones(2, device="xla:1") + tz.ones(2, device="xla:2")
    w = tz.ones(2, device="xla:1")
    with pytest.raises(DeviceError, match="tensors on xla:2 and on xla:1"):
        tz.jit(lambda x: x + w)(tz.ones(2, device="xla:2"))


def test_errors_are_those_of_the_type_rules():
    with pytest.raises(ShapeError, match=r"shapes \(8, 4\) and \(3,\) do not broadcast"):
        tz.tensor(X, device="xla:0") + tz.ones(3)


def test_gradients_come_back_to_where_their_leaf_is():
    a, b = tz.tensor(X, requires_grad=True), tz.tensor(X, requires_grad=True, device="xla:1")
    (a.to("xla:1") * b).sum().backward()
    assert a.grad.device == tz.device("cpu") and b.grad.device == tz.device("xla:1")
    assert same_bits(a.grad.numpy(), X) and same_bits(b.grad.numpy(), X)
    second = tz.grad(lambda x: tz.grad(lambda x: (x**3).sum())(x).sum())(b.detach())
    np.testing.assert_allclose(second.numpy(), 6 * X, rtol=1e-6)


def test_jitted_functions_run_where_their_tensors_are():
    w = tz.randn(4, 3, device="xla:1")
    f = tz.jit(lambda x: tz.tanh(x @ w))
    for x in (X, tz.tensor(X), tz.tensor(X, device="xla:1")):
        assert f(x).device == tz.device("xla:1")
    with compilations(exactly=0):
        f(X + 1)
    on_cpu = tz.jit(lambda x: x * 2)
    assert on_cpu(tz.ones(2)).device == tz.device("cpu") and on_cpu(tz.ones(2, device="xla:3")).device.name == "xla:3"
    assert on_cpu.traces == 2
    assert on_cpu.retraces() == "it ran on cpu and runs now on xla:3"


def test_a_jitted_function_may_ask_for_the_device():
    f = tz.jit(lambda x: x + tz.ones(2, device=x.device))
    assert f(tz.ones(2, device="xla:2")).device == tz.device("xla:2")
    g = tz.jit(lambda x: x.to("xla:4") * 2)
    assert g(tz.ones(2)).device == tz.device("xla:4")
    with pytest.raises(DeviceError, match="tensors on xla:2 and on xla:4"):
        g(tz.ones(2, device="xla:2"))


def test_state_moves_with_the_program():
    w = tz.zeros(2)
    @tz.jit
    def step(x):
        w.add_(x)
    step(tz.ones(2, device="xla:1"))
    assert w.device == tz.device("xla:1") and w.tolist() == [1.0, 1.0]


def test_default_device():
    with tz.default_device("xla:3") as here:
        assert here == tz.device() == tz.ones(2).device == tz.asarray([1]).device == tz.device("xla:3")
        assert tz.nn.Dense(2, in_features=3).weight.device == here
        assert tz.jit(lambda: tz.zeros(2))().device == here and tz.jit(lambda x: x)(np.ones(2)).device == here
        assert tz.ones(2, device="cpu").device == tz.device("cpu")
    assert tz.ones(2).device == tz.device() == tz.device("cpu")
    tz.default_device("xla:1")
    try:
        assert tz.ones(2).device == tz.device("xla:1")
    finally:
        tz.default_device("cpu")


def test_differentiable_functions_run_on_the_default_device_too():
    w = tz.tensor(X, requires_grad=True)
    f = tz.jit(lambda x: (x * w).sum())
    with tz.default_device("xla:3"):
        y = f(tz.tensor(X, device="cpu"))
    assert y.device == tz.device("xla:3")
    y.backward()
    assert w.grad.device == tz.device("cpu") and same_bits(w.grad.numpy(), X)


def test_all_options_of_optimizers():
    histories = {}
    for where in ("cpu", ["xla:0", "xla:1"]):
        tz.random.seed(0)
        model = tz.nn.Sequential([tz.nn.Dense(4, "relu", in_features=4), tz.nn.Dense(1, in_features=4)])
        rate = tz.optim.in_epochs(tz.optim.step_decay(0.1, 0.5, every=2))
        optimizer = tz.optim.NAdam(lr=rate, accumulate_steps=2, ema=0.9, constraint=tz.optim.MaxNorm(2.0),
                                   groups={"*.bias": {"lr_factor": 0.1, "weight_decay": 0.1}})
        model.compile(optimizer, "mse", regularizer={"*.weight": tz.optim.L2(1e-3)})
        history = model.fit(X, X[:, :1], epochs=6, batch_size=2, seed=0, verbose=0, validation_data=(X, X[:, :1]),
                            devices=where)
        histories[str(where)] = history.history["val_loss"]
    first, second = histories.values()
    np.testing.assert_allclose(second, first, rtol=1e-4)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_mixed_precision(precision):
    histories = {}
    for where in ("cpu", "xla:1", "all"):
        tz.random.seed(0)
        model = tz.nn.Sequential([tz.nn.Dense(16, "relu"), tz.nn.BatchNorm(), tz.nn.Dense(1)])
        model.compile(tz.optim.Adam(lr=0.05), "mse", precision=precision)
        histories[where] = model.fit(X, X[:, :1], epochs=30, batch_size=8, verbose=0, devices=where).history["loss"]
        assert {str(x.dtype) for x in model.parameters()} == {"float32"}
        assert "dot" in str(model._trainer.train_chunk.graph) and precision in str(model._trainer.train_chunk.graph)
    if precision == "bfloat16":
        np.testing.assert_allclose(histories["xla:1"], histories["cpu"], rtol=0.05, atol=0.05)
        np.testing.assert_allclose(histories["all"], histories["xla:1"], rtol=0.05, atol=0.05)
    else:  # which step is the first not to overflow is a matter of last bits
        assert all(history[-1] < 0.05 * history[0] for history in histories.values())


def test_many_rows_come_in_one_order_wherever_they_are_trained_on():
    x = np.random.default_rng(1).normal(size=(5000, 4)).astype(np.float32)
    histories, states = [], []
    for where in ("cpu", "xla:1"):
        with tz.default_device(where):
            tz.random.seed(0)
            model = tz.nn.Sequential([tz.nn.Dense(4, "tanh"), tz.nn.Dropout(0.5), tz.nn.Dense(1)]).compile("sgd", "mse")
            histories.append(model.fit(x, x[:, :1], epochs=3, batch_size=64, verbose=0).history["loss"])
            states.append(tz.random.default.state.numpy())
    np.testing.assert_allclose(histories[1], histories[0], rtol=1e-5)
    assert same_bits(*states)


def test_random_numbers_are_the_same_everywhere():
    drawn = []
    for device in ("cpu", "xla:1"):
        tz.random.seed(5)
        f = tz.jit(lambda x: tz.random.normal((3, 5)) + tz.random.uniform((3, 5)) * x)
        drawn.append((f(tz.ones(1, device=device)).numpy(), tz.random.default.state.numpy()))
    np.testing.assert_allclose(drawn[0][0], drawn[1][0], rtol=2e-6, atol=1e-6)
    assert same_bits(drawn[0][1], drawn[1][1])


def test_debug_nans_works_on_tensors_of_a_device():
    with tz.debug_nans(), pytest.raises(FloatingPointError, match="log gave NaN"):
        tz.log(tz.tensor([-1.0], device="xla:1"))


def test_models_move_with_their_optimizer():
    model = tz.nn.Sequential([tz.nn.Dense(3), tz.nn.BatchNorm()]).compile("adam", "mse")
    model.fit(X, X[:, :3], epochs=1, verbose=0)
    assert model.to("xla:1") is model
    where = {str(x.device) for _, x in [*model.named_tensors(), *model._trainer.optimizer.named_state()]}
    assert where == {"xla:1"} and all(x.requires_grad and x.is_leaf for x in model.parameters())
    loss = ((model(tz.asarray(X)) - 1)**2).mean()
    loss.backward()
    assert model[0].weight.grad.device == tz.device("xla:1")
    model.to("cpu")
    assert model[0].weight.grad.device == model[0].weight.device == tz.device("cpu")
    with pytest.raises(TraceError, match="moved inside a traced function"):
        tz.jit(lambda x: model.to("cpu")(x))(X)


def test_an_own_loop_and_a_saved_model(tmp_path):
    model = tz.nn.Sequential([tz.nn.Dense(16, "tanh", in_features=4), tz.nn.Dense(1)])
    model(X[:1])
    model.to("xla:2")
    optimizer = tz.optim.Adam(model.parameters(), lr=0.05)
    @tz.jit
    def step(x, y):
        optimizer.zero_grad()
        loss = tz.nn.mse(model(x), y)
        loss.backward()
        optimizer.step()
        return loss
    losses = [float(step(X, X[:, :1])) for _ in range(60)]
    assert losses[-1] < 0.05 * losses[0] and step.traces <= 2
    model.save(tmp_path / "model.tz")
    np.testing.assert_allclose(tz.load(tmp_path / "model.tz").predict(X).numpy(), model.predict(X).numpy(), rtol=1e-5,
                               atol=1e-6)


def test_fit_goes_where_the_model_is():
    def losses(**where):
        tz.random.seed(0)
        model = tz.nn.Sequential([tz.nn.Dense(16, "relu"), tz.nn.Dropout(0.2), tz.nn.Dense(1)]).compile("adam", "mse")
        history = model.fit(X, X[:, :1], epochs=5, batch_size=3, verbose=0, **where)
        return model[0].weight.device, [row["loss"] for row in history.rows]
    (_, plain), (device, other) = losses(), losses(devices="xla:1")
    assert str(device) == "xla:1"
    np.testing.assert_allclose(other, plain, rtol=1e-5)
    with tz.default_device("xla:2"):
        device, other = losses()
    assert str(device) == "xla:2"
    np.testing.assert_allclose(other, plain, rtol=1e-5)


def test_the_command(tmp_path, monkeypatch):
    from click.testing import CliRunner

    from tarazu.cli.main import main
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text("a,b,y\n" + "".join(f"{i % 7},{i % 5},{i % 7 > 3}\n" for i in range(60)))
    done = CliRunner().invoke(main, ["fit", "t.csv", "--target", "y", "--epochs", "3", "--device", "xla:1", "--quiet"])
    assert done.exit_code == 0, done.output
    failed = CliRunner().invoke(main, ["fit", "t.csv", "--target", "y", "--device", "gpu"])
    assert failed.exit_code == 2 and "pip install 'tarazu[cuda]'" in failed.output


def test_without_jax(monkeypatch):
    import builtins

    from tarazu import backend
    real = builtins.__import__
    def missing(name, *rest):
        if name == "jax" or name.startswith("jax."):
            raise ModuleNotFoundError("No module named 'jax'", name="jax")
        return real(name, *rest)
    monkeypatch.setattr(builtins, "__import__", missing)
    monkeypatch.setattr("importlib.import_module", lambda name: missing("jax"))
    with pytest.raises(DeviceError, match=r"jax is not installed\n.*jax 0.10 or newer\n.*tarazu\[cuda\]"):
        backend.load.__wrapped__("xla")


def test_mesh_errors():
    with pytest.raises(ArgumentError, match=r"mesh\(data=3, model=4\) of 8 devices"):
        tz.mesh(data=3, model=4)
    with pytest.raises(DeviceError, match="a mesh with the plain CPU"):
        tz.mesh(data=1, devices=["cpu"])
    assert tz.mesh(data=-1, model=2).axes == (("data", 4), ("model", 2))
    assert repr(tz.mesh(data=2)) == "tarazu.mesh(data=2)" and tz.mesh(data=2).devices == ("xla:0", "xla:1")
