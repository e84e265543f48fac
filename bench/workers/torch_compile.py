"""Training in torch with forward and backward pass through `torch.compile`."""

from __future__ import annotations

import torch
from serve import Train, serve
from torch_eager import forward_for, model_for, start, trainer
from workloads import Workload


def prepare(workload: Workload) -> Train:
    start()
    model = model_for(workload)
    return trainer(workload, model, torch.compile(forward_for(model)))


if __name__ == "__main__":
    serve(prepare)
