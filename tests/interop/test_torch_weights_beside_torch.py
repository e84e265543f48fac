"""Layers with the weights of torch's give torch's outputs, and take the same step; a row for each kind of layer."""

from __future__ import annotations

import numpy as np
import pytest
from torch_pairs import PAIRS

import tarazu as tz
from tarazu.base.errors import ArgumentError

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated")]


def output(module, inputs):
    """The first of what a layer gives, here or there; of torch's attention without its weights."""
    kind = type(module).__name__
    if kind == "MultiheadAttention":
        query, *others = inputs
        return module(query, *(others or (query, query)), need_weights=False)[0]
    y = module(*inputs)
    return y[0] if isinstance(y, tuple) else y


def turned(pair, x):
    return np.moveaxis(x, -1, 1) if pair.channels and x.ndim > 2 else x


class Beside:
    """A layer and torch's, with the same inputs."""

    def __init__(self, name):
        import torch

        torch.manual_seed(0)
        self.torch, self.pair = torch, PAIRS[name]
        draw = np.random.default_rng(0)
        self.inputs = [draw.integers(0, self.pair.codes, shape) if self.pair.codes else
                       draw.normal(size=shape).astype("float32") for shape in self.pair.shapes]
        self.here, self.there = self.pair.here(), self.pair.there(torch.nn)
        self.here(*self.inputs)
        with torch.no_grad():
            for x in self.there.parameters():
                x.add_(0.1 * torch.randn(x.shape))  # no zeros and ones
            for _ in range(60 if "spectral" in name else 0):
                self.output_there()  # the estimate goes half a step further here than there, until it is exact

    def output_here(self):
        return output(self.here, self.inputs)

    def output_there(self, module=None):
        y = output(module or self.there, [self.torch.tensor(turned(self.pair, x)) for x in self.inputs])
        return y.movedim(1, -1) if self.pair.channels and y.ndim > 2 else y


@pytest.fixture(params=PAIRS)
def beside(request):
    return Beside(request.param)


def test_outputs_and_a_step_are_torchs(beside):
    here, there = beside.here, beside.there
    assert tz.interop.load_torch_weights(here, there.state_dict()).is_complete
    here.eval(), there.eval()
    np.testing.assert_allclose(beside.output_here().numpy(), beside.output_there().detach().numpy(), 1e-5, 1e-5)
    here.train(), there.train()
    loss_here, loss_there = (beside.output_here() ** 3).mean(), (beside.output_there() ** 3).mean()
    if here.parameters():
        loss_here.backward(), loss_there.backward()
        tz.optim.SGD(here.parameters(), lr=0.1).step(), beside.torch.optim.SGD(there.parameters(), lr=0.1).step()
    if beside.pair.biases == "none":
        with pytest.raises(ArgumentError, match="is not 0, and the layer of torch that it would go to has none"):
            tz.interop.to_torch_state(here, like=there.state_dict())
        return
    for name, x in tz.interop.to_torch_state(here, like=there.state_dict()).items():
        if "num_batches" not in name and not (beside.pair.biases == "summed" and "bias" in name):
            np.testing.assert_allclose(x, there.state_dict()[name].numpy(), rtol=1e-4, atol=1e-5, err_msg=name)


def test_torch_takes_them_back(beside):
    other = Beside.__new__(Beside)
    other.__dict__.update(beside.__dict__)
    other.there = beside.pair.there(beside.torch.nn)
    tz.interop.load_torch_weights(beside.here, beside.there.state_dict())
    state = tz.interop.to_torch_state(beside.here, like=other.there.state_dict())
    assert list(state) == list(other.there.state_dict())
    other.there.load_state_dict({name: beside.torch.from_numpy(x) for name, x in state.items()})
    other.there.eval(), beside.there.eval()
    np.testing.assert_allclose(other.output_there().detach().numpy(), beside.output_there().detach().numpy(), rtol=1e-5,
                               atol=1e-6)
