"""A trained body with a new head, against a network from scratch: python examples/fine_tuning.py

It learns digits 0 to 4 of MNIST, then 5 to 9 from 10 images each. TARAZU_DATA names the folder of MNIST; it is
downloaded without. Result: test accuracy on 5 to 9: head 70.2 %, then all layers 78.4 %, from scratch 71.8 %; 17 s of
processor time.
"""

import numpy as np

import tarazu as tz


def body(channels):
    return tz.nn.Sequential(tz.nn.Conv2D(channels, 3, activation="relu"), tz.nn.MaxPool2D(2),
                            tz.nn.Conv2D(2 * channels, 3, activation="relu"), tz.nn.MaxPool2D(2), tz.nn.Flatten(),
                            tz.nn.Dense(64, "relu"))


def arrays(dataset):
    x, y = dataset.in_memory()
    return (np.asarray(x)[..., None] / 255).astype(np.float32), np.asarray(y)


def trained(layers, x, y, epochs, lr=1e-3):
    """A model of `layers` that learned (x, y)."""
    model = tz.nn.Sequential(layers).compile(tz.optim.Adam(lr=lr), "cross_entropy", ["accuracy"])
    model.fit(x, y, epochs=epochs, batch_size=50, seed=0, verbose=0)
    return model


def main(name="mnist", epochs=2, channels=16, few=10, steps=200):
    """Accuracies on test images of new classes: a new head, all layers tuned, from scratch."""
    tz.random.seed(0)
    (x, y), (test_x, test_y) = map(arrays, tz.data.load(name))
    new = np.concatenate([np.flatnonzero(y == digit)[:few] for digit in range(5, 10)])
    x_new, y_new, x_test, y_test = x[new], y[new] - 5, test_x[test_y >= 5], test_y[test_y >= 5] - 5

    learned = body(channels)
    trained([learned, tz.nn.Dense(5)], x[y < 5], y[y < 5], epochs)
    head = tz.nn.Dense(5)
    tuned = trained([learned.freeze(), head], x_new, y_new, steps)      # the body stays as it is
    scores = {"new head": tuned.evaluate(x_test, y_test)["accuracy"]}
    learned.freeze(False)
    tuned = trained([learned, head], x_new, y_new, steps // 3, lr=3e-4)      # then all layers, in small steps
    scores["all layers"] = tuned.evaluate(x_test, y_test)["accuracy"]
    scratch = trained([body(channels), tz.nn.Dense(5)], x_new, y_new, steps * 4 // 3)
    scores["from scratch"] = scratch.evaluate(x_test, y_test)["accuracy"]
    print(", ".join(f"{name} {score:.1%}" for name, score in scores.items()))
    return scores


if __name__ == "__main__":
    main()
