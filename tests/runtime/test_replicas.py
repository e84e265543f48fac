"""replicate: n models trained as one program are the n models trained one after another."""

import re
from typing import Any

import numpy as np
import pytest
from helpers import assert_same, compilations

import tarazu as tz
from tarazu.base.errors import ArgumentError, OutOfRangeError, TarazuError

SEEDS = [3, 1, 4]
STEPS = 20
_rng = np.random.default_rng(0)
X = _rng.normal(size=(16, 5)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.int64)


def build() -> tuple[Any, Any]:
    model = tz.nn.Sequential([tz.nn.Dense(8, "relu", in_features=5), tz.nn.BatchNorm(8), tz.nn.Dropout(0.3),
                               tz.nn.Dense(2, in_features=8)])
    return model, tz.optim.Adam(model.parameters(), lr=0.01)


def step(member: tuple[Any, Any], x: Any, y: Any) -> Any:
    model, optimizer = member
    optimizer.zero_grad()
    loss = tz.nn.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    return loss


def trained_alone(seed: int) -> tuple[list[float], Any]:
    tz.random.seed(seed)
    member = build()
    own_step = tz.jit(lambda x, y: step(member, x, y))
    return [own_step(X, Y).item() for _ in range(STEPS)], member


@pytest.fixture(scope="module")
def singles() -> list[tuple[list[float], Any]]:
    return [trained_alone(seed) for seed in SEEDS]


@pytest.mark.parametrize("jit", [True, False])
def test_replicas_train_like_single_models(singles, jit):
    models = tz.replicate(build, len(SEEDS), seeds=SEEDS)
    common_device = models.map(step)
    common_device = tz.jit(common_device) if jit else common_device
    losses = np.stack([common_device(X, Y).numpy() for _ in range(STEPS)])
    np.testing.assert_allclose(losses.T, [losses for losses, _ in singles], rtol=1e-4, atol=1e-6)
    for (model, optimizer), (_, (alone, its_optimizer)) in zip(models, singles, strict=True):
        for name, x in model.state_dict().items():
            np.testing.assert_allclose(x.numpy(), alone.state_dict()[name].numpy(), rtol=1e-3, atol=1e-5)
        for name, x in optimizer.state_dict().items():
            np.testing.assert_allclose(x.numpy(), its_optimizer.state_dict()[name].numpy(), rtol=1e-3, atol=1e-5)


def test_one_program_for_all_steps():
    models = tz.replicate(build, 2)
    common_device = tz.jit(models.map(step))
    with compilations(exactly=1):
        for _ in range(3):
            common_device(X, Y)


def test_members_differ_and_the_global_generator_goes_on_by_one_draw():
    tz.random.seed(5)
    models = tz.replicate(lambda: tz.nn.Dense(2, in_features=3), 3)
    state = tz.random.default.state.numpy()
    weights = [model.weight.numpy() for model in models]
    assert not np.array_equal(weights[0], weights[1])
    tz.random.seed(5)
    again = tz.replicate(lambda: tz.nn.Dense(2, in_features=3), 3)
    assert_same(again[2].weight, weights[2])
    models.map(lambda model: model.weight * tz.random.uniform())()
    np.testing.assert_array_equal(state, tz.random.default.state.numpy())


def test_a_member_is_an_object_of_its_own():
    models = tz.replicate(build, 2, seeds=[0, 1])
    model, optimizer = models[-1]
    assert optimizer.parameters[0] is model.parameters()[0]
    step((model, optimizer), X, Y)
    assert not np.array_equal(models[-1][0].parameters()[0].numpy(), model.parameters()[0].numpy())
    assert len(models) == len(list(models)) == 2


def test_members_that_are_rebuilt_start_anew_in_the_same_program():
    first = []
    models = tz.replicate(lambda: first.append(build()) or first[-1], 2, seeds=[7, 8])
    train = tz.jit(models.map(step))
    for _ in range(3):
        train(X, Y)
    models.rebuild(build, seeds=[3, 1])
    losses = [train(X, Y).tolist() for _ in range(3)]
    wanted = tz.replicate(build, 2, seeds=[3, 1])
    assert losses == [tz.jit(wanted.map(step))(X, Y).tolist() for _ in range(3)]
    assert train.traces == 1
    np.testing.assert_array_equal(models.values(first[0][0][0].weight)[1].numpy(), models[1][0][0].weight.numpy())


def test_data_of_its_own_for_each_member():
    models = tz.replicate(lambda: tz.nn.Dense(2, in_features=5), 4)
    out = models.map(lambda model, x: model(x), in_axes=0, out_axes=1)(X.reshape(4, 4, 5))
    assert out.shape == (4, 4, 2)
    np.testing.assert_allclose(out[:, 2].numpy(), models[2](X[8:12]).detach().numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("jit", [True, False])
def test_gradients_accumulate_from_call_to_call(jit):
    models = tz.replicate(lambda: tz.nn.Dense(1, in_features=5), 2)
    backward = models.map(lambda model, x: model(x).sum().backward())
    backward = tz.jit(backward) if jit else backward
    for _ in range(3):
        backward(X)
    for model in models:
        np.testing.assert_allclose(model.weight.grad.numpy()[:, 0], 3 * X.sum(0), rtol=1e-4, atol=1e-4)
    models.map(lambda model: setattr(model.weight, "grad", None))()
    assert models[0].weight.grad is None


def test_a_generator_of_its_own_is_replicated():
    seeds = iter([7, 8, 9])
    models = tz.replicate(lambda: tz.random.Generator(next(seeds)), 3)
    draw = models.map(lambda generator: tz.random.normal(2, generator=generator))
    draws = np.stack([draw().numpy() for _ in range(2)])
    for i, seed in enumerate([7, 8, 9]):
        alone = tz.random.Generator(seed)
        for row in draws[:, i]:
            assert_same(row, tz.random.normal(2, generator=alone))


def test_the_mode_is_that_of_all_members():
    models = tz.replicate(lambda: tz.nn.Dropout(0.5), 2)

    def evaluate(model, x):
        model.eval()
        return model(x)
    np.testing.assert_array_equal(models.map(evaluate)(tz.ones(4)).numpy(), np.ones((2, 4)))
    assert not models[0].training


@pytest.mark.parametrize(("kind", "text", "run"), [
    (ArgumentError, "replicate: n=0", lambda: tz.replicate(build, 0)),
    (ArgumentError, "2 seeds for 3 replicas", lambda: tz.replicate(build, 3, seeds=[1, 2])),
    (ArgumentError, "differ in .x", lambda: tz.replicate(_grown, 2)),
    (OutOfRangeError, "member 2 of 2 replicas", lambda: tz.replicate(build, 2)[2]),
    (TarazuError, "the number of replicas 2, argument 0 along axis 0 3",
     lambda: tz.replicate(build, 2).map(lambda m, *xs: xs[0], in_axes=0)(tz.ones(3))),
    (ArgumentError, "rebuild: 1 seeds for 2 replicas", lambda: tz.replicate(build, 2).rebuild(build, seeds=[1])),
    (ArgumentError, "differ in .weight", lambda: tz.replicate(lambda: tz.nn.Dense(2, in_features=3), 2).rebuild(
        lambda: tz.nn.Dense(3, in_features=3), seeds=[1, 2])),
    (ArgumentError, "a tensor that is no part", lambda: tz.replicate(build, 2).values(tz.ones(2))),
    (TarazuError, "replicate inside a traced function", lambda: tz.jit(lambda: tz.replicate(build, 2, seeds=[0, 1]))()),
])
def test_errors(kind, text, run):
    with pytest.raises(kind, match=re.escape(text)) as caught:
        run()
    assert "to mend it" in str(caught.value)


_sizes = iter((1, 2))


def _grown() -> Any:
    return _Holder(next(_sizes))


class _Holder:
    def __init__(self, size: int) -> None:
        self.x = tz.zeros(size)


def _decay_then_accumulate(model, x):
    with tz.no_grad():
        model.weight.mul_(0.9)
    model(x).sum().backward()
    return model.weight.grad


def _clear_all(model, x):
    for p in model.parameters():
        p.grad = None
    return model(x)


@pytest.mark.parametrize("function", [_decay_then_accumulate, _clear_all])
def test_gradients_of_members_are_cleared_and_accumulated_under_jit_as_eagerly(function):
    def run(wrap):
        models = tz.replicate(lambda: tz.nn.Dense(1, in_features=2), 2, seeds=[1, 2])
        step, more = wrap(models.map(function)), models.map(lambda model, x: model(x).sum().backward())
        seen = []
        for i in range(4):
            seen.append(step(tz.full(2, float(i))).tolist())
            seen.append([None if m.weight.grad is None else m.weight.grad.tolist() for m in models])
            more(tz.ones(2))
        return seen
    for found, wanted in zip(run(tz.jit), run(lambda f: f), strict=True):
        assert found == wanted or np.allclose(found, wanted)


def test_layers_of_replicas_have_to_know_their_sizes():
    models = tz.replicate(lambda: tz.nn.Sequential(tz.nn.Dense(2)), 3)
    with pytest.raises(tz.TarazuError, match="one of several replicas has not seen an input yet"):
        models.map(lambda model, x: model(x), in_axes=(None,))(tz.ones(2, 2))
