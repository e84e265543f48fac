"""The exercises of the pages that compare with peers: the right answers, and one for every other case of the texts."""

import numpy as np
import pytest

import tarazu as tz
from tarazu import course
from tarazu.course import language
from tarazu.course.check import judge_of


def double(x):
    return 2 * x


def tape_step(w, x, y, rate=0.1, moves=True):
    with tz.GradientTape() as tape:
        loss = tz.mean(tz.square(w * x - y))
    if moves:
        w.assign_sub(rate * tape.gradient(loss, w))
    return loss


def step(net, optimizer, x, y, zeroes=True, moves=True, as_number=float):
    if zeroes:
        optimizer.zero_grad()
    loss = tz.nn.mse(net(x), y)
    loss.backward()
    if moves:
        optimizer.step()
    return as_number(loss)


class Net(tz.nn.Module):
    activation = staticmethod(tz.relu)
    outputs = 3

    def __init__(self, hidden):
        self.first = tz.nn.Dense(hidden, in_features=4)
        self.second = tz.nn.Dense(self.outputs, in_features=hidden)

    def forward(self, x):
        return self.second(self.activation(self.first(x)))


class Linear(Net):
    activation = staticmethod(tz.positive)


class Two(Net):
    outputs = 2


class Wide(Net):
    def __init__(self, hidden):
        super().__init__(2 * hidden)


class Sparse(tz.nn.Module):
    share = 0.1

    def __init__(self):
        self.net = tz.nn.Dense(1, in_features=3)

    def compute_loss(self, batch):
        x, y = batch
        return {"loss": tz.nn.mse(self.net(x), y) + self.share * abs(self.net.weight).sum()}


class WithoutPenalty(Sparse):
    share = 0


class TooMuch(Sparse):
    share = 1


class OnlyForward(tz.nn.Module):
    def forward(self, x):
        return x


def sequence(*layers):
    return tz.nn.Sequential(list(layers))


def freeze(places):
    def answer(model):
        for layer in model.layers[places]:
            layer.trainable = False
    return answer


def fit(**options):
    def answer(model, train, valid):
        return model.fit(train, **{"epochs": 4, "validation_data": valid, "verbose": 0} | options)
    return answer


ANSWERS = {
    "tensorflow.1": {
        "right": lambda x: (tz.square(x) * (x > 0).float()).sum(axis=1),
        "negatives": lambda x: tz.square(x).sum(axis=1),
        "not_squared": lambda x: (x * (x > 0).float()).sum(axis=1)},
    "tensorflow.2": {
        "right": tape_step,
        "unchanged": lambda w, x, y: tape_step(w, x, y, moves=False),
        "uphill": lambda w, x, y: tape_step(w, x, y, rate=-0.1),
        "moved": lambda w, x, y: tape_step(w, x, y, rate=1),
        "loss": lambda w, x, y: tape_step(w, x, y) and None},
    "tensorflow.3": {
        "right": lambda x: tz.data.Dataset(x).map(double).batch(4, drop_last=True),
        "no_dataset": lambda x: [x[:4] * 2, x[4:8] * 2],
        "last_batch": lambda x: tz.data.Dataset(x).map(double).batch(4),
        "not_doubled": lambda x: tz.data.Dataset(x).batch(4, drop_last=True)},
    "pytorch.1": {
        "right": lambda x: x.sum(axis=1, keepdims=True),
        "flat": lambda x: x.sum(axis=1),
        "columns": lambda x: x.sum(axis=0, keepdims=True)},
    "pytorch.2": {
        "right": step,
        "unchanged": lambda *given: step(*given, moves=False),
        "accumulated": lambda *given: step(*given, zeroes=False),
        "moved": lambda *given: step(*given) and step(*given),
        "no_number": lambda *given: step(*given, as_number=tz.tensor),
        "loss": lambda *given: step(*given, as_number=lambda loss: 0.0)},
    "pytorch.3": {
        "right": Net, "no_class": Net(5), "no_module": dict, "parameters": Wide, "linear": Linear},
    "keras.1": {
        "right": sequence(tz.nn.Dense(8, "relu"), tz.nn.Dense(3)),
        "no_model": tz.nn.Sequential,
        "parameters": sequence(tz.nn.Dense(9, "relu"), tz.nn.Dense(3)),
        "softmax": sequence(tz.nn.Dense(8, "relu"), tz.nn.Dense(3, "softmax")),
        "linear": sequence(tz.nn.Dense(8), tz.nn.Dense(3))},
    "keras.2": {
        "right": lambda history: int(np.argmin(history.history["val_loss"])) + 1,
        "from_zero": lambda history: int(np.argmin(history.history["val_loss"])),
        "training": lambda history: int(np.argmin(history.history["loss"])) + 1},
    "keras.3": {
        "right": freeze(slice(None, -1)), "none": freeze(slice(0)), "some": freeze(slice(1)),
        "last": freeze(slice(None))},
    "lightning.1": {
        "right": Sparse, "no_class": Sparse(), "no_module": dict, "no_compute_loss": OnlyForward,
        "no_penalty": WithoutPenalty},
    "lightning.2": {
        "right": fit(),
        "no_history": lambda *given: None,
        "epochs": fit(epochs=1),
        "no_validation": fit(validation_data=None)},
}
COMMON = {
    "tensorflow.1": {"not_callable": 1, "shape": tz.square, "value": lambda x: x.sum(axis=1)},
    "tensorflow.2": {"not_callable": 1},
    "tensorflow.3": {"not_callable": 1, "value": lambda x: tz.data.Dataset(x).batch(5)},
    "pytorch.1": {"not_callable": 1, "shape": tz.square, "value": lambda x: x.mean(axis=1, keepdims=True)},
    "pytorch.2": {"not_callable": 1, "raised": lambda: 1},
    "pytorch.3": {"shape": Two},
    "keras.1": {"shape": sequence(tz.nn.Dense(2))},
    "keras.2": {"not_callable": 1, "value": lambda history: None},
    "keras.3": {"not_callable": 1},
    "lightning.1": {"value": TooMuch},
    "lightning.2": {"not_callable": 1},
}


def test_every_case_of_the_texts_is_reached():
    for exercise, answers in ANSWERS.items():
        lesson, number = exercise.split(".")
        assert list(language.texts("en", lesson)[number]) == list(answers), exercise


@pytest.mark.parametrize("exercise", ANSWERS)
def test_answers(exercise, monkeypatch):
    monkeypatch.setenv("TARAZU_BACKEND", "numpy")
    lesson, number, judge = judge_of(exercise)
    for case, answer in {**ANSWERS[exercise], **COMMON[exercise]}.items():
        if case not in ("right", "raised"):
            wrong = judge(answer)
            assert wrong is not None and wrong.case == case, (exercise, case, wrong and wrong.case)
        for name in language.LANGUAGES:
            course.set_language(name)
            checked = course.check(exercise, answer)
            assert checked.is_right == (case == "right"), (exercise, case, checked)
            texts = language.texts(name, lesson)[number]
            assert checked.text and (case not in texts or checked.text.startswith(texts[case].split("{")[0]))
    course.set_language("en")
