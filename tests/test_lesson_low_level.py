"""The numbers of the lesson "Neural network frameworks", by the low-level API: tensors, gradients and an own loop."""

import numpy as np
import pytest

import tarazu as tz

MINIBATCH_LOSSES = [94.5247, 9.3428, 1.4166, 0.5224, 0.3807, 0.3495, 0.3413, 0.3390, 0.3384, 0.3382]
FULL_BATCH_LOSSES = [173.4585, 13.8459, 4.5407, 3.7364, 3.4334, 3.1790, 2.9458, 2.7311, 2.5332, 2.3508]


class Line:
    """y = w x + b, trained by gradient descent."""

    def __init__(self, w: float) -> None:
        self.w = tz.tensor([w], requires_grad=True)
        self.b = tz.zeros(1, requires_grad=True)

    def step(self, x: tz.Tensor, y: tz.Tensor) -> tz.Tensor:
        loss = ((y - (x @ self.w + self.b)) ** 2).mean()
        loss.backward()
        with tz.no_grad():
            for parameter in (self.w, self.b):
                parameter -= 0.1 * parameter.grad
                parameter.grad.zero_()
        return loss


@pytest.fixture
def data():
    random = np.random.RandomState(13)
    x = np.linspace(0, 3, 120)
    y = 2 * x + 0.9 + 0.5 * random.randn(120)
    order = random.permutation(120)
    return tz.tensor(x[order].reshape(-1, 1), "float32"), tz.tensor(y[order], "float32")


def maybe_jit(is_jitted, step):
    return tz.jit(step) if is_jitted else step


@pytest.mark.parametrize("is_jitted", [False, True])
def test_line_by_minibatches(data, is_jitted):
    x, y = data
    line = Line(100.0)
    step = maybe_jit(is_jitted, line.step)
    losses = []
    for _ in range(10):
        for i in range(0, 120, 4):
            loss = step(x[i:i + 4], y[i:i + 4])
        losses.append(float(loss))
    assert losses == pytest.approx(MINIBATCH_LOSSES, abs=6e-5)
    assert (line.w.item(), line.b.item()) == pytest.approx((1.8617, 1.0711), abs=6e-5)
    assert repr(line.w).startswith("Tensor([1.8616") and repr(line.w).endswith("requires_grad=True)")


@pytest.mark.parametrize("is_jitted", [False, True])
def test_line_by_the_whole_batch(data, is_jitted):
    step = maybe_jit(is_jitted, Line(10.0).step)
    assert [step(*data).item() for _ in range(10)] == pytest.approx(FULL_BATCH_LOSSES, abs=1e-4)


@pytest.mark.parametrize("is_jitted", [False, True])
def test_bowl(is_jitted):
    x = tz.zeros(2, requires_grad=True)

    def step():
        value = (x[0] - 3) ** 2 + (x[1] + 2) ** 2
        value.backward()
        with tz.no_grad():
            x.sub_(0.1 * x.grad)
        x.grad.zero_()

    step = maybe_jit(is_jitted, step)
    for _ in range(15):
        step()
    np.testing.assert_allclose(x.detach().numpy(), [2.89445, -1.92963], atol=6e-6)


def test_gradients_accumulate_until_zeroed():
    a, b = tz.randn(3, 3, requires_grad=True), tz.randn(3, 3, requires_grad=True)
    tz.mean(tz.sqrt(tz.square(a) + tz.square(b))).backward()
    once = a.grad.clone()
    c = tz.mean(tz.sqrt(tz.square(a) + tz.square(b)))
    c.backward(retain_graph=True)
    c.backward(retain_graph=True)
    np.testing.assert_allclose(a.grad.numpy(), 3 * once.numpy(), rtol=1e-6)
    a.grad.zero_()
    c.backward()
    np.testing.assert_allclose(a.grad.numpy(), once.numpy(), rtol=1e-6)
    assert repr(c).endswith("grad_fn=<MeanBackward>)")


def test_vector_jacobian_product():
    a = tz.randn(2, 2, requires_grad=True)
    c = tz.sqrt(a * a)
    c.backward(tz.eye(2))
    np.testing.assert_allclose(a.grad.numpy(), np.eye(2) * np.sign(a.detach().numpy()), rtol=1e-6)


def test_rows_are_summed_in_place():
    x = tz.randn(10, 3)
    total = tz.zeros(3)
    for row in x - x[0]:
        total.add_(row)
    np.testing.assert_allclose(total.numpy(), (x - x[0]).sum(axis=0).numpy(), rtol=1e-4, atol=1e-5)
