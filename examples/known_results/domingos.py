"""What the 0-1 loss of k nearest neighbors, trees and networks is made of: python examples/known_results/domingos.py

Source: Domingos (2000), "A unified bias-variance decomposition and its applications": variance adds to the loss on rows
whose main prediction is right, and takes off it on those where it is wrong. For k nearest neighbors variance falls and
bias rises with k (Kohavi and Wolpert, 1996). Time: 30 seconds. Results (bias, variance): k = 1: 0.013, 0.148;
k = 9: 0.047, 0.074; tree, depth 1: 0.161, 0.130; 12: 0.028, 0.178; network, epoch 3: 0.126, 0.054; 300: 0.053, 0.107.
"""

import numpy as np
from panels import BLUE, GREEN, GREY, ORANGE, Panel, save

import tarazu as tz

KS, DEPTHS, EPOCHS = (1, 3, 5, 9, 15, 25, 41, 61), (1, 2, 3, 4, 6, 8, 12), (1, 3, 10, 30, 100, 300)
ROWS, WRONG = 80, 0.1  # training rows, and the share of them with a wrong class
TERMS = ("loss", "bias", "harmful_variance", "helpful_variance", "variance")


def draw(random, rows):
    """Points of a square, their best class, above or below a wave, and a class that is wrong for a tenth of them."""
    x = random.uniform(-1, 1, (rows, 2)).astype("float32")
    best = (x[:, 1] > 0.6 * np.sin(np.pi * x[:, 0])).astype(int)
    return x, best, np.where(random.random(rows) < WRONG, 1 - best, best)


def nearest(x, y, new):
    """The classes that k nearest neighbors predict, (settings, rows), for each of KS."""
    order = np.argsort(((new[:, None] - x)**2).sum(-1), axis=1)
    return np.array([y[order[:, :k]].mean(axis=1) > 0.5 for k in KS])


def tree(x, y, new):
    """Those of a tree that splits where the classes are purest (Gini), for each of DEPTHS."""
    made = np.zeros((len(DEPTHS), len(new)), bool)

    def grow(rows, news, depth):
        made[np.array(DEPTHS) >= depth, news[:, None]] = y[rows].mean() > 0.5
        if depth < max(DEPTHS) and y[rows].min() < y[rows].max():
            order = np.argsort(x[rows], axis=0)  # of both columns
            ones, count = np.cumsum(y[rows][order], axis=0)[:-1], np.arange(1, len(rows))[:, None]
            rest, left = y[rows].sum() - ones, len(rows) - count
            at, column = np.unravel_index(np.argmin(ones * (1 - ones / count) + rest * (1 - rest / left)), ones.shape)
            split = x[rows][order[at:at + 2, column], column].mean()
            for side in (np.less, np.greater_equal):
                grow(rows[side(x[rows, column], split)], news[side(new[news, column], split)], depth + 1)

    grow(np.arange(len(x)), np.arange(len(new)), 0)
    return made


def terms(learner, seed=0, samples=100, new_rows=1000):
    """The mean TERMS of each setting, (settings, 5), against the best classes: wrong ones are in training rows only."""
    random = np.random.default_rng(seed)
    new, best, _ = draw(random, new_rows)
    drawn = (draw(random, ROWS) for _ in range(samples))
    predicted = np.stack([learner(x, y, new) for x, _, y in drawn], axis=1).astype(int)
    found = [tz.study.decompose_zero_one(each[:, None], best) for each in predicted]  # of (samples, seeds, rows)
    return np.array([[x.mean() for x in (t.loss, t.bias, t.variance_effect.clip(0), -t.variance_effect.clip(max=0),
                                         t.variance)] for t in found])


def network_terms(parts=10, rounds=2, at_epochs=EPOCHS):
    """The same of a network after some epochs, by the study: it deals rows into parts, and fits each with two seeds."""
    random = np.random.default_rng(1)
    (x, _, y), new = draw(random, parts * ROWS), draw(random, 1000)
    network = tz.nn.Sequential(tz.nn.Dense(16, "tanh"), tz.nn.Dense(2)).compile(tz.optim.Adam(lr=0.03), "cross_entropy")
    found = tz.study.bias_variance(network, x, y, validation_data=new[:2], epochs=max(at_epochs), batch_size=16,
                                   at_epochs=at_epochs, parts=parts, rounds=rounds)
    return np.array([[getattr(point.zero_one, name).mean for name in TERMS] for point in found.points])


if __name__ == "__main__":
    colors, panels = {"0-1 loss": GREY, "bias": BLUE, "variance that hurts": ORANGE, "variance that helps": GREEN}, []
    for name, setting, values, found in (("k nearest neighbors", "k", KS, terms(nearest)), (
            "tree", "depth", DEPTHS, terms(tree)), ("network", "epoch", EPOCHS, network_terms())):
        panels.append(Panel(name, setting, values, [0, 0.25]))
        for line, color in zip(found.T[:4], colors.values(), strict=True):
            panels[-1].curve(values, line, color)
        print(name, setting, *TERMS, np.column_stack([values, found.round(3)]), sep="\n")
    print(save("domingos", "The 0-1 loss and its terms", panels, colors))
