"""Tensors and models over a mesh of devices, and training over it: the same numbers as on one device."""

import functools

import numpy as np
import pytest
from helpers import compilations

import tarazu as tz
from tarazu.base.errors import ArgumentError, ShapeError

draw = np.random.default_rng(0)
X = draw.normal(size=(530, 20)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] > 0).astype(int)
STEPS = 20


def parts(x):
    return {shard.data.shape for shard in x.raw.addressable_shards}


def test_shard():
    mesh = tz.mesh(data=4, model=2)
    x = tz.shard(X[:8], mesh, ("data", "model"))
    assert parts(x) == {(2, 10)} and str(x.device) == "mesh(data=4, model=2) ('data', 'model')"
    assert parts(tz.shard(X[:8], mesh, (("data", "model"),))) == {(1, 20)} and parts(tz.shard(X[:8], mesh)) == {(8, 20)}
    assert tz.zeros_like(x).device == x.device and x.to(mesh).device == tz.shard(X[:8], mesh, ()).device
    np.testing.assert_allclose((x @ X[:3].T).numpy(), X[:8] @ X[:3].T, rtol=1e-4, atol=1e-5)
    assert x.to("cpu").device == tz.device("cpu") and "mesh(data=4, model=2)" in repr(x)


@pytest.mark.parametrize(("spec", "error", "text"), [
    (("data", "row"), ArgumentError, "axis 'row' of tarazu.mesh.*\n.*one of data, model"),
    (("data", "data"), ShapeError, "each axis of the mesh once"),
    (("data", None, None), ShapeError, r"spec .* for a tensor of shape \(6, 4\)"),
    (("data",), ShapeError, r"axis 0 of a tensor of shape \(6, 4\), divided by 'data'.*\n.*a multiple of 4")])
def test_wrong_specs(spec, error, text):
    with pytest.raises(error, match=text):
        tz.shard(tz.ones(6, 4), tz.mesh(data=4, model=2), spec)


def test_gradients_flow_through_shard_eagerly_and_compiled():
    mesh, w = tz.mesh(data=8), tz.randn(20, 3, requires_grad=True)
    tz.tanh(tz.shard(X[:16], mesh, "data") @ tz.shard(w, mesh)).sum().backward()
    wanted = tz.grad(lambda w: tz.tanh(tz.asarray(X[:16]) @ w).sum())(w.detach())
    np.testing.assert_allclose(w.grad.numpy(), wanted.numpy(), rtol=1e-4, atol=1e-5)
    assert w.grad.device == tz.device("cpu")
    f = tz.jit(tz.grad(lambda w: tz.tanh(tz.shard(tz.asarray(X[:13]), mesh, "data") @ w).sum()))
    np.testing.assert_allclose(f(tz.shard(w.detach(), mesh)).numpy(),
                               tz.grad(lambda w: tz.tanh(tz.asarray(X[:13]) @ w).sum())(w.detach()).numpy(),
                               rtol=1e-4, atol=1e-5)
    assert "place" in str(f.graph)


def test_vmap_over_a_sharded_tensor():
    mesh = tz.mesh(data=8)
    f = tz.vmap(lambda row: tz.shard(row * 2, mesh, (None,)).sum())
    np.testing.assert_allclose(f(tz.shard(X[:8], mesh, "data")).numpy(), 2 * X[:8].sum(1), rtol=1e-4, atol=1e-5)


def mlp():
    return [tz.nn.Dense(32, "relu"), tz.nn.BatchNorm(), tz.nn.Dropout(0.2), tz.nn.Dense(2)]


class EachLoss(tz.train.Callback):
    def __init__(self):
        self.losses = []

    def on_step_end(self, run):
        self.losses.append(run.loss)


def trained(layers=mlp, prepare=lambda model: None, rows=20 * 32, x=X, y=Y, optimizer="adam", checkpoint=None,
            metrics=("accuracy",), **options):
    """The losses of each step, the history and the model."""
    tz.random.seed(3)
    model = tz.nn.Sequential(layers()).compile(optimizer, "cross_entropy", metrics)
    model(x[:1])
    prepare(model)
    each = EachLoss()
    chosen = np.arange(rows) % len(x)
    history = model.fit(x[chosen], y[chosen], batch_size=32, seed=1, verbose=0,
                        callbacks=[each, *([tz.train.Checkpoint(checkpoint)] if checkpoint else [])], **options)
    return each.losses, history, model


MEGATRON = {"0.weight": (None, "model"), "0.bias": ("model",), "1.*": ("model",), "3.weight": ("model", None)}


OPTIMIZERS = {"adam": lambda: "adam", "SGD": lambda: tz.optim.SGD(lr=0.1, momentum=0.9)}
LAYOUTS = {"data parallel": (lambda model: None, lambda: {"devices": "all"}),
           "some devices": (lambda model: None, lambda: {"devices": ["xla:0", "xla:1"]}),
           "a mesh": (lambda model: None, lambda: {"devices": tz.mesh(data=4)}),
           "tensor parallel": (lambda model: model.shard(tz.mesh(model=8), MEGATRON), dict),
           "both": (lambda model: model.shard(tz.mesh(data=2, model=4), MEGATRON), dict)}


@functools.cache
def trained_on_one_device(optimizer):
    losses, _, model = trained(optimizer=OPTIMIZERS[optimizer]())
    return losses, model


@pytest.mark.parametrize(("optimizer", "layout"), [
    *(("adam", layout) for layout in LAYOUTS), ("SGD", "both"),
    *(pytest.param("SGD", layout, marks=pytest.mark.long) for layout in LAYOUTS if layout != "both")])
def test_losses_equal_those_of_one_device(optimizer, layout):
    prepare, options = LAYOUTS[layout]
    wanted, plain = trained_on_one_device(optimizer)
    found, _, model = trained(prepare=prepare, optimizer=OPTIMIZERS[optimizer](), **options())
    assert len(found) == STEPS
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    for (path, x), (_, y) in zip(model.named_tensors(), plain.named_tensors(), strict=True):
        np.testing.assert_allclose(x.numpy(), y.numpy(), rtol=2e-3, atol=2e-4, err_msg=path)


def test_a_transformer_over_both_axes():
    def layers():
        return [tz.nn.TransformerEncoderLayer(4, 16, feedforward=32), tz.nn.GlobalAvgPool1D(), tz.nn.Dense(2)]
    x = draw.normal(size=(320, 6, 16)).astype(np.float32)
    y = (x[:, 0, 0] > 0).astype(int)
    wanted, *_ = trained(layers, x=x, y=y, rows=320)
    patterns = {"0.hidden.weight": (None, "model"), "0.hidden.bias": ("model",), "0.output.weight": ("model",),
                "*attention.*weight": (None, "model")}
    found, _, model = trained(layers, lambda model: model.shard(tz.mesh(data=2, model=2), patterns), x=x, y=y, rows=320)
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    assert any("model" in str(x.device).split(") ")[1] for x in model.parameters())


def test_an_uneven_last_batch_validation_and_everything_after():
    options = {"rows": 530, "epochs": 2, "validation_split": 0.2, "metrics": ["accuracy", "f1", "auc", "confusion"]}
    plain, wanted, first = trained(**options)
    spread, found, model = trained(**options, devices="all")
    np.testing.assert_allclose(spread, plain, rtol=1e-5)
    for name in wanted.history.keys() - {"seconds"}:
        np.testing.assert_allclose(found.history[name], wanted.history[name], rtol=1e-5, err_msg=name)
    assert found.verdict.name == wanted.verdict.name
    np.testing.assert_allclose(model.predict(X[:13]).numpy(), first.predict(X[:13]).numpy(), rtol=1e-3, atol=1e-4)
    assert model.evaluate(X, Y)["loss"] == pytest.approx(first.evaluate(X, Y)["loss"], rel=1e-4)


def test_running_statistics_are_global():
    """They are those of the whole batch, not of a device's share of it."""
    x = np.repeat(np.arange(8, dtype=np.float32), 4)[:, None]  # each device has rows that are all alike
    model = tz.nn.Sequential([tz.nn.BatchNorm(momentum=0.0), tz.nn.Dense(1)]).compile("sgd", "mse")
    model.fit(x, x, batch_size=32, verbose=0, devices="all")
    assert model[0].running_mean.item() == pytest.approx(x.mean())
    assert model[0].running_variance.item() == pytest.approx(x.var(ddof=1), rel=1e-5)


def test_state_lies_as_the_parameters_do_and_nothing_is_traced_again():
    _, _, model = trained(prepare=lambda model: model.shard(tz.mesh(data=2, model=4), MEGATRON))
    slots = dict(model._trainer.optimizer.named_state())
    assert slots["0.mean.0"].device == model[0].weight.device and parts(slots["0.mean.0"]) == {(20, 8)}
    with compilations(exactly=0):
        model.fit(X[np.arange(640) % 530], Y[np.arange(640) % 530], batch_size=32, verbose=0, callbacks=[EachLoss()])


def test_streams():
    batches = [(X[i:i + 50], Y[i:i + 50]) for i in range(0, 530, 50)]
    rows = []
    for devices in (None, "all"):
        tz.random.seed(0)
        model = tz.nn.Sequential(mlp()).compile("adam", "cross_entropy")
        rows.append(model.fit(batches, epochs=2, verbose=0, devices=devices).history["loss"])
    np.testing.assert_allclose(*rows, rtol=1e-5)


def test_a_checkpoint_goes_on_over_the_mesh(tmp_path):
    def run(epochs, folder):
        return trained(prepare=lambda model: model.shard(tz.mesh(data=2, model=4), MEGATRON), rows=96, epochs=epochs,
                       checkpoint=folder)
    wanted, _, whole = run(4, tmp_path / "whole")
    run(2, tmp_path / "parts")
    found, history, model = run(4, tmp_path / "parts")
    assert found == wanted[6:] and len(history) == 4
    assert model[0].weight.device == whole[0].weight.device and "model" in str(model[0].weight.device.spec)
    assert all((x.numpy() == y.numpy()).all() for x, y in zip(model.parameters(), whole.parameters(), strict=True))


def test_errors_of_fit_and_shard():
    model = tz.nn.Sequential(mlp()).compile("adam", "cross_entropy")
    with pytest.raises(ArgumentError, match="has no parameters yet"):
        model.shard(tz.mesh(model=2), {"*": ("model",)})
    with pytest.raises(ArgumentError, match=r"batch_size=50 over 8 devices\n.*a multiple of 8.*\n.*batch_size=56"):
        model.fit(X, Y, batch_size=50, verbose=0, devices="all")
    with pytest.raises(ArgumentError, match=r"the pattern '9\.\*' matches nothing\n.*0\.weight"):
        model.shard(tz.mesh(model=2), {"9.*": ("model",)})
    with pytest.raises(ShapeError, match="a multiple of 8"):
        model.shard(tz.mesh(model=8), {"0.weight": ("model",)})
    assert model[0].weight.device.mesh == tz.mesh(data=8)  # as fit left it


def test_back_to_one_device():
    _, _, model = trained(devices="all")
    before = model.predict(X[:5]).numpy()
    model.to("cpu")
    assert {str(x.device) for x in model._trainer.state()} == {"cpu"}
    np.testing.assert_allclose(model.predict(X[:5]).numpy(), before, rtol=1e-4, atol=1e-5)
    model.fit(X, Y, verbose=0)
    assert model[0].weight.device == tz.device("cpu")
