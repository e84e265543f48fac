"""Groups of parameters: options by patterns of paths and in dicts, schedules that scale them, saved models."""

import numpy as np
import pytest
from helpers import compilations, same_bits

import tarazu as tz
from tarazu.base.errors import ArgumentError
from tarazu.optim import SGD, Adam, AdamW, Muon

X = np.linspace(-1, 1, 24, dtype=np.float32).reshape(12, 2)
Y = (X[:, :1] - 2 * X[:, 1:] + 0.5).astype(np.float32)


def net():
    tz.random.seed(0)
    return tz.nn.Sequential([tz.nn.Dense(3, in_features=2), tz.nn.Dense(1, in_features=3)])


def loss_of(model):
    return tz.nn.mse(model(tz.asarray(X)), Y)


def steps(model, optimizer, count=5, *, is_jitted=False):
    def step():
        optimizer.zero_grad()
        loss_of(model).backward()
        optimizer.step()

    run = tz.jit(step) if is_jitted else step
    for _ in range(count):
        run()
    return {path: x.detach().numpy() for path, x in model.named_parameters()}


def test_each_group_moves_as_an_optimizer_of_its_own_would():
    groups = {"*.bias": {"weight_decay": 0.0}, "0.*": {"lr": 0.01}, "1.weight": {"betas": (0.5, 0.9)}}
    model = net()
    together = steps(model, AdamW(model.named_parameters(), lr=0.1, weight_decay=0.2, groups=groups))
    options = {"0.weight": {"lr": 0.01}, "0.bias": {"lr": 0.01, "weight_decay": 0.0}, "1.weight": {"betas": (0.5, 0.9)},
               "1.bias": {"weight_decay": 0.0}}
    twin = net()
    single = [AdamW([x], **{"lr": 0.1, "weight_decay": 0.2} | options[path]) for path, x in twin.named_parameters()]
    for _ in range(5):
        loss_of(twin).backward()
        for optimizer in single:
            optimizer.step()
            optimizer.zero_grad()
    for path, x in twin.named_parameters():
        np.testing.assert_allclose(together[path], x.detach().numpy(), rtol=1e-5, err_msg=path)


def test_dicts_as_in_torch():
    first, second = net(), net()
    by_dicts = Adam([{"params": first[0].parameters()}, {"params": first[1].parameters(), "lr": 0.2}], lr=0.01)
    by_patterns = Adam(second.named_parameters(), lr=0.01, groups={"1.*": {"lr": 0.2}})
    assert [float(group.lr_factor) for group in by_dicts.groups] == [1, 20]
    one, other = steps(first, by_dicts), steps(second, by_patterns)
    assert all(same_bits(one[path], other[path]) for path in one)


def test_the_rate_and_schedules_scale_all_groups_without_a_new_trace():
    w, b, c = (tz.zeros(1, requires_grad=True) for _ in range(3))
    own = tz.optim.step_decay(8.0, 0.5, every=1)
    optimizer = SGD([("w", w), ("b", b), ("c", c)], lr=1.0, groups={"b": {"lr": 0.25}, "c": {"lr": own}})
    step = tz.jit(lambda: optimizer.apply_gradients([(-tz.ones(1), x) for x in (w, b, c)]))
    with compilations(exactly=1):
        for rate in (1.0, 2.0):
            optimizer.lr = rate
            step()
    assert [x.item() for x in (w, b, c)] == [3.0, 0.75, 12.0]
    optimizer.groups[1].lr_factor.copy_(1.0)
    step()
    assert [x.item() for x in (w, b, c)] == [5.0, 2.75, 14.0]
    optimizer.lr = lambda step: step + 1  # 4 in the fourth step
    step()
    assert [x.item() for x in (w, b, c)] == [9.0, 6.75, 15.0]


def test_gradients_are_clipped_over_all_groups_together():
    a, b = (tz.zeros(1, requires_grad=True) for _ in range(2))
    optimizer = SGD([("a", a), ("b", b)], lr=1.0, clip_norm=1.0, groups={"b": {"lr": 2.0, "momentum": 0.9}})
    optimizer.apply_gradients([(tz.tensor([3.0]), a), (tz.tensor([4.0]), b)])
    assert (a.item(), b.item()) == pytest.approx((-0.6, -1.6))


def test_the_first_pattern_that_gives_an_option_counts():
    a = tz.zeros(1, requires_grad=True)
    optimizer = SGD([("body.a", a)], lr=1.0, groups={"*.a": {"lr_factor": 3.0}, "body.*": {"lr": 5.0, "momentum": 0.5}})
    assert repr(optimizer.groups) == "[Group(lr_factor=3, chain=[Momentum])]"


def test_a_group_may_take_another_way_through_muon():
    w, v = (tz.tensor(np.eye(2), requires_grad=True) for _ in range(2))
    optimizer = Muon([("w", w), ("head", v)], lr=0.1, weight_decay=0.0, groups={"head": {"matrices": False}})
    optimizer.apply_gradients([(tz.tensor([[1.0, 0.0], [0.0, 2.0]]).astype("float64"), x) for x in (w, v)])
    np.testing.assert_allclose(v.numpy(), [[0.9, 0.0], [0.0, 0.9]], rtol=1e-6)  # Adam: the sign
    assert 0.96 < w[0, 0].item() < 0.99


def test_fit_gives_the_optimizer_paths_and_saved_models_keep_groups(tmp_path):
    groups = {"*.bias": {"lr": 0.0}, "1.*": {"weight_decay": 0.5}}
    model = net().compile(AdamW(lr=0.01, groups=groups), loss="mse")
    model.fit(X, Y, epochs=2, seed=0, verbose=0)
    assert model[0].bias.tolist() == [0, 0, 0] and model[1].bias.tolist() == [0]
    model.save(tmp_path / "model")
    twin = tz.load(tmp_path / "model")
    assert repr(twin._trainer.optimizer.groups) == repr(model._trainer.optimizer.groups)
    for one in (model, twin):
        one.fit(X, Y, epochs=2, seed=1, verbose=0)
    assert all(same_bits(x.numpy(), y.numpy()) for x, y in zip(model.parameters(), twin.parameters(), strict=True))
    optimizer = Adam([{"params": model[0].parameters(), "lr": 0.1}, {"params": model[1].parameters()}], lr=0.01)
    model.compile(optimizer, loss="mse").fit(X, Y, epochs=1, seed=0, verbose=0)
    model.save(tmp_path / "dicts")
    assert repr(tz.load(tmp_path / "dicts")._trainer.optimizer.groups) == repr(optimizer.groups)


def test_a_chain_of_ones_own_has_groups_with_rates():
    class Sign(tz.optim.Transformation):
        def update(self, g, parameter, slots, step):
            return tz.sign(g)

    a, b = (tz.zeros(1, requires_grad=True) for _ in range(2))
    optimizer = tz.optim.Optimizer([("a", a), ("b", b)], 1.0, [Sign()], groups={"b": {"lr_factor": 0.5}})
    optimizer.apply_gradients([(tz.ones(1) * 3, a), (tz.ones(1) * 3, b)])
    assert (a.item(), b.item()) == (-1.0, -0.5)


W = tz.ones(1, requires_grad=True)
ERRORS = {
    "pattern": (lambda: SGD([("a.w", W)], groups={"*.bias": {"lr": 0.1}}),
                r"groups: the pattern '\*.bias' matches nothing\n  expected: paths: \['a.w'\]"),
    "no paths": (lambda: SGD([W], groups={"*.bias": {"lr": 0.1}}), r"parameters without paths[\s\S]*named_parameters"),
    "option": (lambda: AdamW(groups={"*": {"weight_dacay": 0}}),
               r"option 'weight_dacay' of a group[\s\S]*one of lr, lr_factor, betas[\s\S]*did you mean 'weight_decay'"),
    "clipping": (lambda: AdamW(groups={"*": {"clip_norm": 1.0}}), "option 'clip_norm' of a group"),
    "value": (lambda: AdamW(groups={"*": {"weight_decay": -1}}), "weight_decay=-1"),
    "rate": (lambda: SGD(groups={"*": {"lr": -1}}), "lr=-1"),
    "of a schedule": (lambda: SGD(lr=tz.optim.cosine_decay(0.1, 5), groups={"*": {"lr": 0.1}}),
                      r"a group with lr=0.1 of an optimizer with a schedule[\s\S]*lr_factor"),
    "of rate 0": (lambda: SGD(lr=0.0, groups={"*": {"lr": 0.1}}), "with the learning rate 0"),
    "no dict": (lambda: SGD(groups=[("*", {"lr": 0.1})]), "groups=.*\n  expected: a dict by patterns"),
    "options": (lambda: SGD(groups={"*": 0.1}), "0.1 as the options of a group"),
    "no params": (lambda: SGD([{"lr": 0.1}]), r'keys lr\n  expected: a dict with "params"'),
    "a dict alone": (lambda: SGD({"params": [W]}), "a dict as the parameters"),
    "of own chain": (lambda: tz.optim.Optimizer(None, 0.1, [], groups={"*": {"momentum": 0.5}}), "option 'momentum'"),
}


@pytest.mark.parametrize(("act", "text"), ERRORS.values(), ids=ERRORS)
def test_errors(act, text):
    with pytest.raises(ArgumentError, match=text):
        act()


def test_an_unknown_pattern_is_an_error_of_fit():
    model = net().compile(AdamW(groups={"*.kernel": {"lr": 0.1}}), loss="mse")
    with pytest.raises(ArgumentError, match=r"'\*.kernel' matches nothing"):
        model.fit(X, Y, verbose=0)
