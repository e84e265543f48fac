"""Python values in jitted functions: attributes that are read are guards, random numbers of others are a warning."""

import argparse
import copy
import dataclasses
import pickle
import random
import threading
import time
import types
import warnings

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import TraceWarning
from tarazu.nn import Dense, Dropout, Sequential
from tarazu.runtime.trace.attributes import GuardedAttributes

X = tz.tensor([1.0, 2.0])


class Scaled(tz.nn.Module):
    """x * value, where `value` may be kept in many ways."""

    def __init__(self, value, read=lambda value: value):
        self.value, self.read = value, read
        self.unread = 0

    def forward(self, x):
        return x * self.read(self.value)


class OfClass(tz.nn.Module):
    value = 2.0

    def forward(self, x):
        return x * self.value


@dataclasses.dataclass
class Settings:
    factor: float
    name: str = "settings"


def triple(_):
    return 3.0


def changing(value, change, read=lambda value: value):
    return lambda: Scaled(value(), read), change


CHANGES = {
    "number": changing(lambda: 2.0, lambda m: setattr(m, "value", 3.0)),
    "int becomes float": changing(lambda: 3, lambda m: setattr(m, "value", 3.0), lambda v: len(str(v))),
    "bool": changing(lambda: True, lambda m: setattr(m, "value", False), lambda v: 2.0 if v else 3.0),
    "None": changing(lambda: None, lambda m: setattr(m, "value", 1), lambda v: 2.0 if v is None else 3.0),
    "text": changing(lambda: "two", lambda m: setattr(m, "value", "three"), len),
    "tuple": changing(lambda: (1, 2.0), lambda m: setattr(m, "value", (1, 3.0)), lambda v: v[1]),
    "NumPy's": changing(lambda: np.float32(2), lambda m: setattr(m, "value", np.float32(3)), float),
    "list in place": changing(lambda: [2.0], lambda m: m.value.__setitem__(0, 3.0), lambda v: v[0]),
    "nested list": changing(lambda: [[1], (2.0, [2.0])], lambda m: m.value[1][1].append(3.0), lambda v: v[1][1][-1]),
    "dict in place": changing(lambda: {"a": 2.0}, lambda m: m.value.update(a=3.0), lambda v: v["a"]),
    "dict's keys": changing(lambda: {"a": 2.0}, lambda m: m.value.update(b=3.0), lambda v: float(len(v))),
    "dataclass": changing(lambda: Settings(2.0), lambda m: setattr(m.value, "factor", 3.0), lambda v: v.factor),
    "namespace": changing(lambda: types.SimpleNamespace(a=2.0), lambda m: setattr(m.value, "a", 3.0), lambda v: v.a),
    "namespace with a tensor": changing(lambda: types.SimpleNamespace(a=2.0, b=tz.tensor(1.0)),
                                        lambda m: setattr(m.value, "b", tz.tensor(3.0)), lambda v: v.a * v.b),
    "arguments": changing(lambda: argparse.Namespace(a=2.0), lambda m: setattr(m.value, "a", 3.0), lambda v: v.a),
    "function": changing(lambda: abs, lambda m: setattr(m, "read", triple), lambda v: 2.0),
    "tensor": changing(lambda: tz.tensor(2.0), lambda m: setattr(m, "value", tz.tensor(3.0))),
    "array": changing(lambda: np.array([2.0]), lambda m: setattr(m, "value", np.array([3.0]))),
    "module": changing(lambda: Dense(2, in_features=2), lambda m: setattr(m, "value", Dense(2, in_features=2)),
                       lambda v: v(X)),
    "list of modules": changing(lambda: [Dense(2, in_features=2)],
                                lambda m: m.value.__setitem__(0, Dense(2, in_features=2)), lambda v: v[0](X)),
    "of the class": (OfClass, lambda m: setattr(m, "value", 3.0)),
    "deleted": (lambda: vars_with(OfClass(), value=3.0), lambda m: delattr(m, "value")),
}


def vars_with(module, **attributes):
    for name, value in attributes.items():
        setattr(module, name, value)
    return module


def same(first, second):
    return first.dtype is second.dtype and np.array_equal(first.detach().numpy(), second.detach().numpy())


@pytest.mark.parametrize(("make", "change"), CHANGES.values(), ids=CHANGES)
def test_a_changed_attribute_counts_as_if_the_function_were_not_jitted(make, change):
    tz.random.seed(0)
    model = make()
    jitted = tz.jit(lambda x: model(x))
    first = jitted(X)
    assert same(first, model(X)) and same(jitted(X), first) and jitted.traces == 1
    change(model)
    second = jitted(X)
    assert same(second, model(X)) and same(jitted(X), second) and jitted.traces == 2
    assert not same(first, second)


def test_the_value_of_before_needs_no_third_trace():
    model = Scaled(2.0)
    jitted = tz.jit(lambda x: model(x))
    for value in [2.0, 3.0, 2.0, 3.0, 2.0]:
        model.value = value
        assert jitted(X).tolist() == [value, 2 * value]
    assert jitted.traces == 2
    assert jitted.retraces() == "attribute value of Scaled: 2.0 became 3.0"


KEPT = {
    "an equal number": lambda m: setattr(m, "value", float("2.5")),
    "an equal list": lambda m: setattr(m, "settings", [1, [2.5]]),
    "what is not read": lambda m: setattr(m, "unread", m.unread + 1),
    "the values of a tensor": lambda m: m.weight.copy_(tz.tensor(5.0)),
    "another instance": lambda m: setattr(Scaled(1.0), "value", 7.0),
    "a copy": lambda m: setattr(copy.deepcopy(m), "value", 7.0),
}


@pytest.mark.parametrize("change", KEPT.values(), ids=KEPT)
def test_no_trace_for(change):
    model = vars_with(Scaled(2.5), settings=[1, [2.5]], weight=tz.tensor(1.0))
    jitted = tz.jit(lambda x: model(x) * model.settings[1][0] * model.weight)
    jitted(X)
    for _ in range(3):
        change(model)
        assert same(jitted(X), model(X) * 2.5 * model.weight)
    assert jitted.traces == 1


def test_nan_and_signed_zero_are_values_like_others():
    model = Scaled(float("nan"))
    jitted = tz.jit(lambda x: model(x))
    jitted(X)
    model.value = float("nan")
    jitted(X)
    assert jitted.traces == 1
    for value in (0.0, -0.0):
        model.value = value
        assert str(jitted(X)[0].item()) == str(value)


def test_what_the_function_itself_sets_is_no_guard():
    class Counting(tz.nn.Module):
        def __init__(self):
            self.calls, self.seen = 0, []

        def forward(self, x):
            self.calls += 1
            self.seen.append(self.calls)
            self.last = x * 2
            return self.last

    model = Counting()
    jitted = tz.jit(lambda x: model(x))
    for _ in range(3):
        jitted(X)
        model(X)
    assert jitted.traces == 1 and model.calls == 4


def test_attributes_read_inside_loops_and_nested_traces_count():
    model = Scaled(2.0)

    def twice(x):
        return tz.while_loop(lambda c: c[0] < 2, lambda c: (c[0] + 1, model(c[1])), (tz.tensor(0), x))[1]

    jitted = tz.jit(twice)
    assert jitted(X).tolist() == [4, 8]
    model.value = 3.0
    assert jitted(X).tolist() == [9, 18]

    def with_a_graph(x):
        tz.trace(lambda y: model(y))(x.detach())
        return x * 1

    looking = tz.jit(with_a_graph)
    looking(X)
    model.value = 4.0
    looking(X)
    assert looking.traces == 2


def test_gradients_and_vmap_see_the_value_of_now():
    model = Scaled(2.0)
    slope = tz.jit(tz.grad(lambda x: model(x).sum()))
    lanes = tz.jit(tz.vmap(lambda x: model(x)))
    for value in (2.0, 3.0):
        model.value = value
        assert slope(X).tolist() == [value, value] and lanes(X).tolist() == [value, 2 * value]


def test_own_setattr_and_properties():
    class Own(Scaled):
        def __setattr__(self, name, value):
            object.__setattr__(self, name, value)

        @property
        def doubled(self):
            return 2 * self.value

        def forward(self, x):
            return x * self.doubled

    model = Own(2.0)
    jitted = tz.jit(lambda x: model(x))
    assert jitted(X).tolist() == [4, 8]
    model.value = 3.0
    assert jitted(X).tolist() == [6, 12] and jitted.traces == 2


def test_own_getattr_and_other_bases():
    class Base:
        def __getattribute__(self, name):
            seen.add(name)
            return super().__getattribute__(name)

    class Delegating(Scaled, Base):
        def __getattr__(self, name):
            if name == "factor":
                return self.read(self.value)
            raise AttributeError(name)

        def forward(self, x):
            return x * self.factor

    seen, model = set(), Delegating(2.0)
    jitted = tz.jit(lambda x: model(x))
    assert jitted(X).tolist() == [2, 4] and {"factor", "value", "forward"} <= seen
    model.value = 3.0
    assert jitted(X).tolist() == [3, 6] and jitted.traces == 2


def test_attributes_of_optimizers_and_their_parts_count():
    class Times(tz.optim.Transformation):
        def __init__(self, factor):
            self.factor = factor

        def update(self, g, parameter, slots, step):
            return self.factor * g

    w, part = tz.tensor([1.0], requires_grad=True), Times(1.0)
    optimizer = tz.optim.Optimizer([w], lr=1.0, chain=[part])

    @tz.jit
    def step():
        optimizer.zero_grad()
        w.sum().backward()
        optimizer.step()

    step()
    part.factor = 10.0
    step()
    assert w.tolist() == [-10]
    optimizer.lr = lambda count: 0.5
    step()
    assert w.tolist() == [-15]


def test_reading_costs_nothing_outside_of_traces():
    assert "__getattribute__" not in vars(GuardedAttributes)
    with pytest.raises(ZeroDivisionError):
        tz.jit(lambda x: x / (1 // 0))(X)
    assert "__getattribute__" not in vars(GuardedAttributes)
    model = pickle.loads(pickle.dumps(Sequential([Dense(1, in_features=2)])))
    assert tz.jit(lambda x: model(x))(X[None]).shape == (1, 1)


def test_other_threads_note_nothing():
    model, other, stop = Scaled(2.0), Scaled(1.0), threading.Event()

    def use():
        while not stop.is_set():
            other.value += 1.0
            other(X)

    thread = threading.Thread(target=use)
    thread.start()

    def slow(x):
        time.sleep(0.02)
        return model(x)

    jitted = tz.jit(slow)
    for _ in range(3):
        jitted(X)
    stop.set()
    thread.join()
    assert jitted.traces == 1


def test_many_values_of_an_attribute_are_a_warning():
    model = Scaled(0.0)
    jitted = tz.jit(lambda x: model(x))
    for value in range(4):
        model.value = float(value)
        jitted(X)
    model.value = 4.0
    with pytest.warns(TraceWarning, match=r"attribute value of Scaled has had 5 values, and a program was compiled for "
                                          r"each of them; make it a tensor, self\.value = tz\.tensor\(4\.0\), and "
                                          r"change that in place: module\.value\.copy_\(x\)") as caught:
        jitted(X)
    assert caught[0].filename == __file__
    for value in range(5, 9):  # said once
        model.value = float(value)
        assert jitted(X).tolist() == [value, 2 * value]


def test_values_of_a_list_that_changes_in_place_count_too():
    model = Scaled([0.0], lambda value: value[0])
    jitted = tz.jit(lambda x: model(x))
    with pytest.warns(TraceWarning, match="has had 5 values"):
        for value in range(5):
            model.value[0] = float(value)
            jitted(X)


@pytest.mark.parametrize(("value", "advice"), [
    (lambda i: tz.tensor(float(i)), r"change the tensor in place: module\.value\.copy_\(x\)"),
    (lambda i: [float(i)] * 2, r"make it a tensor, self\.value = tz\.tensor\(\[4\.0, 4\.0\]\)"),
    (lambda i: np.full(2, float(i)), "set it less often, or pass what changes as a tensor"),
])
def test_the_advice_fits_the_value(value, advice):
    model = Scaled(value(0), tz.asarray)
    jitted = tz.jit(lambda x: model(x))
    with pytest.warns(TraceWarning, match=advice):
        for i in range(5):
            model.value = value(i)
            jitted(X)


@pytest.mark.parametrize("change", [
    lambda value: value[1].insert(0, value[0].pop()),  # the same numbers, one after the other
    lambda value: value[2].update(a=9.0),
    lambda value: value[2].update(b=value[2].pop("a")),
    lambda value: value[3][0].append(9.0),
    lambda value: value.append(9.0),
], ids=["moved", "in a dict", "a key", "in a tuple", "at the end"])
def test_a_change_inside_containers_makes_a_new_trace_after_many_calls(change):
    def number(value):
        first, second, named, (last,), *more = value
        return sum(first) + 10 * sum(second) + 100 * sum(last) + named.get("a", 7.0) + sum(more)

    model = Scaled([[1.0, 2.0], [3.0], {"a": 4.0}, ([5.0],)], number)
    jitted = tz.jit(lambda x: model(x))
    before = [jitted(X) for _ in range(3)][-1]
    change(model.value)
    assert same(jitted(X), model(X)) and not same(jitted(X), before)
    assert jitted.traces == 2


ARRAYS = {"alone": lambda a: a, "in a list": lambda a: [a, 2], "in a tuple in a dict": lambda a: {"a": (a,)}}


@pytest.mark.parametrize("kept_in", ARRAYS.values(), ids=ARRAYS)
def test_an_array_that_is_written_to_in_place_makes_a_new_trace(kept_in):
    def first_number(value):
        while not isinstance(value, np.ndarray):
            value = value["a"] if isinstance(value, dict) else value[0]
        return float(value[0])

    array = np.ones(2)
    model = Scaled(kept_in(array), first_number)
    jitted = tz.jit(lambda x: model(x))
    before = jitted(X)
    assert same(jitted(X), before)
    array[0] = 3.0
    assert same(jitted(X), model(X)) and not same(jitted(X), before)


def test_a_large_array_in_a_list_is_guarded_by_identity():
    model = Scaled([np.ones(100_000)], lambda value: float(value[0][0]))
    jitted = tz.jit(lambda x: model(x))
    jitted(X)
    model.value[0] = np.full(100_000, 3.0)
    assert same(jitted(X), model(X))


class Noisy(tz.nn.Module):
    def __init__(self, draw):
        self.draw = draw
        self.generator, self.legacy = np.random.default_rng(0), np.random.RandomState(0)
        self.python = random.Random(0)

    def forward(self, x):
        return x + self.draw(self)


DRAWS = {
    "np.random": (lambda m: np.random.normal(), r"np\.random drew"),
    "random": (lambda m: random.random(), "random drew"),
    "generator": (lambda m: m.generator.normal(), "attribute generator of Noisy drew"),
    "legacy": (lambda m: m.legacy.normal(), "attribute legacy of Noisy drew"),
    "Python's": (lambda m: m.python.random(), "attribute python of Noisy drew"),
}


global_generator = np.random.default_rng(0)


def closure():
    generator = random.Random(0)
    return lambda m: generator.random()


class NoisyByItself(tz.nn.Module):
    def forward(self, x):
        return x + global_generator.normal()


DRAWS |= {
    "global variable": (lambda m: global_generator.normal(), "the variable global_generator drew"),
    "nonlocal variable": (closure(), "the variable generator drew"),
    "inside forward": (lambda m: NoisyByItself()(tz.ones(1)), "the variable global_generator drew"),
}


@pytest.mark.parametrize(("draw", "text"), DRAWS.values(), ids=DRAWS)
def test_random_numbers_that_are_constants_of_a_program_are_a_warning(draw, text):
    model = Noisy(draw)
    jitted = tz.jit(lambda x: model(x))
    with pytest.warns(TraceWarning, match=text + ".* use tz.random") as caught:
        first = jitted(X)
    assert caught[0].filename == __file__ and same(jitted(X), first)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model(X)  # eager calls draw as always


def test_draws_of_ours_and_of_the_thread_that_reads_batches_are_none():
    np.random.seed(0)
    model = Sequential([Dropout(0.5), Dense(1, in_features=2)]).compile("sgd", loss="mse")

    def batches():
        for _ in range(40):
            time.sleep(0.001)
            x = np.random.normal(size=(4, 2))
            yield x, x.sum(1)

    model.fit(batches(), epochs=1, verbose=0)
