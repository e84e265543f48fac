"""Models that evaluate by averages of weights go on from the weights that are trained: copies and saved ones too."""

import copy
import pickle

import numpy as np
import pytest
from helpers import compilations, same_bits

import tarazu as tz
from tarazu.base.errors import ArgumentError
from tarazu.optim import SGD, Adam, ScheduleFreeAdamW

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(64, 3)).astype(np.float32)
Y = (X @ [[1.0], [-2.0], [0.5]]).astype(np.float32)


class Stepping(tz.nn.Module):
    """Has a step and an optimizer of its own."""

    def __init__(self, optimizer):
        self.dense = tz.nn.Dense(1, in_features=3)
        self.optimizer = OPTIMIZERS[optimizer]().attach(self.named_parameters())

    def forward(self, x):
        return self.dense(x)

    def compute_loss(self, batch):
        x, y = batch
        return tz.nn.mse(self(x), y)

    def train_step(self, batch):
        self.optimizer.zero_grad()
        loss = self.compute_loss(batch)
        loss.backward()
        self.optimizer.step()
        return {"loss": loss}


def stepping(optimizer):
    return Stepping(next(name for name, make in OPTIMIZERS.items() if make is optimizer)).compile()


def layers(optimizer):
    model = tz.nn.Sequential([tz.nn.Dense(4, "tanh", in_features=3), tz.nn.BatchNorm(4), tz.nn.Dense(1)])
    return model.compile(optimizer(), loss="mse")


def scaled(optimizer):
    return tz.nn.Sequential([tz.nn.Dense(1, in_features=3)]).compile(optimizer(), loss="mse", precision="float16")


OPTIMIZERS = {"ema": lambda: Adam(lr=0.05, ema=0.9),
              "ema of means": lambda: SGD(lr=0.05, momentum=0.9, ema=0.8, accumulate_steps=3),
              "schedule-free": lambda: ScheduleFreeAdamW(lr=0.05, groups={"*bias": {"lr": 0.01}})}


def saved(model):
    """What a saved model comes back as."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model", optimizer=True)
        return tz.load(f"{folder}/model", custom_objects={"Stepping": Stepping})


def by_states(model):
    """Another model of its kind, with the states of model and optimizer, as a checkpoint of one's own has them."""
    twin = copy.deepcopy(model)
    own, others = (next(iter(one._trainer.optimizers().values())) for one in (twin, model))
    twin.fit(X, Y, epochs=1, verbose=0)
    own.load_state_dict(others.state_dict())
    twin.load_state_dict(model.state_dict())
    return twin


COPIES = {"deepcopy": copy.deepcopy, "pickle": lambda model: pickle.loads(pickle.dumps(model)), "saved": saved,
          "states": by_states}


def trained(make, optimizer, **options):
    tz.random.seed(0)
    model = make(optimizer)
    model.fit(X, Y, epochs=2, batch_size=16, seed=0, verbose=0, **options)
    return model


def state(model):
    optimizers = model._trainer.optimizers().values()
    return [x.numpy() for x in [*model.state_dict().values(), *(x for one in optimizers
                                                                for x in one.state_dict().values())]]


def on_and_on(model, **options):
    model.fit(X, Y, epochs=2, batch_size=16, seed=1, verbose=0, **options)
    return state(model)


@pytest.mark.filterwarnings("ignore:.*custom_objects")
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("make", [layers, scaled, stepping])
@pytest.mark.parametrize("how", COPIES)
def test_copies_train_on_as_the_model_does(how, make, optimizer):
    model = trained(make, optimizer)
    twin, shown = COPIES[how](model), model.state_dict()
    assert all(same_bits(x.numpy(), y.numpy()) for x, y in zip(twin.state_dict().values(), shown.values(), strict=True))
    assert [*map(same_bits, on_and_on(twin), on_and_on(model))] == [True] * len(state(model))


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_the_best_epoch_is_gone_on_from_where_it_was_the_last(optimizer):
    validated, plain = (trained(layers, optimizer, validation_data=data) for data in ((X, Y), None))
    assert [*map(same_bits, on_and_on(validated), on_and_on(plain))] == [True] * len(state(plain))


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("is_jitted", [False, True])
def test_steps_by_hand_go_on_from_what_was_trained(optimizer, is_jitted):
    model, whole = (trained(stepping, optimizer) for _ in range(2))
    steps = [(tz.jit(one.train_step) if is_jitted else one.train_step) for one in (model, whole)]
    whole.optimizer.use_training_weights()
    for batch in ((X[:16], Y[:16]), (X[16:32], Y[16:32])):
        losses = [step(batch)["loss"].item() for step in steps]
        assert losses[0] == losses[1]
    assert all(map(same_bits, state(model), state(whole)))


def test_a_step_that_was_jitted_before_the_fit_is_not_traced_again():
    model, whole = (trained(stepping, OPTIMIZERS["ema"]) for _ in range(2))
    steps, batch = [tz.jit(one.train_step) for one in (model, whole)], (tz.asarray(X[:16]), tz.asarray(Y[:16]))
    for one, step in zip((model, whole), steps, strict=True):
        step(batch)
        one.fit(X, Y, batch_size=16, seed=2, verbose=0)
    whole.optimizer.use_training_weights()
    with compilations(exactly=0):
        for step in steps:
            step(batch)
    assert same_bits(model.dense.weight.detach().numpy(), whole.dense.weight.detach().numpy())


def test_a_step_whose_gradient_was_there_moves_what_was_trained():
    w = tz.tensor([1.0], requires_grad=True)
    optimizer = SGD([w], lr=1.0, ema=0.5)
    optimizer.apply_gradients([(tz.tensor([1.0]), w)])
    optimizer.use_evaluation_weights()
    assert w.item() == 0.5
    optimizer.apply_gradients([(tz.tensor([1.0]), w)])
    assert w.item() == -1.0 and optimizer.evaluation_weights()[0].item() == -0.25


def test_averages_of_steps_are_told_right_while_they_are_shown():
    model = trained(layers, OPTIMIZERS["schedule-free"])
    told = model._trainer.optimizer.evaluation_weights()
    assert all(same_bits(x.numpy(), y.detach().numpy()) for x, y in zip(told, model.parameters(), strict=True))


def test_weights_that_were_changed_in_a_copy_stay():
    twin = copy.deepcopy(trained(layers, OPTIMIZERS["ema"]))
    with tz.no_grad():
        twin[0].weight.copy_(7.0)
    before = [x.detach().numpy() for x in twin.parameters()]
    twin._trainer.optimizer.use_training_weights()
    assert [same_bits(x, y.detach().numpy()) for x, y in zip(before, twin.parameters(), strict=True)] == [
        True, *[False] * (len(before) - 1)]


def test_starting_anew_is_from_the_weights_that_are_shown():
    model = trained(layers, OPTIMIZERS["ema"])
    shown = model[0].weight.detach().numpy()
    model._trainer.optimizer.start_anew()
    model._trainer.optimizer.use_training_weights()
    assert same_bits(model[0].weight.detach().numpy(), shown)


def test_a_state_that_does_not_fit_leaves_the_weights_that_are_trained():
    model = trained(layers, OPTIMIZERS["ema"])
    optimizer = model._trainer.optimizer
    before = optimizer.state_dict()
    with pytest.raises(ArgumentError, match="does not fit the optimizer: missing"):
        optimizer.load_state_dict({"trained.0": before["trained.0"]})
    after = optimizer.state_dict()
    assert before.keys() == after.keys() and all(same_bits(before[k].numpy(), after[k].numpy()) for k in before)
