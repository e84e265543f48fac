"""What `compile` was told, and the state of optimizers, in saved models, copies and pickles: training goes on."""

import copy
import pickle

import numpy as np
import pytest
from helpers import same_bits
from own_layers import Residual, Sign, doubled, squared_error

import tarazu as tz
from tarazu.base.errors import FileFormatError
from tarazu.nn import BatchNorm, Dense, Dropout, Sequential
from tarazu.train import TrainingWarning

X = np.random.default_rng(3).normal(size=(40, 4)).astype(np.float32)
Y = X.sum(1)


def plain():
    return Sequential([Dense(5, "tanh"), Dense(1)])


def shared():
    layer = Dense(4, "tanh")
    return Sequential([layer, Residual(layer), BatchNorm(), Dropout(0.25), Dense(1)])


def part_of_it():
    model = plain()
    model(tz.asarray(X))
    return model.compile(tz.optim.Adam([model[1].bias, model[1].weight], lr=0.05), "mse")


def frozen():
    model = plain()
    model(tz.asarray(X))
    model[0].freeze()
    return model.compile("adam", "mse")


TRAININGS = {
    "adam": lambda: plain().compile(tz.optim.Adam(lr=0.01), "mse", ["mae"]),
    "shared layers": lambda: shared().compile("adam", "huber"),
    "adamw, clipped": lambda: plain().compile(tz.optim.AdamW(lr=0.01, clip_norm=0.5), "mse"),
    "nesterov": lambda: plain().compile(tz.optim.SGD(lr=0.01, momentum=0.9, nesterov=True), "mse"),
    "rmsprop": lambda: plain().compile("rmsprop", "mse"),
    "schedule": lambda: plain().compile(tz.optim.Adam(lr=tz.optim.cosine_decay(0.05, 20)), "mse"),
    "another schedule": lambda: plain().compile(tz.optim.SGD(lr=tz.optim.exponential_decay(0.05, 0.5, every=4)), "mse"),
    "warm-up": lambda: plain().compile(tz.optim.SGD(lr=tz.optim.linear_warmup(0.05, steps=9)), "mse"),
    "own functions": lambda: plain().compile(tz.optim.Optimizer(None, 0.01, [Sign(2.0)]), squared_error, doubled_error),
    "float16": lambda: plain().compile("adam", "mse", precision="float16"),
    "some parameters": part_of_it,
    "frozen": frozen,
}


def doubled_error(prediction, target):
    return doubled(tz.nn.mae(prediction, target, reduction="none"))


def through_a_file(model, folder):
    model.save(folder / "model")
    return tz.load(folder / "model")


def through_pickle(model, folder):
    return pickle.loads(pickle.dumps(model))


def through_deepcopy(model, folder):
    return copy.deepcopy(model)


each_way = pytest.mark.parametrize("way", [through_a_file, through_deepcopy, through_pickle])


def fit(model, epochs=2):
    history = model.fit(X, Y, epochs=epochs, batch_size=16, seed=epochs, verbose=0)
    return [{name: value for name, value in row.items() if name != "seconds"} for row in history.rows]


@pytest.mark.parametrize("make", TRAININGS.values(), ids=TRAININGS)
@each_way
def test_training_goes_on_to_the_same_bits(tmp_path, make, way):
    model = make()
    fit(model)
    again = way(model, tmp_path)
    assert fit(again, 3) == fit(model, 3)
    for path, x in model.named_tensors():
        assert same_bits(x.detach(), dict(again.named_tensors())[path].detach())
    for name, x in model._trainer.optimizer.named_state():
        assert same_bits(x.detach(), dict(again._trainer.optimizer.named_state())[name].detach())


@each_way
def test_the_two_are_independent(tmp_path, way):
    model = TRAININGS["adam"]()
    fit(model)
    again = way(model, tmp_path)
    before = [x.tolist() for _, x in [*again.named_tensors(), *again._trainer.optimizer.named_state()]]
    fit(model)
    assert [x.tolist() for _, x in [*again.named_tensors(), *again._trainer.optimizer.named_state()]] == before
    assert again.evaluate(X, Y).keys() == {"loss", "mae"}


@each_way
def test_a_model_that_was_compiled_and_not_trained(tmp_path, way):
    tz.random.seed(1)
    model = TRAININGS["nesterov"]()
    model._trainer.optimizer.lr = 0.125
    model(tz.asarray(X))
    again = way(model, tmp_path)
    assert float(again._trainer.optimizer.lr) == 0.125 and fit(again) == fit(model)


@each_way
def test_rows_that_were_held_out_stay_so(tmp_path, way):
    model = TRAININGS["adam"]()
    model.fit(X, Y, validation_split=0.25, epochs=1, seed=5, verbose=0)
    again = way(model, tmp_path)
    assert again._trainer.split_seed == model._trainer.split_seed is not None


def test_a_shallow_copy_shares_the_optimizer(tmp_path):
    model = TRAININGS["adam"]()
    fit(model)
    twin = copy.copy(model)
    fit(twin)
    assert twin._trainer.model is twin and model._trainer.model is model
    assert twin._trainer.optimizer is model._trainer.optimizer and same_bits(twin.predict(X), model.predict(X))


def test_hyper_parameters_changed_later_are_kept(tmp_path):
    model = TRAININGS["adam"]()
    fit(model)
    model._trainer.optimizer.lr = tz.optim.cosine_decay(0.5, 100)
    model._trainer.optimizer.chain[0].beta1.copy_(0.5)
    again = through_a_file(model, tmp_path)
    assert fit(again) == fit(model)


def test_without_the_optimizer(tmp_path):
    model = TRAININGS["adam"]()
    fit(model)
    model.save(tmp_path / "without", optimizer=False)
    assert sorted(path.name for path in (tmp_path / "without").iterdir()) == ["model.json", "model.safetensors"]
    model.save(tmp_path / "with")
    for again in (tz.load(tmp_path / "without"), tz.load(tmp_path / "with", optimizer=False)):
        assert same_bits(again.predict(X), model.predict(X))
        with pytest.raises(tz.TarazuError, match="is not compiled"):
            again.fit(X, Y)
    model.save(tmp_path / "with", optimizer=False)  # replaces all three files
    assert not (tmp_path / "with" / "optimizer.safetensors").exists()


@pytest.mark.parametrize(("compile", "named"), [
    (lambda m: m.compile("adam", lambda p, t: tz.nn.mse(p, t)), "<function .*lambda"),
    (lambda m: m.compile("adam", "mse", [lambda p, t: tz.nn.mae(p, t, reduction="none")]), "<function .*lambda"),
    (lambda m: m.compile(tz.optim.SGD(lr=lambda step: 0.1 / (step + 1)), "mse"), "<function .*lambda"),
    (lambda m: m.compile(tz.optim.SGD([tz.ones(3, requires_grad=True), *m.parameters()]), "mse"),
     "the optimizer was given parameters that are not the model's"),
])
def test_what_compile_was_told_is_left_out_with_a_warning_where_it_cannot_be_saved(tmp_path, compile, named):
    model = plain()
    model(tz.asarray(X))
    compile(model)
    text = rf"saved without what compile\(\) was told, as {named}[\s\S]*optimizer=False"
    with pytest.warns(TrainingWarning, match=text):
        model.save(tmp_path / "model")
    again = tz.load(tmp_path / "model")
    assert same_bits(again.predict(X), model.predict(X)) and again._trainer is None
    model.save(tmp_path / "model", optimizer=False)  # says nothing


def test_a_local_loss_is_named_and_given_by_custom_objects(tmp_path):
    def half_error(p, t):
        return tz.nn.mse(p, t) / 2

    model = plain().compile("adam", half_error)
    fit(model)
    text = r'does not find half_error[\s\S]*custom_objects=\{"half_error": half_error\}'
    with pytest.warns(TrainingWarning, match=text):
        model.save(tmp_path / "model")
    with pytest.raises(FileFormatError, match=r"half_error[\s\S]*tz.load\(path, optimizer=False\)"):
        tz.load(tmp_path / "model")
    again = tz.load(tmp_path / "model", custom_objects={"half_error": half_error})
    assert fit(again) == fit(model)


def test_two_local_metrics_of_one_name_are_left_out_with_a_warning(tmp_path):
    def times(factor):
        def metric(prediction, target):
            return factor * tz.nn.mae(prediction, target, reduction="none")
        metric.__name__ = f"times {factor}"  # in the history; the definition is still found by one name
        return metric

    model = plain().compile("adam", "mse", [times(1), times(2)])
    model(tz.asarray(X))
    with pytest.warns(TrainingWarning, match="as two different classes or functions are called"):
        model.save(tmp_path / "model")
    assert same_bits(tz.load(tmp_path / "model").predict(X), model.predict(X))


def test_a_model_of_a_table_goes_on(tmp_path):
    (tmp_path / "line.csv").write_text("x,y\n" + "".join(f"{i / 7},{i * 1.5}\n" for i in range(60)))
    fitted = tz.fit_table(tmp_path / "line.csv", "y", epochs=1, hidden=(4,), verbose=0)
    fitted.model.save(tmp_path / "model")
    again = tz.load(tmp_path / "model")
    assert list(again._trainer.metrics) == list(fitted.model._trainer.metrics) == ["mae"]
    x, y = np.zeros((3, 1), np.float32), np.ones((3, 1), np.float32)
    assert again.evaluate(x, y) == fitted.model.evaluate(x, y)


def test_a_layer_replaced_after_fit_starts_the_optimizer_anew(tmp_path):
    model = TRAININGS["adam"]()
    fit(model)
    model.layers[1] = Dense(1)
    model.predict(X)
    again = through_a_file(model, tmp_path)
    assert not again._trainer.optimizer.parameters and len(again.fit(X, Y, verbose=0)) == 1


def test_two_saves_of_a_compiled_model_give_the_same_bytes(tmp_path):
    model = TRAININGS["shared layers"]()
    fit(model)
    for name in ("first", "second"):
        model.save(tmp_path / name)
    for name in ("model.json", "model.safetensors", "optimizer.safetensors"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


@pytest.mark.parametrize(("damage", "text"), [
    (lambda path: path.unlink(), "optimizer.safetensors: the file is missing"),
    (lambda path: path.write_bytes(path.read_bytes()[:60]), "optimizer.safetensors: damaged or cut short"),
    (lambda path: path.write_bytes((path.parent / "model.safetensors").read_bytes()), "a state that does not fit"),
])
def test_a_damaged_state(tmp_path, damage, text):
    model = TRAININGS["adam"]()
    fit(model)
    model.save(tmp_path / "model")
    damage(tmp_path / "model" / "optimizer.safetensors")
    with pytest.raises(FileFormatError, match=text):
        tz.load(tmp_path / "model")
    assert same_bits(tz.load(tmp_path / "model", optimizer=False).predict(X), model.predict(X))
