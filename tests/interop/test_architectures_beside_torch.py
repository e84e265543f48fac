"""Whole networks with the weights of torchvision's and transformers' give the same outputs; weights are random."""

from __future__ import annotations

import json

import numpy as np
import pytest
from helpers import example
from vision_models import ResNet18, mobile_net_v2

import tarazu as tz

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]
DRAW = np.random.default_rng(0)
IMAGES = DRAW.normal(size=(2, 64, 64, 3)).astype("float32")


def noisy(module):
    """A module whose weights are no zeros and ones, in evaluation mode."""
    import torch

    torch.manual_seed(0)
    with torch.no_grad():
        for x in module.parameters():
            x.add_(0.02 * torch.randn(x.shape))
        for name, x in module.named_buffers():
            if name.endswith("running_var"):
                x.uniform_(0.5, 1.5)
    return module.eval()


def far(ours, theirs):
    """The largest difference, as a share of the spread of torch's outputs."""
    theirs = theirs.detach().numpy()
    return float(np.abs(ours.numpy() - theirs).max() / theirs.std())


@pytest.mark.parametrize(("make", "name"), [(ResNet18, "resnet18"), (mobile_net_v2, "mobilenet_v2")])
def test_torchvisions_models(make, name):
    import torch
    import torchvision

    there, here = noisy(getattr(torchvision.models, name)()), make().eval()
    report = tz.interop.load_torch_weights(here, there.state_dict())
    assert report.is_complete and {x.by for x in report.placements} == {"position and shape"}
    error = far(here(IMAGES), there(torch.tensor(IMAGES.transpose(0, 3, 1, 2))))
    print(f"{name}: {len(report.placements)} tensors, {error:.1e}")
    assert error < 1e-5
    again = tz.interop.to_torch_state(here, like=there.state_dict())
    assert all(np.array_equal(x, there.state_dict()[key].numpy()) for key, x in again.items() if "num" not in key)


CONFIGS = {
    "gpt2": ("GPT2", "GPT2LMHeadModel", {"n_layer": 3, "n_embd": 32, "n_head": 4, "vocab_size": 50, "n_positions": 40,
                                         "bos_token_id": 0, "eos_token_id": 0}),
    "bert": ("Bert", "BertForSequenceClassification", {
        "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64, "vocab_size": 50,
        "num_labels": 3, "max_position_embeddings": 40}),
    "vit": ("ViT", "ViTForImageClassification", {
        "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64, "image_size": 64,
        "patch_size": 8, "num_labels": 3})}


def here_of(name, module, config):
    if name == "gpt2":
        return module.Gpt2(config)
    return module.Bert(config, 3) if name == "bert" else module.VisionTransformer({**config, "id2label": [0, 1, 2]})


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("source", ["folder", "state"])
def test_transformers_models(name, source, tmp_path):
    import torch
    import transformers

    kind, model, options = CONFIGS[name]
    there = noisy(getattr(transformers, model)(getattr(transformers, f"{kind}Config")(**options)))
    there.save_pretrained(tmp_path)
    module = example(name)
    here = here_of(name, module, json.loads((tmp_path / "config.json").read_text())).eval()
    names = module.NAMES
    if source == "state" and name == "vit":  # names of layers in files are older than those of the module
        names = {**names, "layers": "layers", "hidden": "mlp.fc1", "output": "mlp.fc2"}
    report = tz.interop.load_torch_weights(here, tmp_path if source == "folder" else there.state_dict(), names=names)
    assert report.is_complete
    codes = DRAW.integers(1, 50, (2, 20))
    if name == "bert":
        codes[0, 15:] = 0
        theirs = there(torch.tensor(codes), attention_mask=torch.tensor(codes != 0)).logits
    else:
        theirs = there(torch.tensor(IMAGES.transpose(0, 3, 1, 2)) if name == "vit" else torch.tensor(codes)).logits
    error = far(here(IMAGES if name == "vit" else codes), theirs)
    print(f"{name} of a {source}: {len(report.placements)} tensors, {error:.1e}")
    assert error < 1e-4


class Llama(tz.nn.Module):
    """Grouped queries, turned by their positions, root mean squares, and products of two dense layers."""

    def __init__(self, layers=2, dim=32):
        def layer():
            dense = {"bias": False, "in_features": dim}
            return {"self_attn": tz.nn.MultiHeadAttention(4, dim, num_kv_heads=2, rotary=True, causal=True, bias=False),
                    "gate_proj": tz.nn.Dense(48, "silu", **dense), "up_proj": tz.nn.Dense(48, **dense),
                    "down_proj": tz.nn.Dense(dim, bias=False, in_features=48),
                    "input_layernorm": tz.nn.RMSNorm(dim, epsilon=1e-6),
                    "post_attention_layernorm": tz.nn.RMSNorm(dim, epsilon=1e-6)}

        self.embed_tokens, self.norm = tz.nn.Embedding(50, dim), tz.nn.RMSNorm(dim, epsilon=1e-6)
        self.layers = [layer() for _ in range(layers)]
        self.lm_head = tz.nn.Dense(50, bias=False, in_features=dim)

    def forward(self, codes):
        x = self.embed_tokens(codes)
        for layer in self.layers:
            x = x + layer["self_attn"](layer["input_layernorm"](x))
            y = layer["post_attention_layernorm"](x)
            x = x + layer["down_proj"](layer["gate_proj"](y) * layer["up_proj"](y))
        return self.lm_head(self.norm(x))


def test_llama():
    import torch
    import transformers

    config = transformers.LlamaConfig(vocab_size=50, hidden_size=32, intermediate_size=48, num_hidden_layers=2,
                                      num_attention_heads=4, num_key_value_heads=2)
    there, here = noisy(transformers.LlamaForCausalLM(config)), Llama().eval()
    names = {f"layers.{i}.{part}": f"layers.{i}.mlp.{part}" for i in range(2)
             for part in ("gate_proj", "up_proj", "down_proj")}
    assert tz.interop.load_torch_weights(here, there.state_dict(), names=names).is_complete
    codes = DRAW.integers(0, 50, (2, 20))
    error = far(here(codes), there(torch.tensor(codes)).logits)
    print(f"llama: {error:.1e}")
    assert error < 1e-4
