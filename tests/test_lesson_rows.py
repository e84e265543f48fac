"""The low-level code of the lesson "Neural network frameworks", a test for each row of its inventory (B to E).

Each is written as the lesson writes it, or shorter.
"""

import re

import numpy as np
import pytest

import tarazu as tz


@pytest.fixture
def line_data():
    """Two hundred points of a line, and a start far from it."""
    x = tz.tensor(np.linspace(0, 3, 120), dtype=tz.float32)
    return x, 2 * x + 0.9


# Tensors

def test_b1_version():
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", tz.__version__)


def test_b2_nested_lists():
    assert repr(tz.tensor([[1, 2], [3, 4]])) == "Tensor([[1, 2],\n        [3, 4]], dtype=int64)"


def test_b3_from_numpy_with_a_dtype():
    data = np.random.default_rng(0).permutation(np.linspace(0, 3, 7))
    x = tz.tensor(data, dtype=tz.float32)
    assert x.dtype is tz.float32 and x.shape == (7,)


def test_b4_random_normal():
    assert tz.randn(10, 3).shape == tz.randn((10, 3)).shape == (10, 3)
    assert tz.randn(2, 2).dtype is tz.float32


def test_b5_zeros():
    x = tz.randn(10, 3)
    assert tz.zeros(2).tolist() == [0, 0] and tz.zeros_like(x[0]).tolist() == [0, 0, 0]


def test_b6_eye():
    assert tz.eye(2).tolist() == [[1, 0], [0, 1]]


def test_b7_elementwise():
    a, b = tz.tensor([1.0, 2.0]), tz.tensor([3.0, 4.0])
    assert (2 * a + b - 1 - -a * b).tolist() == [7, 15]


def test_b8_broadcasting():
    x = tz.randn(10, 3)
    assert (x - x[0])[0].tolist() == [0, 0, 0]


def test_b9_indexing():
    x = tz.arange(10)
    assert x[0].item() == 0 and [x[i:i + 4].tolist() for i in range(0, 10, 4)][-1] == [8, 9]
    order = np.random.default_rng(0).permutation(10)
    assert x[order].tolist() == order.tolist()


def test_b10_iterating_gives_rows():
    x = tz.tensor([[1.0, 2.0], [3.0, 4.0]])
    total = tz.zeros_like(x[0])
    for row in x:
        total += row
    assert total.tolist() == x.sum(axis=0).tolist() == [4, 6]


def test_b11_functions():
    x = tz.tensor([[1.0, 4.0], [9.0, 16.0]])
    assert x.exp().log().round().tolist() == x.sqrt().square().tolist() == x.sqrt().pow(2).tolist() == x.tolist()
    assert x.mean().item() == 7.5 and x.sum(axis=0).tolist() == [10, 20] and tz.sum(x).item() == 30
    assert tz.matmul(x, tz.eye(2)).tolist() == x.tolist() and tz.sigmoid(tz.zeros(1)).item() == 0.5


def test_b12_reshaping():
    y = tz.arange(6)
    assert y.view(-1, 1).shape == tz.reshape(y, (-1, 1)).shape == tz.expand_dims(y, 1).shape == (6, 1)
    assert y.view(2, 3).view(-1).shape == y.view(2, 3).flatten().shape == (6,)


def test_b13_comparison_and_cast():
    predicted, labels = tz.tensor([0.2, 0.7, 0.9]), tz.tensor([0.0, 1.0, 0.0])
    hits = (predicted > 0.5).float() == labels
    assert hits.dtype is tz.bool and hits.float().mean().item() == pytest.approx(2 / 3)
    assert tz.equal((predicted > 0.5).type(tz.float32), labels).tolist() == hits.tolist()


def test_b14_out_to_python():
    loss = tz.tensor(0.53331)
    assert float(loss) == loss.item() == pytest.approx(0.53331)
    assert f"{loss:.4f}" == "%.4f" % loss == "0.5333" and f"{tz.tensor(2)}" == "2"  # noqa: UP031
    assert loss.numpy().shape == ()


def test_b15_detach():
    w = tz.randn(3, requires_grad=True)
    assert w.detach().numpy().tolist() == w.detach().tolist() and not w.detach().requires_grad


def test_b16_repr():
    a = tz.ones(2, requires_grad=True)
    assert repr(a) == "Tensor([1., 1.], dtype=float32, requires_grad=True)"
    assert repr(a.mean()) == "Tensor(1., dtype=float32, grad_fn=<MeanBackward>)"
    assert repr(tz.Variable([1.0], name="w")) == "<tarazu.Variable 'w' shape=(1,) dtype=float32, value=[1.]>"


def test_b17_pictures_and_video():
    gray, color = tz.zeros(400, 400), tz.zeros(400, 400, 3)
    video = tz.zeros(2, 5, 40, 40, 3)
    assert (gray.ndim, color.ndim, tz.stack([color] * 2).shape, video.ndim) == (2, 3, (2, 400, 400, 3), 5)


def test_b18_matrix_times_vector():
    assert tz.matmul(tz.ones(120, 1), tz.tensor([2.0])).shape == (120,)


# Mutation

def test_c1_new_or_in_place():
    u = tz.tensor(5)
    assert u.add(tz.tensor(3)).item() == 8 and u.item() == 5
    u.add_(tz.tensor(3))
    assert u.item() == 8


def test_c2_rows_in_place():
    x = tz.randn(10, 3)
    s = tz.zeros_like(x[0])
    for row in x:
        s.add_(row)
    np.testing.assert_allclose(s.numpy(), x.sum(axis=0).numpy(), rtol=1e-4, atol=1e-5)


def test_c3_behind_the_back_of_autograd():
    w = tz.tensor([1.0], requires_grad=True)
    with pytest.raises(tz.TarazuError, match="leaf tensor with requires_grad was changed in place"):
        w.add_(1)
    w.data.add_(1)
    w.data.sub_(0.5)
    assert w.item() == 1.5 and w.requires_grad
    w.data.zero_()
    assert w.item() == 0


def test_c4_zero_the_gradient():
    w = tz.tensor([2.0], requires_grad=True)
    (w * w).backward()
    assert w.grad.item() == 4
    w.grad.zero_()
    assert w.grad.item() == 0


def test_c5_variables():
    x = tz.randn(10, 3)
    s = tz.Variable(tz.zeros_like(x[0]))
    for row in x:
        s.assign_add(row)
    np.testing.assert_allclose(s.numpy(), tz.sum(x, axis=0).numpy(), rtol=1e-4, atol=1e-5)
    w = tz.Variable([100.0])
    w.assign_sub([1.0])
    assert w.numpy() == 99 and w.assign([10.0]).numpy() == 10


def test_c6_no_grad(line_data):
    x, _ = line_data
    w = tz.tensor([2.0], requires_grad=True)
    with tz.no_grad():
        assert (w * x).grad_fn is None


# Gradients

def test_d1_requires_grad_at_creation():
    for made in (tz.randn(2, requires_grad=True), tz.zeros(2, requires_grad=True),
                 tz.tensor([1.0], requires_grad=True)):
        assert made.requires_grad and made.grad is None


def roots(a, b):
    return tz.mean(tz.sqrt(tz.square(a) + tz.square(b)))


@pytest.fixture
def a_and_b():
    return tz.randn(3, 3, requires_grad=True), tz.randn(3, 3, requires_grad=True)


def test_d2_backward(a_and_b):
    a, b = a_and_b
    roots(a, b).backward()
    wanted = a.detach() / tz.sqrt(tz.square(a) + tz.square(b)).detach() / 9
    np.testing.assert_allclose(a.grad.numpy(), wanted.numpy(), rtol=1e-5)


def test_d3_gradients_accumulate(a_and_b):
    a, b = a_and_b
    roots(a, b).backward()
    once = a.grad.clone()
    c = roots(a, b)
    c.backward(retain_graph=True)
    c.backward(retain_graph=True)
    np.testing.assert_allclose(a.grad.numpy(), 3 * once.numpy(), rtol=1e-6)
    a.grad.zero_()
    c.backward()
    np.testing.assert_allclose(a.grad.numpy(), once.numpy(), rtol=1e-6)


def test_d4_the_graph_is_retained_on_demand(a_and_b):
    c = roots(*a_and_b)
    c.backward(retain_graph=True)
    c.backward()
    with pytest.raises(tz.TarazuError, match=r"a second time through MeanBackward(.|\n)*retain_graph=True"):
        c.backward()


def test_d5_grad_fn(a_and_b):
    assert "grad_fn=<MeanBackward>" in repr(roots(*a_and_b))


def test_d6_vector_jacobian_product():
    a, b = tz.randn(2, 2, requires_grad=True), tz.randn(2, 2, requires_grad=True)
    c = tz.sqrt(tz.square(a) + tz.square(b))
    c.backward(tz.eye(2))
    assert a.grad.shape == (2, 2) and a.grad[0, 1].item() == 0
    np.testing.assert_allclose(a.grad.numpy(), (tz.eye(2) * a / c).detach().numpy(), rtol=1e-5)


def test_d7_tape_of_constants():
    a, b = tz.randn(2, 2), tz.randn(2, 2)
    with tz.GradientTape() as tape:
        tape.watch(a)
        c = tz.sqrt(tz.square(a) + tz.square(b))
    np.testing.assert_allclose(tape.gradient(c, a).numpy(), (a / c.detach()).numpy(), rtol=1e-5)


def test_d8_gradient_of_a_matrix_is_that_of_its_sum():
    x = tz.Variable([1.0, 2.0])
    with tz.GradientTape() as tape:
        y = x * x
    assert tape.gradient(y, x).tolist() == [2, 4]


@pytest.mark.parametrize("is_inside", [True, False])
def test_d9_a_list_of_gradients(line_data, is_inside):
    x, y = line_data
    w, b = tz.Variable(10.0), tz.Variable(0.0)
    for _ in range(60):
        with tz.GradientTape() as tape:
            loss = tz.mean(tz.square(w * x + b - y))
            found = tape.gradient(loss, [w, b]) if is_inside else None
        dw, db = found or tape.gradient(loss, [w, b])
        w.assign_sub(0.1 * dw)
        b.assign_sub(0.1 * db)
    assert loss.item() < 0.2


def test_d10_gradient_descent():
    x = tz.zeros(2, requires_grad=True)
    for _ in range(15):
        (x - tz.tensor([3.0, -2.0])).square().sum().backward()
        x.data.sub_(0.1 * x.grad)
        x.grad.zero_()
    np.testing.assert_allclose(x.detach().numpy(), [2.89445, -1.92963], atol=6e-6)


def test_d11_chain_rule_of_two_layers():
    x, v, w = tz.randn(5, 3), tz.randn(3, 4, requires_grad=True), tz.randn(4, 1, requires_grad=True)
    hidden = tz.tanh(x @ v)
    (0.5 * (hidden @ w) ** 2).sum().backward()
    error = hidden @ w
    np.testing.assert_allclose(w.grad.numpy(), (hidden.T @ error).detach().numpy(), rtol=1e-4)
    back = (error @ w.T) * (1 - hidden ** 2)
    np.testing.assert_allclose(v.grad.numpy(), (x.T @ back).detach().numpy(), rtol=1e-3, atol=1e-5)


# Graphs and devices

def test_e1_devices():
    assert tz.devices() and str(tz.device()) in map(str, tz.devices())


def test_e2_device_at_creation_and_to():
    device = tz.device("cpu")
    w = tz.tensor([10.0], requires_grad=True, device=device)
    assert w.device == tz.ones(2).to(device).device == device


def test_e3_a_train_step_as_a_graph(line_data):
    x, y = line_data
    w, b = tz.Variable(10.0), tz.Variable(0.0)

    def train(x, y):
        with tz.GradientTape() as tape:
            loss = tz.mean(tz.square(w * x + b - y))
        dw, db = tape.gradient(loss, [w, b])
        w.assign_sub(0.1 * dw)
        b.assign_sub(0.1 * db)
        return loss

    eager = [train(x, y).item() for _ in range(5)]
    w.assign(10.0)
    b.assign(0.0)
    step = tz.jit(train)
    assert [step(x, y).item() for _ in range(5)] == pytest.approx(eager, rel=1e-5)
    assert step.cache_info().traces == 1 and step.graph.counts().nodes["sum"] >= 1
