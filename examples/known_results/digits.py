"""Rows of MNIST for the scripts of this folder: small pictures, some of them with a wrong label if wanted."""

import numpy as np

import tarazu as tz


def digits(rows, test_rows, wrong=0.0, seed=0, pixels=14):
    """Pictures of `pixels` squared, labels in one-hot code, and the same of test rows, whose labels are all right."""
    x, y, x_test, y_test = (part for data, count in zip(tz.data.load("mnist"), (rows, test_rows), strict=True)
                            for part in _chosen(data, count, seed, pixels))
    random = np.random.default_rng(seed)
    is_wrong = random.random(rows) < wrong
    y = np.where(is_wrong, (y + random.integers(1, 10, rows)) % 10, y)
    mean, one_hot = x.mean(axis=0), np.eye(10, dtype=np.float32)
    return x - mean, one_hot[y], (x_test - mean, one_hot[y_test])


def _chosen(data, count, seed, pixels):
    images, labels = next(iter(data.shuffle(seed=seed).batch(count)))
    blocks = np.asarray(images, np.float32).reshape(count, pixels, 28 // pixels, pixels, 28 // pixels)
    return blocks.mean(axis=(2, 4)).reshape(count, -1) / 255, np.asarray(labels, int)
