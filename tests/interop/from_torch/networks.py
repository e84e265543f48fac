"""Networks of torchvision and transformers, small, with random weights, and inputs of a number of rows."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import nn


class Network(NamedTuple):
    """How to make a network, and its inputs for a number of rows: positional or named."""

    make: Callable[[], nn.Module]
    inputs: Callable[[int], Any]


def images(size: int, channels: int = 3) -> Callable[[int], Any]:
    return lambda rows: (torch.randn(rows, channels, size, size, generator=torch.Generator().manual_seed(rows)),)


def vision(name: str, size: int, **options: Any) -> Network:
    import torchvision

    return Network(lambda: getattr(torchvision.models, name)(num_classes=10, **options), images(size))


def vit() -> nn.Module:
    from torchvision.models import VisionTransformer

    network = VisionTransformer(32, 8, 2, 2, 32, 64, num_classes=10)
    nn.init.normal_(network.heads.head.weight)  # torchvision begins with zeros, which hide all that is below
    return network


def swin() -> nn.Module:
    from torchvision.models import SwinTransformer

    return SwinTransformer([4, 4], 16, [2, 2], [2, 4], [4, 4], num_classes=10, stochastic_depth_prob=0.0)


def convnext() -> nn.Module:
    from torchvision.models.convnext import CNBlockConfig, ConvNeXt

    return ConvNeXt([CNBlockConfig(8, 16, 1), CNBlockConfig(16, None, 1)], layer_scale=0.5, num_classes=10)


def tokens(rows: int) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(rows)
    mask = torch.ones(rows, 7, dtype=torch.int64)
    mask[0, 4:] = 0
    return {"input_ids": torch.randint(0, 50, (rows, 7), generator=draw), "attention_mask": mask}


SIZES: dict[str, Any] = {"vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
                         "intermediate_size": 32, "max_position_embeddings": 20}


def bert() -> nn.Module:
    from transformers import BertConfig, BertForSequenceClassification

    return BertForSequenceClassification(BertConfig(**SIZES, num_labels=3))


def gpt2() -> nn.Module:
    from transformers import GPT2Config, GPT2LMHeadModel

    return GPT2LMHeadModel(GPT2Config(vocab_size=50, n_positions=20, n_embd=16, n_layer=2, n_head=2, use_cache=False))


def distilbert() -> nn.Module:
    from transformers import DistilBertConfig, DistilBertModel

    return DistilBertModel(DistilBertConfig(vocab_size=50, dim=16, n_layers=2, n_heads=2, hidden_dim=32,
                                            max_position_embeddings=20))


def hugging_face_vit() -> nn.Module:
    from transformers import ViTConfig, ViTModel

    return ViTModel(ViTConfig(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
                              image_size=16, patch_size=4))


def t5() -> nn.Module:
    from transformers import T5Config, T5EncoderModel

    return T5EncoderModel(T5Config(vocab_size=50, d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2))


def llama() -> nn.Module:
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(LlamaConfig(**SIZES, num_key_value_heads=1, use_cache=False))


NETWORKS: dict[str, Network] = {
    "resnet18": vision("resnet18", 64), "resnet50": vision("resnet50", 64),
    "mobilenet_v2": vision("mobilenet_v2", 64), "mobilenet_v3": vision("mobilenet_v3_small", 64),
    "vit": Network(vit, images(32)), "bert": Network(bert, tokens), "gpt2": Network(gpt2, tokens),
    "distilbert": Network(distilbert, tokens), "vit_hugging_face": Network(hugging_face_vit, images(16)),
    "t5_encoder": Network(t5, tokens), "llama": Network(llama, tokens),
    "convnext": Network(convnext, images(32)), "swin": Network(swin, images(32)),
    "efficientnet": vision("efficientnet_b0", 64), "densenet": vision("densenet121", 64),
    "squeezenet": vision("squeezenet1_1", 64), "shufflenet": vision("shufflenet_v2_x0_5", 64),
    "googlenet": vision("googlenet", 64, aux_logits=False, init_weights=False), "mnasnet": vision("mnasnet0_5", 64),
    "regnet": vision("regnet_y_400mf", 64), "vgg": vision("vgg11_bn", 32), "alexnet": vision("alexnet", 64),
}
