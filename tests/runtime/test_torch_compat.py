"""What users of PyTorch write from habit, in Tarazu."""

import copy

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import GradientError, ShapeError

X = tz.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


@pytest.mark.parametrize(("habit", "shape"), [
    (lambda x: x.view(-1, 1), (6, 1)), (lambda x: x.view(-1), (6,)), (lambda x: x.reshape((3, 2)), (3, 2)),
    (lambda x: x.flatten(), (6,)), (lambda x: x.unsqueeze(0), (1, 2, 3)), (lambda x: x.unsqueeze(-1), (2, 3, 1)),
    (lambda x: x.unsqueeze(0).squeeze(), (2, 3)), (lambda x: x[:1].squeeze(0), (3,)),
    (lambda x: x.transpose(0, 1), (3, 2)), (lambda x: x.T, (3, 2)), (lambda x: x.mT, (3, 2)),
    (lambda x: x.permute(1, 0), (3, 2)), (lambda x: x[:, :1].expand(2, 4), (2, 4)),
    (lambda x: x[:, :1].expand(-1, 4), (2, 4)), (lambda x: x.expand(5, -1, -1), (5, 2, 3)),
    (lambda x: x.clone(), (2, 3)), (lambda x: x.detach(), (2, 3)), (lambda x: x.data, (2, 3))])
def test_shapes(habit, shape):
    assert habit(X).shape == shape


def test_expand_needs_an_axis_for_each_minus_one():
    with pytest.raises(ShapeError, match=r"expand to \(-1, 2, 3\) of a tensor of shape \(2, 3\)\n.*-1 only"):
        X.expand(-1, 2, 3)


@pytest.mark.parametrize(("habit", "dtype"), [
    ("float", tz.float32), ("double", tz.float64), ("int", tz.int32), ("long", tz.int64), ("bool", tz.bool)])
def test_conversions(habit, dtype):
    assert getattr(X, habit)().dtype is dtype
    assert X.type(dtype).dtype is dtype


def test_out_to_python():
    assert (X.numel(), X.dim(), X.sum().item(), X.tolist()) == (6, 2, 21.0, X.numpy().tolist())
    assert [row.tolist() for row in X] == X.tolist()


@pytest.mark.parametrize(("change", "wanted"), [
    (lambda x: x.add_(1), [2, 3]), (lambda x: x.sub_(1), [0, 1]), (lambda x: x.mul_(3), [3, 6]),
    (lambda x: x.div_(2), [0.5, 1]), (lambda x: x.zero_(), [0, 0]), (lambda x: x.fill_(7), [7, 7]),
    (lambda x: x.copy_([3, 4]), [3, 4]), (lambda x: x.clamp_(min=1.5), [1.5, 2]), (lambda x: x.pow_(2), [1, 4])])
@pytest.mark.parametrize("how", ["directly", "data", "data in jit"])
def test_in_place(change, wanted, how):
    x = tz.tensor([1.0, 2.0], requires_grad=how != "directly")
    if how == "directly":
        assert change(x) is x
    elif how == "data":
        change(x.data)
    else:
        step = tz.jit(lambda: [change(x.data), None][1])
        step()
    assert x.detach().tolist() == wanted
    assert x.requires_grad == (how != "directly")


# .data

def test_data_is_an_alias_that_gradients_do_not_see():
    w = tz.tensor([1.0, 2.0], requires_grad=True)
    alias = w.data
    (w * alias).sum().backward()
    assert w.grad.tolist() == [1, 2]
    assert not alias.requires_grad and alias.grad is None and (alias * 2).grad_fn is None
    alias += 1
    alias[0] = 9
    assert w.detach().tolist() == alias.tolist() == [9, 3]
    w.data = [5, 6]
    assert alias.tolist() == [5, 6]
    assert copy.deepcopy(alias).tolist() == [5, 6]


def test_data_of_a_result_keeps_its_place_on_the_tape():
    w = tz.tensor([1.0, 2.0], requires_grad=True)
    y = w * 3
    y.data.zero_()
    assert y.detach().tolist() == [0, 0]
    y.sum().backward()
    assert w.grad.tolist() == [3, 3]


def test_the_loop_of_the_lesson():
    def run(is_jitted):
        w = tz.tensor([100.0], requires_grad=True)

        def step(x, y):
            loss = ((y - w * x) ** 2).mean()
            loss.backward()
            w.data.sub_(0.1 * w.grad)
            w.grad.zero_()
            return loss

        call = tz.jit(step) if is_jitted else step
        return [call(tz.tensor([1.0, 2.0]), tz.tensor([2.0, 4.0])).item() for _ in range(6)], w.item()

    assert run(True) == run(False)
    assert run(False)[1] == pytest.approx(2, abs=2)


def test_data_of_an_argument_and_a_gradient_through_the_jitted_function():
    @tz.jit
    def f(x):
        y = x * x.data
        x.data.add_(1)
        return y

    x = tz.tensor(3.0, requires_grad=True)
    f(x).backward()
    assert (x.grad.item(), x.item()) == (3, 4)


# Hooks

@pytest.mark.parametrize("is_jitted", [False, True])
def test_hooks_see_and_replace_gradients(is_jitted):
    w = tz.tensor([1.0, 2.0], requires_grad=True)
    handle = w.register_hook(lambda gradient: gradient * 10)

    def step():
        y = w * 2
        y.register_hook(lambda gradient: gradient + 1)
        y.sum().backward()

    call = tz.jit(step) if is_jitted else step
    call()
    assert w.grad.tolist() == [40, 40]
    handle.remove()
    handle.remove()
    w.grad = None
    call()
    assert w.grad.tolist() == [4, 4]


def test_a_hook_that_returns_nothing_leaves_the_gradient():
    seen = []
    w = tz.tensor(3.0, requires_grad=True)
    w.register_hook(seen.append)
    (w * w + w).backward()
    assert (seen[0].item(), w.grad.item(), len(seen)) == (7, 7, 1)


def test_hooks_of_jitted_arguments_and_results():
    x = tz.tensor(3.0, requires_grad=True)
    f = tz.jit(lambda x: x * x)
    y = f(x)
    y.register_hook(lambda g: g * 2)
    y.backward()
    assert x.grad.item() == 12
    step = tz.jit(lambda x: (x * x).backward())
    step(x)
    x.register_hook(lambda g: g * 100)
    step(x)
    assert x.grad.item() == 12 + 6 + 600


def test_hooks_inside_grad():
    def f(x):
        y = x * x
        y.register_hook(lambda g: g * 5)
        return y
    assert tz.grad(f)(tz.tensor(2.0)).item() == 20


@pytest.mark.parametrize(("hook", "match"), [
    (lambda g: tz.ones(3), r"a gradient hook gave a value of shape \(3,\) for a gradient of shape \(2,\)"),
    (lambda g: 1.0, "a gradient hook gave float")])
def test_hooks_that_give_something_else(hook, match):
    w = tz.ones(2, requires_grad=True)
    w.register_hook(hook)
    with pytest.raises(ShapeError, match=match):
        w.sum().backward()


def test_hooks_need_a_tracked_tensor():
    with pytest.raises(GradientError, match="nothing is recorded for\n.*requires_grad=True(.|\n)*x.requires_grad_"):
        tz.ones(2).register_hook(print)


def test_retain_grad():
    x = tz.tensor(3.0, requires_grad=True)
    y = x * 2
    y.retain_grad()
    x.retain_grad()
    (y * y).backward(retain_graph=True)
    assert (y.grad.item(), x.grad.item()) == (12, 24)
    (y * y).backward()
    assert y.grad.item() == 24


# The repr

@pytest.mark.parametrize(("result", "name"), [
    (lambda x: x.mean(), "Mean"), (lambda x: x.mean(0, keepdims=True), "Mean"), (lambda x: x.var(), "Var"),
    (lambda x: x.std(), "Std"), (lambda x: x.sum(), "Sum"), (lambda x: tz.logsumexp(x), "Logsumexp"),
    (lambda x: x * 2, "Mul"), (lambda x: tz.softmax(x), "Softmax"), (lambda x: x.mean() * 2, "Mul")])
def test_grad_fn_is_named_for_what_the_user_called(result, name):
    x = tz.ones(2, 3, requires_grad=True)
    assert repr(result(x)).endswith(f"grad_fn=<{name}Backward>)")
    assert result(x).grad_fn.name == f"{name}Backward"
    assert "grad_fn" not in repr(result(x.detach()))


def test_repr():
    assert repr(tz.tensor([1.5, 2.0])) == "Tensor([1.5, 2. ], dtype=float32)"
    assert repr(tz.zeros(1, requires_grad=True)) == "Tensor([0.], dtype=float32, requires_grad=True)"
    assert f"{tz.tensor(2.0) / 3:.4f}" == "0.6667"


def test_repr_names_a_device_that_is_not_the_cpu(monkeypatch):
    monkeypatch.setattr(tz.Tensor, "device", "gpu:0")
    assert repr(tz.ones(1)) == "Tensor([1.], dtype=float32, device='gpu:0')"


def test_freeze():
    w = tz.ones(2, requires_grad=True).requires_grad_(False)
    assert not w.requires_grad and (w * 2).grad_fn is None
    np.testing.assert_array_equal(w.detach().numpy(), [1, 1])


@pytest.mark.parametrize("compiled", [False, True])
def test_values_that_are_taken_over_without_gradients_bring_none(compiled):
    w, of_result, of_leaf = tz.ones(2, requires_grad=True), tz.zeros(2), tz.zeros(2)

    def step():
        y = w * 2
        with tz.no_grad():
            of_result.copy_(y)
            of_leaf.copy_(w)
        return y.sum()

    (tz.jit(step) if compiled else step)().backward()
    assert not of_result.requires_grad and not of_leaf.requires_grad and of_leaf.grad is None
    assert (of_result.tolist(), of_leaf.tolist(), w.grad.tolist()) == ([2, 2], [1, 1], [2, 2])
    w.grad = None
    kept = tz.zeros(2).copy_(w * 3)
    kept.sum().backward()
    assert w.grad.tolist() == [3, 3], "outside no_grad gradients flow through"
