"""The model and the optimizer of each workload, in Tarazu."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import models
import models_images
import models_sequences
from workloads import LEARNING_RATE, Workload

import tarazu as tz

MODELS = {"mlp": lambda workload: models.mlp([*workload.shape, *workload.widths]), "cnn": lambda _: models.cnn(),
          "cnn_same": lambda _: models.cnn("same"), "resnet18": lambda _: models_images.resnet18(),
          "separable": lambda _: models_images.separable(), "unet": lambda _: models_images.UNet(),
          "lstm": lambda _: models.lstm_classifier(), "transformer": lambda _: models.transformer_classifier(),
          "gpt": models_sequences.gpt, "gpt_tied": lambda workload: models_sequences.gpt(workload, tied=True),
          "vit": models_sequences.vit, "wavenet": models_sequences.WaveNet, "bags": models_sequences.bags}


def model_for(workload: Workload) -> tuple[tz.nn.Module, tz.optim.Optimizer]:
    """Both always the same, and not put together yet."""
    tz.random.seed(0)
    adam = functools.partial(tz.optim.AdamW, weight_decay=workload.decay) if workload.decay else tz.optim.Adam
    return MODELS[workload.kind](workload), adam(lr=LEARNING_RATE)


def jitted_step(model: tz.nn.Module, optimizer: tz.optim.Optimizer) -> Callable[..., Any]:
    """A train step as users write it, of a model that has seen its input."""
    optimizer.attach(model.parameters())

    @tz.jit
    def step(x: tz.Tensor, y: tz.Tensor) -> tz.Tensor:
        optimizer.zero_grad()
        loss = tz.nn.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step
