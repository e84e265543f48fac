"""An optimizer that fits attach to other parameters than before: all its state starts anew, as if it were a new one."""

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError
from tarazu.nn import Dense, Sequential

X = np.random.default_rng(0).normal(size=(32, 4)).astype(np.float32)
Y = X.sum(1)
OPTIMIZERS = {"adam": lambda: tz.optim.Adam(lr=0.05), "momentum": lambda: tz.optim.SGD(lr=0.01, momentum=0.9),
              "schedule": lambda: tz.optim.Adam(lr=tz.optim.exponential_decay(0.1, 0.5, every=4))}


def trained(model, optimizer):
    """The weights after a few steps."""
    model.compile(optimizer, loss="mse").fit(X, Y, epochs=3, batch_size=8, seed=0, verbose=0)
    return {path: x.numpy() for path, x in model.state_dict().items()}


def new_model(seed=0):
    tz.random.seed(seed)
    return Sequential([Dense(3, "tanh", in_features=4), Dense(1, in_features=3)])


def same(first, second):
    return all(np.array_equal(first[path], second[path]) for path in second)


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_a_second_model_is_trained_as_with_a_new_optimizer(make):
    used = make()
    trained(new_model(1), used)
    assert same(trained(new_model(), used), trained(new_model(), make()))
    assert used.step_count.item() == 12


@pytest.mark.parametrize("change", [
    lambda model: model.layers.append(Dense(1, in_features=1)),
    lambda model: model.layers.__setitem__(1, Dense(1, in_features=3)),
], ids=["added", "replaced"])
@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_after_a_layer_came_in_all_state_starts_anew(make, change):
    weights = []
    for optimizer_of_second_fit in (None, make()):
        model, optimizer = new_model(), make()
        trained(model, optimizer)
        change(model)
        weights.append(trained(model, optimizer_of_second_fit or optimizer))
    assert same(*weights)


def test_a_fit_that_goes_on_keeps_the_state():
    model, optimizer = new_model(), tz.optim.Adam()
    trained(model, optimizer)
    slot = optimizer.state_dict()["0.mean.0"].numpy()
    model[0].freeze()
    trained(model, optimizer)
    assert optimizer.step_count.item() == 24 and np.array_equal(optimizer.state_dict()["0.mean.0"].numpy(), slot)


def test_an_optimizer_that_was_made_with_parameters_does_not_leave_new_layers_out():
    model = new_model()
    optimizer = tz.optim.Adam(model.parameters())
    trained(model, optimizer)
    model.layers.append(Dense(1, in_features=1))
    with pytest.raises(ArgumentError, match=r"an optimizer without 2\.weight, 2\.bias, which came into the model after "
                                            r"the last fit\n.*\n.*call optimizer\.attach\(model\.parameters\(\)\)"):
        model.fit(X, Y, verbose=0)
    optimizer.attach(model.parameters())
    before = model[2].weight.numpy()
    model.fit(X, Y, verbose=0)
    assert not np.array_equal(model[2].weight.numpy(), before)


def test_an_optimizer_may_be_made_with_a_part_of_the_parameters():
    model = new_model()
    model.compile(tz.optim.SGD(model[1].parameters(), lr=0.1), loss="mse")
    before = model.state_dict()
    for _ in range(2):
        model.fit(X, Y, verbose=0)
        model.layers.append(Dense(1, in_features=1))
    assert same({"": model[0].weight.numpy()}, {"": before["0.weight"].numpy()})
    assert not same({"": model[1].weight.numpy()}, {"": before["1.weight"].numpy()})


@pytest.mark.parametrize("name", tz.optim.OPTIMIZERS)
def test_every_optimizer_goes_by_its_name_and_trains_as_in_numpy(name, monkeypatch):
    draw = np.random.default_rng(0)
    x = draw.normal(size=(32, 3)).astype(np.float32)

    def losses():
        tz.random.seed(0)
        model = tz.nn.Sequential([tz.nn.Dense(4, "tanh", in_features=3), tz.nn.Dense(1, in_features=4)])
        model.compile(name, loss="mse")
        model._trainer.optimizer.lr = 0.05
        return [row["loss"] for row in model.fit(x, x[:, :1], epochs=3, batch_size=16, seed=0, verbose=0)]

    native = losses()
    monkeypatch.setenv("TARAZU_BACKEND", "numpy")
    np.testing.assert_allclose(native, losses(), rtol=1e-4)
    assert native[-1] < native[0]
