"""Lab: iris. Neural networks on a small table: train them, see overfitting, avoid it.

Fill in the functions, and ask for your points as often as you want:

    tarazu lab grade iris iris.py

Each function is called with arrays that the grader brings, so that a mistake in one does not cost points in another.
x has the four measurements of each flower, float32 (rows, 4); y the number of its species, 0, 1 or 2, int64 (rows,).
"""

import numpy as np

import tarazu as tz


def columns(dataset):
    """5 points. The data as a table: a dict (or a pandas DataFrame) of five columns with 150 values each.

    The columns are the four of `dataset.feature_names`, and "species" with the names of the classes, not their numbers:
    `dataset.class_names` has them. `x, y = dataset.in_memory()` are the arrays.
    """
    x, y = dataset.in_memory()
    table = dict(zip(dataset.feature_names, x.T, strict=True))
    table["species"] = np.array(dataset.class_names)[y]
    return table


def from_pair_plot():
    """10 points. Draw each pair of measurements as points, colored by species. What do you see?

    One species can be told from both others by a single measurement. Return its name, the name of the column, and a
    value that lies between: (species, column, value).
    """
    return "setosa", "petal length (cm)", 2.5


def split(x, y, seed):
    """15 points. Divide rows at random: 80 % to train with, 20 % to validate. Return x_train, y_train, x_test, y_test.

    Each row goes to one part only, with its own label, and each part has each species in the same proportion. The same
    seed gives the same parts, another seed others.
    """
    parts = tz.data.split_rows(len(x), validation=0, test=0.2, seed=seed, labels=y)
    return x[parts.train], y[parts.train], x[parts.test], y[parts.test]


def scale(train, test):
    """15 points. Bring each column to the range from 0 to 1, and return both parts: train, test.

    Use the least value and the range of the *training* rows for both parts: the test rows stand for flowers that nobody
    has seen yet. So they may come out a little below 0 or above 1. Leave the arrays that came in as they are.
    """
    least = train.min(axis=0)
    size = train.max(axis=0) - least
    return (train - least) / size, (test - least) / size


def targets(y, form):
    """10 points. The labels in the form "integers" or "one-hot"; the loss "cross_entropy" takes both.

    One-hot labels have a column for each of the three species, also where a batch lacks one; a row has a 1 in the
    column of its species, else 0.
    """
    return y if form == "integers" else np.eye(3, dtype="float32")[y]


def build(hidden):
    """A compiled model, not yet trained. The three parts below use it: with one, two and more layers.

    `hidden` are the sizes of the hidden layers: () for a single layer of 3 neurons, (16,) for two layers, (32, 32) for
    three. Hidden layers need an activation. The last layer gives logits, without softmax; report the accuracy, too.
    """
    model = tz.nn.Sequential([*(tz.nn.Dense(size, "relu") for size in hidden), tz.nn.Dense(3)])
    return model.compile(tz.optim.Adam(lr=0.02), "cross_entropy", ["accuracy"])


def train(model, x, y, x_validation, y_validation, seed):
    """25 points. Train a model that `build` has made, and return the history, with accuracy and val_accuracy.

    One layer: 10 points, two layers of small, medium and large size: 10 points, more layers: 5 points.
    """
    return model.fit(x, y, validation_data=(x_validation, y_validation), epochs=150, batch_size=16, seed=seed,
                     verbose=0)


def overfit(x, y, x_validation, y_validation):
    """10 points. Make a model that is far too rich, train it for long, and return the history.

    x has 60 rows and only the two measurements of the sepal, in which two species overlap. The training loss must fall
    below a half of the validation loss, and the validation loss must have risen by a quarter from its lowest value.
    Use `callbacks=tz.train.KeepBest(restore=False)`: otherwise `fit` goes back to the best epoch by itself.
    """
    model = build((128, 128))
    return model.fit(x, y, validation_data=(x_validation, y_validation), epochs=300, batch_size=16, seed=0, verbose=0,
                     callbacks=tz.train.KeepBest(restore=False))


def avoid(x, y, x_validation, y_validation):
    """5 points. Train on the same rows without overfitting, and return the model.

    Its loss on the validation rows must be below 0.55. A small model, early stopping, the best epoch, dropout or weight
    decay: what helps most?
    """
    model = build((8,))
    model.fit(x, y, validation_data=(x_validation, y_validation), epochs=60, batch_size=16, seed=0, verbose=0)
    return model


def name_of(losses, validation_losses):
    """5 points. What the two curves of a fit show: "underfitting", "overfitting" or "about right".

    Both are lists of cross-entropies, one value an epoch. A guess of three equally likely species has ln 3 = 1.1.
    """
    if losses[-1] > 0.8:
        return "underfitting"
    return "overfitting" if validation_losses[-1] > 1.2 * min(validation_losses) else "about right"
