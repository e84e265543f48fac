"""Folders as Hugging Face's models have them, with random weights: config.json, model.safetensors, tokenizer.json."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

Shapes: TypeAlias = "dict[str, tuple[int, ...]]"
GPT2 = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 32, "vocab_size": 256, "layer_norm_epsilon": 1e-5,
        "resid_pdrop": 0.1, "n_inner": None}
_BODY = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
         "hidden_act": "gelu", "hidden_dropout_prob": 0.0, "layer_norm_eps": 1e-12}
BERT = {**_BODY, "vocab_size": 256, "max_position_embeddings": 32, "type_vocab_size": 2, "pad_token_id": 0}
VIT = {**_BODY, "image_size": 16, "patch_size": 8, "num_channels": 3, "id2label": {"0": "cat", "1": "dog", "2": "owl"}}


def _layer(path: str, *weight: int, bias: int = 0) -> Shapes:
    return {f"{path}.weight": weight, f"{path}.bias": (bias or weight[0],)}


def gpt2() -> Iterator[Shapes]:
    """The tensors of GPT-2."""
    n = GPT2["n_embd"]
    yield {"wte.weight": (GPT2["vocab_size"], n), "wpe.weight": (GPT2["n_positions"], n), **_layer("ln_f", n)}
    for i in range(GPT2["n_layer"]):
        sizes = {"attn.c_attn": (n, 3 * n), "attn.c_proj": (n, n), "mlp.c_fc": (n, 4 * n), "mlp.c_proj": (4 * n, n)}
        for name, shape in sizes.items():
            yield _layer(f"h.{i}.{name}", *shape, bias=shape[1])
        yield _layer(f"h.{i}.ln_1", n) | _layer(f"h.{i}.ln_2", n)
        yield {f"h.{i}.attn.bias": (1, 1, 32, 32)}


def _encoder(attention: str) -> Iterator[Shapes]:
    for i in range(_BODY["num_hidden_layers"]):
        for name in ("query", "key", "value"):
            yield _layer(f"encoder.layer.{i}.attention.{attention}.{name}", 16, 16)
        yield _layer(f"encoder.layer.{i}.attention.output.dense", 16, 16)
        yield _layer(f"encoder.layer.{i}.intermediate.dense", 32, 16)
        yield _layer(f"encoder.layer.{i}.output.dense", 16, 32)


def bert() -> Iterator[Shapes]:
    """The tensors of BERT, without a head."""
    yield from _encoder("self")
    for name, count in (("word", 256), ("position", 32), ("token_type", 2)):
        yield {f"embeddings.{name}_embeddings.weight": (count, 16)}
    yield _layer("embeddings.LayerNorm", 16) | _layer("pooler.dense", 16, 16)
    for i in range(_BODY["num_hidden_layers"]):
        for name in ("attention.output", "output"):
            yield _layer(f"encoder.layer.{i}.{name}.LayerNorm", 16)


def vit() -> Iterator[Shapes]:
    """The tensors of a vision transformer, with the head for its classes."""
    for shapes in _encoder("attention"):
        yield {f"vit.{name}": shape for name, shape in shapes.items()}
    yield {"vit.embeddings.cls_token": (1, 1, 16), "vit.embeddings.position_embeddings": (1, 5, 16)}
    yield _layer("vit.embeddings.patch_embeddings.projection", 16, 3, 8, 8) | _layer("vit.layernorm", 16)
    for i in range(_BODY["num_hidden_layers"]):
        for name in ("layernorm_before", "layernorm_after"):
            yield _layer(f"vit.encoder.layer.{i}.{name}", 16)
    yield _layer("classifier", 3, 16)


def write_folder(folder: Path, config: dict, tensors: Iterator[Shapes]) -> None:
    """Write the three files; the tokenizer has a token for each byte."""
    draw = np.random.default_rng(0)
    state = {name: (draw.normal(scale=0.1, size=shape) + (len(shape) == 1)).astype("float32")
             for shapes in tensors for name, shape in shapes.items()}
    save_file(state, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config))
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: i for i, letter in enumerate(letters)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.save(str(folder / "tokenizer.json"))
