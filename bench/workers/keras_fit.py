"""Training with `fit` of Keras 3; MLPs only."""

from __future__ import annotations

import keras
from serve import Train, serve
from workloads import LEARNING_RATE, Workload, data


def prepare(workload: Workload) -> Train:
    *hidden, last = workload.widths
    x, y = data(workload)
    keras.utils.set_random_seed(0)
    model = keras.Sequential([
        keras.Input(workload.shape), *[keras.layers.Dense(width, activation="relu") for width in hidden],
        keras.layers.Dense(last)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(LEARNING_RATE), loss, metrics=["accuracy"], jit_compile="auto")

    def train(epochs: int) -> dict[str, float]:
        history = model.fit(x, y, batch_size=workload.batch, epochs=epochs, verbose=0).history
        return {name: history[name][-1] for name in ("loss", "accuracy")}

    return train


if __name__ == "__main__":
    serve(prepare)
