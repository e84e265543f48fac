"""Models of torch with random weights through `torch.onnx` and the importer: outputs and a step of training agree."""

import warnings

import numpy as np
import pytest

import tarazu as tz

pytestmark = pytest.mark.peers
RATE = 0.1


def resnet18():
    import torchvision
    return torchvision.models.resnet18(), (2, 3, 64, 64)


def mobilenet_v3():
    import torchvision
    return torchvision.models.mobilenet_v3_small(), (2, 3, 64, 64)


def vit():
    import torchvision
    return torchvision.models.VisionTransformer(32, 8, 2, 4, 32, 64, num_classes=10), (2, 3, 32, 32)


def lstm():
    import torch

    class Tagger(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = torch.nn.LSTM(5, 7, 2, batch_first=True, bidirectional=True)
            self.out = torch.nn.Linear(14, 3)

        def forward(self, x):
            return self.out(self.lstm(x)[0])

    return Tagger(), (2, 6, 5)


def gpt2():
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    class Logits(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = GPT2LMHeadModel(GPT2Config(n_embd=32, n_layer=2, n_head=4, vocab_size=50, n_positions=32))

        def forward(self, x):
            return self.model(x, use_cache=False).logits

    return Logits(), (2, 8)


MAKERS = [resnet18, mobilenet_v3, vit, lstm, gpt2]


@pytest.fixture(params=MAKERS, ids=lambda maker: maker.__name__)
def made(request):
    """A module in evaluation mode, none of whose weights are zeros, with an input."""
    import torch

    torch.manual_seed(0)
    module, shape = request.param()
    with torch.no_grad():
        for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
            if tensor.dtype.is_floating_point and "var" not in name:
                tensor.add_(torch.randn_like(tensor) * 0.03)
    x = torch.randint(0, 50, shape) if request.param is gpt2 else torch.randn(*shape)
    return module.eval(), x


def exported(module, x, path, **options):
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, (x,), path, dynamo=True, external_data=False, verbose=False, **options)
    return tz.load(path)


def largest_difference(found, expected):
    return abs(found - expected).max() / max(abs(expected).max(), 1e-6)


def test_outputs_agree(made, tmp_path):
    module, x = made
    model = exported(module, x, tmp_path / "model.onnx")
    expected = module(x).detach().numpy()
    for call in (model, tz.jit(model)):
        assert largest_difference(call(tz.tensor(x.numpy())).numpy(), expected) < 1e-4


def test_a_step_of_training_agrees(made, tmp_path):
    import torch

    module, x = made
    model = exported(module, x, tmp_path / "model.onnx", optimize=False)  # normalization stays by itself
    trained = {name: tensor for name, tensor in model.tensors.items() if isinstance(tensor, tz.nn.Parameter)}
    weights = {name: weight for name, weight in module.named_parameters(remove_duplicate=False) if name in trained}
    assert weights.keys() == trained.keys()
    assert len(weights) == len(list(module.parameters()))

    optimizer = torch.optim.SGD(module.parameters(), RATE)
    outputs = module(x)
    target = torch.randn_like(outputs)
    ((outputs - target) ** 2).mean().backward()
    optimizer.step()

    own = tz.optim.SGD(model.parameters(), lr=RATE)
    loss = ((model(tz.tensor(x.numpy())) - target.numpy()) ** 2).mean()
    loss.backward()
    gradients = {name: as_in_torch(name, tensor.grad, model) for name, tensor in trained.items()}
    own.step()
    largest = max(abs(gradient).max() for gradient in gradients.values())
    for name, weight in weights.items():
        np.testing.assert_allclose(gradients[name], weight.grad.numpy(), 1e-3, 1e-4 * largest, err_msg=name)
        np.testing.assert_allclose(as_in_torch(name, trained[name], model), weight.detach().numpy(), 1e-5, 1e-6)


def as_in_torch(name, tensor, model):
    """A tensor of the model as torch has it: kernels of convolutions are turned back."""
    turned = any("is_turned" in step.options and step.arguments[1].name == name for step in model.steps)
    return np.moveaxis(tensor.numpy(), (-1, -2), (0, 1)) if turned else tensor.numpy()
