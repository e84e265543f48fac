"""Modules of torch as models of Tarazu: the same outputs and gradients, at any number of rows, in both modes."""

import copy
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tarazu as tz

pytestmark = pytest.mark.peers
sys.path.insert(0, str(Path(__file__).parent))  # for the tables, which import torch


def names_of(table: str) -> list[str]:
    """The names in a table, without torch where it is not there."""
    try:
        return sorted(getattr(__import__(table), {"small_modules": "CASES", "networks": "NETWORKS"}[table]))
    except ImportError:
        return ["torch is not installed"]


def leaves(tree: Any) -> Iterator[Any]:
    """The values in nested containers, in order."""
    if isinstance(tree, list | tuple):
        for item in tree:
            yield from leaves(item)
    elif hasattr(tree, "items"):
        yield from leaves(list(tree.values()))
    elif tree is not None:
        yield tree


def called(model: Callable[..., Any], inputs: Any, convert: Callable[[Any], Any] = lambda x: x) -> list[Any]:
    if isinstance(inputs, Mapping):
        return list(leaves(model(**{name: convert(x) for name, x in inputs.items()})))
    return list(leaves(model(*map(convert, inputs))))


def to_tarazu(x: Any) -> tz.Tensor:
    return tz.tensor(x.detach().numpy(), requires_grad=bool(x.requires_grad))


def assert_close(values: list[Any], expected: list[Any], tolerance: float) -> None:
    """Equal but for `tolerance` of the largest element."""
    assert len(values) == len(expected)
    for own, other in zip(values, expected, strict=True):
        array = other.detach().numpy()
        assert own.shape == array.shape
        scale = np.abs(array[np.isfinite(array)]).max(initial=1e-30) if array.dtype.kind == "f" else 1
        np.testing.assert_allclose(own.detach().numpy(), array, rtol=0, atol=tolerance * scale)


def total(values: list[Any], weights: list[np.ndarray], tensor: Callable[[np.ndarray], Any]) -> Any:
    return sum((x * tensor(np.asarray(np.cos(weight)))).sum() for x, weight in zip(values, weights, strict=True))


def assert_same_gradients(model: Any, module: Any, own: list[Any], other: list[Any], tolerance: float) -> None:
    """Of a sum of all outputs, with weights: of every parameter."""
    import torch

    differentiable = [i for i, x in enumerate(other) if x.requires_grad]
    weights = [other[i].detach().numpy() for i in differentiable]
    total([other[i] for i in differentiable], weights, torch.from_numpy).backward()
    total([own[i] for i in differentiable], weights, tz.tensor).backward()
    found = dict(model.named_parameters())
    learned = [np.abs(x.grad.numpy()).max() for x in module.parameters() if x.grad is not None]
    least = max(learned, default=0.0) * 1e-2  # sums that cancel are wrong by the rounding of their terms
    for name, parameter in module.named_parameters():
        if parameter.grad is not None:
            gradient = found[name].grad.numpy()
            gradient = np.moveaxis(gradient, (-1, -2), (0, 1)) if name in model.turned else gradient
            expected = parameter.grad.numpy()
            scale = np.abs(expected).max(initial=least)  # some are 0, but for rounding
            np.testing.assert_allclose(gradient, expected, rtol=0, atol=tolerance * scale, err_msg=name)


@pytest.mark.parametrize("name", names_of("small_modules"))
def test_small_modules(name):
    from small_modules import CASES

    module, given = CASES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = tz.interop.from_torch(module, given)
    inputs = tuple(x.clone().requires_grad_(x.is_floating_point()) for x in given)
    tensors = tuple(map(to_tarazu, inputs))
    expected, own = called(module, inputs), called(model, tensors)
    dtypes = [[str(x.dtype).rpartition(".")[2] for x in values] for values in (own, expected)]
    assert dtypes[0] == dtypes[1]
    assert_close(own, expected, 1e-5)
    if any(x.requires_grad for x in expected):
        assert_same_gradients(model, module, own, expected, 1e-4)
        assert_close([x.grad for x, y in zip(tensors, inputs, strict=True) if y.grad is not None],
                     [y.grad for y in inputs if y.grad is not None], 1e-4)


def learn_statistics(module: Any, inputs: Any) -> None:
    """Running statistics of a batch, as those of a network that has not learned let all values vanish."""
    import torch

    norms = [(each, each.momentum) for each in module.modules() if hasattr(each, "running_mean")]
    for norm, _ in norms:
        norm.momentum = 1.0
    if norms:
        with torch.no_grad():
            called(module.train(), inputs)
    for norm, momentum in norms:
        norm.momentum = momentum
    module.eval()


@pytest.mark.parametrize("name", names_of("networks"))
def test_networks(name, tmp_path):
    """Outputs in float32, compiled, at another number of rows, and of the saved model; gradients in float64, where no
    rounding puts a value on the other side of a kink."""
    import torch
    from networks import NETWORKS

    torch.manual_seed(0)
    module = NETWORKS[name].make()
    learn_statistics(module, NETWORKS[name].inputs(4))
    model = tz.interop.from_torch(module, NETWORKS[name].inputs(2))
    inputs = NETWORKS[name].inputs(3)
    assert_close(called(tz.jit(model), inputs, to_tarazu), called(module, inputs), 1e-4)
    model.save(tmp_path / "model")
    loaded = tz.load(tmp_path / "model")
    assert_close(called(loaded, inputs, to_tarazu), called(module, inputs), 1e-4)
    model, module = model.astype("float64"), module.double()

    def wide(x: Any) -> Any:
        return x.double() if x.is_floating_point() else x

    expected = called(module, inputs, wide)
    own = called(model, inputs, lambda x: to_tarazu(wide(x)))
    assert_same_gradients(model, module, own, expected, 1e-5)


def count(model: Any, *operations: str) -> int:
    return sum(step.operation in operations for step in model.steps)


def test_images_are_turned_once_at_each_border():
    import torch
    import torchvision

    module, images = torchvision.models.resnet18().eval(), torch.randn(2, 3, 32, 32)
    model = tz.interop.from_torch(module, images)
    assert count(model, "as_last") == 1
    graph = str(tz.trace(model)(tz.ones((2, 3, 32, 32))))
    assert graph.count("permutation=(0,2,3,1)") == 1
    assert graph.count("permutation=(0,3,1,2)") == 0
    last = tz.interop.from_torch(module, images, channels="last")
    assert count(last, "as_last") == 0
    assert_close([last(tz.tensor(images.permute(0, 2, 3, 1).numpy()))], [module(images)], 1e-4)


def test_images_come_out_as_they_went_in():
    import torch
    from torch import nn

    module, images = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 1)), torch.randn(2, 3, 5, 6)
    assert_close([tz.interop.from_torch(module, images)(to_tarazu(images))], [module(images)], 1e-5)
    last = tz.interop.from_torch(module, images, channels="last")
    assert_close([last(tz.tensor(images.permute(0, 2, 3, 1).numpy()))], [module(images).permute(0, 2, 3, 1)], 1e-5)
    assert count(last, "as_last", "as_first", "permute") == 0


def learner() -> Any:
    from torch import nn

    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 2))


def test_running_statistics_and_a_step_of_training_are_as_in_torch():
    import torch

    torch.manual_seed(0)
    module, images = learner(), torch.randn(5, 3, 6, 6)
    model = tz.interop.from_torch(module, images[:2])
    assert model.training
    optimizers = torch.optim.SGD(module.parameters(), 0.1), tz.optim.SGD(model.parameters(), lr=0.1)
    losses = module(images).square().mean(), model(to_tarazu(images)).square().mean()
    for loss, optimizer in zip(losses, optimizers, strict=True):
        loss.backward()
        optimizer.step()
    for name, x in model.torch_state().items():
        np.testing.assert_allclose(x, module.state_dict()[name].numpy(), rtol=1e-4, atol=1e-5, err_msg=name)
    assert model.tensors["1.num_batches_tracked"].item() == 1
    module.load_state_dict({name: torch.from_numpy(x) for name, x in model.torch_state().items()})
    assert_close([model.eval()(to_tarazu(images))], [module.eval()(images)], 1e-5)


def test_frozen_statistics_stay_and_count():
    import torch

    module, images = learner(), torch.randn(5, 3, 6, 6)
    model = tz.interop.from_torch(module, images)
    model.freeze(statistics=True)
    assert_close([model(to_tarazu(images))], [module.eval()(images)], 1e-5)
    assert model.tensors["1.num_batches_tracked"].item() == 0


def test_running_statistics_are_off_the_tape_so_that_a_step_may_reuse_their_memory():
    import torch

    model = tz.interop.from_torch(learner(), torch.ones(2, 3, 6, 6))
    optimizer = tz.optim.SGD(model.parameters(), lr=0.1)

    @tz.jit
    def step(x):
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()

    for _ in range(2):
        step(tz.ones((4, 3, 6, 6)))
    model(tz.ones((4, 3, 6, 6)))
    assert not any(x.requires_grad or x.tape_entry for _, x in model.named_buffers())


def test_dropout_is_active_in_training_mode_only():
    import torch
    from torch import nn

    model = tz.interop.from_torch(nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 4)), torch.ones(2, 4))
    x = tz.ones((50, 4))
    assert np.unique(model(x).detach().numpy().round(4), axis=0).shape[0] > 5
    assert np.unique(model.eval()(x).detach().numpy().round(4), axis=0).shape[0] == 1


def test_the_model_learns_by_fit():
    import torch
    from torch import nn

    module = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Dropout(0.1), nn.Linear(16, 2))
    model = tz.interop.from_torch(module, torch.ones(2, 2))
    x = np.random.default_rng(0).normal(size=(200, 2)).astype("float32")
    y = (x[:, 0] * x[:, 1] > 0).astype("int64")
    model.compile(tz.optim.Adam(lr=0.02), "cross_entropy")
    model.fit(x, y, epochs=15)
    assert (model.predict(x).numpy().argmax(1) == y).mean() > 0.9


def test_a_saved_model_is_loaded_without_torch(tmp_path):
    import torch

    tz.interop.from_torch(learner().eval(), torch.ones(2, 3, 6, 6)).save(tmp_path / "model")
    code = ("import sys; sys.modules['torch'] = None; import tarazu as tz;"
            f"model = tz.load({str(tmp_path / 'model')!r}); print(model(tz.ones((3, 3, 6, 6))).shape)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(3, 2)"


def test_tied_weights_are_one_tensor():
    import torch
    from torch import nn

    module = nn.Sequential(nn.Embedding(5, 3), nn.Linear(3, 5, bias=False))
    module[1].weight = module[0].weight
    model = tz.interop.from_torch(module, torch.zeros(2, 4, dtype=torch.int64))
    assert [name for name, _ in model.named_parameters()] == ["0.weight"]
    assert model.tensors["0.weight"] is model.tensors["1.weight"]


def test_the_state_has_what_torch_saves_and_nothing_else():
    import torch
    from torch import nn

    class Shifted(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("shift", torch.ones(4), persistent=False)
            self.dense = nn.Linear(4, 2)

        def forward(self, x):
            return self.dense((x - self.shift) * torch.tensor([1.0, 2.0, 3.0, 4.0]))

    module, x = Shifted(), torch.randn(3, 4)
    model = tz.interop.from_torch(module, x)
    module.load_state_dict({name: torch.from_numpy(x) for name, x in model.torch_state().items()})  # strict
    assert_close([model(to_tarazu(x))], [module(x)], 1e-6)


def test_gumbel_noise():
    import torch

    draw = torch.nn.functional.gumbel_softmax
    module = type("Noise", (torch.nn.Module,), {"forward": lambda self, x: draw(x, hard=True)})()
    model = tz.interop.from_torch(module, torch.zeros(2, 3))
    shares = model(np.log(np.tile([0.2, 0.5, 0.3], (4000, 1)).astype("float32"))).numpy().mean(0)
    np.testing.assert_allclose(shares, [0.2, 0.5, 0.3], atol=0.03)


def test_frozen_parameters_stay_frozen_and_buffers_are_none():
    import torch

    module = learner()
    module[0].weight.requires_grad_(False)
    model = tz.interop.from_torch(module, torch.ones(2, 3, 6, 6))
    assert not model.tensors["0.weight"].requires_grad
    assert model.tensors["4.weight"].requires_grad
    assert {name for name, _ in model.named_buffers()} == {"1.running_mean", "1.running_var", "1.num_batches_tracked"}


def test_unknown_operations_are_named_all_at_once_with_their_lines():
    import torch
    from torch import nn

    class Odd(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.linalg.svd(x)[1] + torch.special.bessel_j0(x).sum()

    class Outer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.part = Odd()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.part(x)

    with pytest.raises(tz.TarazuError) as caught:
        tz.interop.from_torch(Outer(), torch.ones(3, 3))
    text = str(caught.value)
    assert "2 operations of torch that Tarazu does not know" in text
    assert "special_bessel_j0 (module part; " in text
    assert "return torch.linalg.svd(x)[1]" in text
    assert Path(__file__).name in text


def test_what_torch_cannot_export_is_told_in_its_words():
    import torch
    from torch import nn

    class Branch(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x if x.sum() > 0 else -x

    with pytest.raises(tz.TarazuError, match="torch cannot export the module in evaluation mode: "):
        tz.interop.from_torch(Branch(), torch.ones(3))


def test_wrong_calls_are_told():
    import torch
    from torch import nn

    with pytest.raises(tz.TarazuError, match=r"from_torch of a list\n  expected: a torch.nn.Module"):
        tz.interop.from_torch([], torch.ones(2))
    with pytest.raises(tz.TarazuError, match="channels='middle'"):
        tz.interop.from_torch(nn.Linear(2, 2), torch.ones(2, 2), channels="middle")
    model = tz.interop.from_torch(nn.Linear(2, 2), torch.ones(1, 2))
    with pytest.raises(tz.TarazuError, match="inputs named y"):
        model(y=tz.ones((2, 2)))
    with pytest.raises(tz.TarazuError, match="0 inputs"):
        model()
    assert model(tz.ones((7, 2))).shape == (7, 2)  # of an example of one row


def test_a_number_of_rows_that_torch_fixes_is_warned_of():
    import torch
    from small_modules import Function

    with pytest.warns(UserWarning, match=r"torch finds that the number of rows is fixed: inputs_0 of shape \(2, 3\)"):
        tz.interop.from_torch(Function(lambda x: x + torch.ones(2, 3)), torch.ones(2, 3))


def test_half_types_keep_their_dtype():
    import torch
    from torch import nn

    module = nn.Linear(4, 3).to(torch.bfloat16)
    model = tz.interop.from_torch(module, torch.ones(2, 4, dtype=torch.bfloat16))
    assert model.tensors["weight"].dtype == tz.bfloat16
    own = model(tz.ones((2, 4), dtype="bfloat16")).astype("float32").detach().numpy()
    np.testing.assert_allclose(own, module(torch.ones(2, 4, dtype=torch.bfloat16)).float().detach().numpy(), rtol=2e-2)


def test_the_module_is_left_as_it_was():
    import torch

    module = learner()
    module[1].eval()
    before = copy.deepcopy(module.state_dict())
    tz.interop.from_torch(module, torch.ones(2, 3, 6, 6))
    assert [each.training for each in module] == [True, False, True, True, True]
    assert all(torch.equal(x, before[name]) for name, x in module.state_dict().items())


def test_most_of_core_aten_is_known():
    """What is missing has no place in a model, or Tarazu lacks it; see docs/coming_from_pytorch.md."""
    import torch

    from tarazu.interop.torch.operations import OPERATIONS
    from tarazu.interop.torch.reading import _name_of

    packets = [getattr(torch.ops.aten, name) for name in dir(torch.ops.aten)]
    overloads = [getattr(packet, each) for packet in packets if hasattr(packet, "overloads")
                 for each in packet.overloads()]
    core = {_name_of(each) for each in overloads if torch.Tag.core in each.tags}
    unknown = {name for name in core if name not in OPERATIONS and name.partition(".")[0] not in OPERATIONS}
    assert unknown == MISSING


MISSING = {
    "_adaptive_avg_pool2d_backward", "avg_pool2d_backward", "convolution_backward", "embedding_dense_backward",
    "max_pool2d_with_indices_backward", "native_group_norm_backward", "native_layer_norm_backward",
    "_embedding_bag", "_fft_c2r", "_fft_r2c", "_local_scalar_dense", "_pdist_forward"}
