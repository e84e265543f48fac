"""A folder of JPEGs as batches: Pillow alone in bare processes, `image_folder` with workers, torch's DataLoader.

    python bench/image_folder.py [--images 10000] [--workers 2] [--rounds 3] [--torch-python PATH]

All decode the same files to uint8 batches of 64, in turns, so that all see the same machine; seconds are the least of
the rounds, on the clock and of processors (all processes of a way together, which other programs disturb less).
torch's side is torchvision's `ImageFolder` where that is installed, else the same written with Pillow. Then a small CNN
is trained for an epoch on images in memory, and on the folder.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

import tarazu as tz

PIXELS, CLASSES, BATCH = 96, 10, 64
TORCH = Path(__file__).parent / "workers" / "image_folder_torch.py"


def make_images(folder: Path, count: int) -> None:
    """Smooth random pictures with some noise, in folders by class."""
    random = np.random.default_rng(0)
    for number in range(count):
        kind = folder / f"class {number % CLASSES}"
        kind.mkdir(exist_ok=True)
        coarse = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        smooth = np.asarray(Image.fromarray(coarse).resize((PIXELS, PIXELS), Image.Resampling.BICUBIC), np.int16)
        noisy = (smooth + random.integers(-12, 13, smooth.shape)).clip(0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(kind / f"{number}.jpg", quality=90)


Seconds = tuple[float, float]  # on the clock, and of processors


class Watch:
    """The seconds since it was made."""

    def __init__(self) -> None:
        self.start = time.perf_counter(), self.cpu()

    def cpu(self) -> float:
        return sum(os.times()[:4])  # of this process and of its children that have ended

    def read(self) -> Seconds:
        return time.perf_counter() - self.start[0], self.cpu() - self.start[1]


def pillow_alone(folder: Path, processes: int) -> Seconds:
    """Seconds in which bare processes decode a part of the files each, and do nothing with the pixels."""
    files = sorted(folder.rglob("*.jpg"))
    watch, children = Watch(), []
    for part in range(processes):
        if not (child := os.fork()):
            for file in files[part::processes]:
                with Image.open(file) as image:
                    np.asarray(image)
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    return watch.read()


def ours(folder: Path, workers: int) -> Seconds:
    """Seconds of an epoch of batches, shuffled."""
    dataset = tz.data.image_folder(folder, workers=workers).shuffle(seed=0).batch(BATCH)
    watch = Watch()
    rows = sum(len(labels) for _, labels in dataset.batches(0))
    seconds = watch.read()
    assert rows == len(list(folder.rglob("*.jpg")))
    return seconds


def torchs(python: str, folder: Path, workers: int) -> Seconds:
    """Seconds of an epoch of torch's DataLoader, in its own interpreter."""
    done = subprocess.run([python, str(TORCH), str(folder), str(workers), str(BATCH)], check=True,
                          capture_output=True, text=True)
    clock, cpu = map(float, done.stdout.split())
    return clock, cpu


def cnn() -> tz.nn.Sequential:
    """A small convolutional network for 96 by 96 pixels."""
    layers = [tz.nn.Conv2D(16, 3, strides=2, activation="relu"), tz.nn.Conv2D(32, 3, strides=2, activation="relu"),
              tz.nn.GlobalAvgPool2D(), tz.nn.Dense(CLASSES)]
    return tz.nn.Sequential(layers).compile("adam", loss="cross_entropy")


def scaled(images: tz.Tensor, labels: tz.Tensor) -> tuple[tz.Tensor, tz.Tensor]:
    """Bytes as numbers from 0 to 1."""
    return tz.astype(images, "float32") / 255, labels


def training(folder: Path, workers: int) -> tuple[float, float]:
    """Seconds of a second epoch on images in memory, and on the folder."""
    dataset = tz.data.image_folder(folder, workers=workers).shuffle(seed=0).batch(BATCH)
    images, labels = (np.concatenate(parts) for parts in zip(*dataset.batches(0), strict=True))
    in_memory = second_epoch(lambda model, epochs: model.fit(images / np.float32(255), labels, epochs=epochs,
                                                             batch_size=BATCH, verbose=0))
    from_folder = second_epoch(lambda model, epochs: model.fit(dataset.map(scaled), epochs=epochs, verbose=0))
    return in_memory, from_folder


def second_epoch(fit: Callable[[tz.nn.Sequential, int], object]) -> float:
    """What a second epoch adds to the seconds of a fit, in which nothing is compiled any more."""
    times = []
    for epochs in (1, 1, 2):
        start = time.perf_counter()
        fit(cnn(), epochs)
        times.append(time.perf_counter() - start)
    return times[2] - times[1]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--images", type=int, default=10_000)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--torch-python", default="", help="an interpreter that has torch and Pillow")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_images(folder, chosen.images)
        ways: dict[str, Callable[[], Seconds]] = {
            f"Pillow alone, {chosen.workers} processes": lambda: pillow_alone(folder, chosen.workers),
            f"image_folder, {chosen.workers} workers": lambda: ours(folder, chosen.workers)}
        if chosen.torch_python:
            ways[f"torch's DataLoader, {chosen.workers} workers"] = lambda: torchs(chosen.torch_python, folder,
                                                                                 chosen.workers)
        seconds: dict[str, list[Seconds]] = {way: [] for way in ways}
        for _ in range(chosen.rounds):
            for way, measure in ways.items():
                seconds[way].append(measure())
        for way, values in seconds.items():
            clock, cpu = map(min, zip(*values, strict=True))
            print(f"{way:34}{clock:8.2f} s {cpu:8.2f} s of processors{chosen.images / clock:10,.0f} images/s")
        in_memory, from_folder = training(folder, chosen.workers)
        print(f"{'an epoch of training in memory':34}{in_memory:8.2f} s\n{'an epoch from the folder':34}"
              f"{from_folder:8.2f} s")


if __name__ == "__main__":
    sys.exit(main())
