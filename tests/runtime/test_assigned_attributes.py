"""Attributes that modules assign tensors to in `forward`: transformations leave in them what eager calls do."""

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import TraceError
from tarazu.base.pytree import flatten


class Counting(tz.nn.Module):
    def __init__(self):
        self.count = tz.zeros(2)
        self.steps = 0

    def forward(self, x):
        self.count = self.count + x.mean()
        return x * self.count


class Swapping(tz.nn.Module):
    def __init__(self):
        self.states = [tz.zeros(2), tz.ones(2)]

    def forward(self, x):
        first, second = self.states
        self.states = [second, first + x]
        return first * 10 + second


class InPlace(tz.nn.Module):
    """Puts new tensors into a dict and into a list in a list."""

    def __init__(self):
        self.states = {"sum": tz.zeros(2)}
        self.nested = [tz.ones(2), [tz.ones(2)]]

    def forward(self, x):
        self.states["sum"] = self.states["sum"] + x
        self.nested[1][0] = self.nested[1][0] * 2
        self.nested[0], self.nested[1][0] = self.nested[1][0], self.nested[0]
        return self.states["sum"] + self.nested[0]


class Remembering(tz.nn.Module):
    def __init__(self):
        self._seen = []

    def forward(self, x):
        self._seen.append(x * 2)
        return x


class Delaying(tz.nn.Module):
    """Both attributes hold one tensor at first."""

    def __init__(self):
        self.now = self.before = tz.zeros(2)

    def forward(self, x):
        self.before = self.now
        self.now = self.now + x
        return self.before * 10 + self.now


class Lazy(tz.nn.Module):
    state = None

    def forward(self, x):
        if self.state is None:
            self.state = tz.zeros_like(x)
        if not hasattr(self, "total"):
            self.total = x * 0
        self.state, self.total = tz.tanh(self.state + x), self.total + x
        return self.state + self.total


class Showing(tz.nn.Module):
    def forward(self, x):
        self.last = x * 2
        return x


def _twice(module):
    return lambda x: tz.scan(lambda c, _: (c, module(x)), 0, length=2)[1][1]


def _once(module):
    return lambda x: tz.scan(lambda c, _: (c, module(x)), 0, length=1)[1][0]


def _chosen(module):
    return lambda x: tz.cond(x[0] > 0, module, lambda x: x, x)


def _mapped(module):
    return lambda x: tz.vmap(lambda a: module(x) + a)(tz.zeros(3, 2))[0]


STRAIGHT = {"jit": lambda m: tz.jit(lambda x: m(x)), "checkpoint": tz.checkpoint, "vmap": _mapped,
            "jitted checkpoint": lambda m: tz.jit(tz.checkpoint(m))}
WITH_BODIES = {"scan": _once, "jitted scan": lambda m: tz.jit(_once(m)), "cond": _chosen,
               "nested": lambda m: tz.checkpoint(_once(_chosen(m)))}


def content(module):
    return [x.numpy() for x in flatten(vars(module))[0] if isinstance(x, tz.Tensor)]


def assert_alike(make, wrap, traces=1):
    plain, module = make(), make()
    function = wrap(module)
    for i in range(4):
        x = tz.tensor([1.0, i])
        np.testing.assert_allclose(function(x).numpy(), plain(x).numpy(), rtol=1e-6)
        np.testing.assert_allclose(content(module), content(plain), rtol=1e-6)
    assert getattr(function, "traces", 1) <= traces


@pytest.mark.parametrize("wrap", [*STRAIGHT.values(), *WITH_BODIES.values()], ids=[*STRAIGHT, *WITH_BODIES])
@pytest.mark.parametrize("make", [Counting, Swapping, InPlace])
def test_assigned_attributes_are_state(make, wrap):
    assert_alike(make, wrap)


@pytest.mark.parametrize("wrap", STRAIGHT.values(), ids=STRAIGHT)
@pytest.mark.parametrize("make", [Delaying, Lazy, Showing])
def test_the_first_tensor_of_an_attribute_takes_one_more_trace_at_most(make, wrap):
    assert_alike(make, wrap, traces=2)


@pytest.mark.parametrize("wrap", STRAIGHT.values(), ids=STRAIGHT)
def test_a_list_that_grows_is_traced_for_each_length(wrap):
    assert_alike(Remembering, wrap, traces=4)


def test_other_references_to_a_list_keep_what_was_in_it():
    module = InPlace()
    states, first = module.states, module.states["sum"]
    tz.checkpoint(module)(tz.ones(2))
    assert states["sum"] is first
    assert module.states["sum"].tolist() == [1, 1]


def test_steps_of_a_loop_see_what_the_step_before_assigned():
    plain, module = Counting(), Counting()
    x = tz.ones(2)
    plain(x)
    np.testing.assert_array_equal(_twice(module)(x).numpy(), plain(x).numpy())
    np.testing.assert_array_equal(module.count.numpy(), plain.count.numpy())


def test_the_value_of_before_is_left_alone():
    module = Counting()
    first = module.count
    tz.checkpoint(module)(tz.ones(2))
    assert first.tolist() == [0, 0]


def test_gradients_flow_through_what_a_checkpoint_assigns():
    def slopes(wrap):
        module, w = Counting(), tz.tensor([1.0, 2.0], requires_grad=True)
        wrap(module)(w * 3)
        module.count.sum().backward()
        return w.grad.numpy()
    np.testing.assert_allclose(slopes(tz.checkpoint), slopes(lambda f: f))


@pytest.mark.parametrize("make", [Delaying, Lazy])
@pytest.mark.parametrize("wrap", [_once, _chosen, lambda m: tz.jit(_once(m))])
def test_an_attribute_that_a_loop_or_branch_has_no_first_value_of_is_an_error(make, wrap):
    module = make()
    before = content(module)
    with pytest.raises(TraceError, match=r"assigns a tensor to the attribute \w+ of (.|\n)*give it a tensor"):
        wrap(module)(tz.ones(2))
    np.testing.assert_equal(content(module), before)


def test_an_error_while_tracing_leaves_no_traced_attributes():
    class Failing(Counting):
        def forward(self, x):
            super().forward(x)
            raise ValueError("no")
    for wrap in (*STRAIGHT.values(), *WITH_BODIES.values()):
        module = Failing()
        with pytest.raises(ValueError, match="no"):
            wrap(module)(tz.ones(2))
        assert module.count.tolist() == [0, 0]

    class FailingLater(InPlace):
        def forward(self, x):
            super().forward(x)
            raise ValueError("no")
    for wrap in (*STRAIGHT.values(), *WITH_BODIES.values()):
        module, states = FailingLater(), content(InPlace())
        with pytest.raises(ValueError, match="no"):
            wrap(module)(tz.ones(2))
        np.testing.assert_equal(content(module), states)


class BesideParameters(tz.nn.Module):
    """Has parameters in the containers that it puts new tensors into."""

    def __init__(self):
        self.table = {"mean": tz.zeros(2), "scale": tz.nn.Parameter(tz.ones(2))}
        self.listed = [tz.zeros(2), tz.nn.Parameter(tz.ones(2))]

    def forward(self, x):
        self.table["mean"] = self.table["mean"] + x.mean(axis=0)
        self.listed[0] = self.listed[0] + 1
        if len(self.listed) < 3:
            self.listed.append(x.mean(axis=0))
        return x * self.table["scale"] + self.listed[1]


@pytest.mark.parametrize("wrap", STRAIGHT.values(), ids=STRAIGHT)
def test_parameters_beside_what_is_assigned_stay_themselves(wrap):
    plain, module = BesideParameters(), BesideParameters()
    parameters = module.table["scale"], module.listed[1]
    function, x = wrap(module), tz.asarray(np.arange(4.0, dtype="f").reshape(2, 2))
    for _ in range(3):
        function(x)
        plain(x)
    assert module.table["scale"] is parameters[0]
    assert module.listed[1] is parameters[1]
    np.testing.assert_allclose(content(module), content(plain), rtol=1e-6)


def test_parameters_beside_what_is_assigned_are_trained():
    model, x = BesideParameters(), np.ones((8, 2), np.float32)
    model.listed.append(tz.zeros(2))
    scale, added = model.table["scale"], model.listed[1]
    model.compile("sgd", loss="mse").fit(x, 3 * x, epochs=2, batch_size=4, verbose=0)
    assert model.table["scale"] is scale
    assert model.listed[1] is added
    assert (scale.numpy() > 1).all()
    assert (added.numpy() > 1).all()
    np.testing.assert_allclose(model.table["mean"].numpy(), [4, 4])
    np.testing.assert_allclose(model.listed[0].numpy(), [4, 4])


def test_a_model_that_assigns_attributes_is_fitted_and_saved(tmp_path):
    class Model(tz.nn.Module):
        def __init__(self):
            self.dense, self.calls = tz.nn.Dense(1, in_features=2), tz.tensor(0.0)
            self.counts = {"calls": tz.tensor(0.0)}

        def forward(self, x):
            self.calls = self.calls + 1
            self.counts["calls"] = self.counts["calls"] + 1
            self.last = x + 1
            return self.dense(x)
    model = Model().compile("sgd", loss="mse")
    x = np.ones((8, 2), np.float32)
    for _ in range(2):
        model.fit(x, x[:, :1], epochs=2, batch_size=4, verbose=0)
    assert model.calls.item() == model.counts["calls"].item() == 8
    assert model.last.numpy().shape == (4, 2)
    model.save_weights(tmp_path / "weights.safetensors")
