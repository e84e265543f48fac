"""Prints the seconds of an epoch of torch's DataLoader over a folder of images, on the clock and of processors.

Arguments: FOLDER WORKERS BATCH.
"""

import os
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset


class Folder(Dataset):
    """What torchvision's ImageFolder does, where torchvision is not installed."""

    def __init__(self, folder):
        self.files = sorted(Path(folder).rglob("*.jpg"))
        self.names = sorted({file.parent.name for file in self.files})

    def __len__(self):
        return len(self.files)

    def __getitem__(self, number):
        with Image.open(self.files[number]) as image:
            pixels = np.array(image.convert("RGB"))
        return torch.from_numpy(pixels).permute(2, 0, 1), self.names.index(self.files[number].parent.name)


def dataset(folder):
    try:
        from torchvision import datasets, transforms
    except (ImportError, RuntimeError):
        return Folder(folder)
    return datasets.ImageFolder(folder, transforms.PILToTensor())


folder, workers, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
images = dataset(folder)
loader = DataLoader(images, batch, shuffle=True, num_workers=workers)
start, used = time.perf_counter(), sum(os.times()[:4])
rows = sum(len(labels) for _, labels in loader)
seconds = time.perf_counter() - start
assert rows == len(images)
print(seconds, sum(os.times()[:4]) - used)
