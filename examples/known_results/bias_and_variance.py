"""Bias and variance to look at, polynomials of 1 to 12 parameters: python examples/known_results/bias_and_variance.py

Source: the classical picture (Geman and others, 1992, "Neural networks and the bias/variance dilemma"). A wave with
noise of variance 0.16 is fitted on 20 rows, again and again on other ones. Time: 75 seconds of one core. Results, bias
and variance: 2 parameters 0.399 (0.354 to 0.444) and 0.038 (-0.003 to 0.078), 4 parameters 0.034 (0.014 to 0.055) and
0.050 (0.018 to 0.082), 12 parameters 0.001 (-0.140 to 0.141) and 0.530 (0.165 to 0.895).
"""

import numpy as np
from numpy.polynomial.legendre import legvander
from panels import BLUE, GREEN, GREY, ORANGE, PURPLE, Panel, save

import tarazu as tz

ROWS, NOISE, SETTINGS, DRAWN = 20, 0.16, (1, 2, 3, 4, 5, 6, 8, 12), (2, 4, 12)


def wave(x):
    """What there is to learn."""
    return np.sin(4 * x)


def terms(x):
    """The first 12 Legendre polynomials, of mean square 1: (rows, 12)."""
    return (legvander(x, 11) * np.sqrt(2 * np.arange(12) + 1)).astype("float32")


def draw(random, rows):
    """Polynomials of x, and the wave with noise."""
    x = random.uniform(-1, 1, rows)
    return terms(x), (wave(x) + np.sqrt(NOISE) * random.normal(size=rows)).astype("float32")


def polynomial(parameters):
    """A compiled polynomial with so many parameters."""
    model = tz.nn.Sequential(lambda x: x[:, :parameters], tz.nn.Dense(1, bias=False, kernel_initializer="zeros"))
    return model.compile(tz.optim.SGD(lr=0.05, momentum=0.9), "mse")


def decomposed(settings=SETTINGS, parts=4, rounds=4, epochs=150):
    """What the study finds for each number of parameters: the training rows are dealt into parts of 20 rows."""
    random = np.random.default_rng(0)
    x, y = draw(random, parts * ROWS)
    return tz.study.bias_variance(polynomial, x, y, validation_data=draw(random, 1000), epochs=epochs, batch_size=ROWS,
                                  settings=settings, parts=parts, rounds=rounds, noise=NOISE,
                                  callbacks=[tz.train.KeepBest(restore=False)])


def fits(parameters, grid, count=15):
    """What polynomials predict on a grid that are fitted to `count` draws of 20 rows, (count, grid)."""
    made = []
    for seed in range(count):
        model = polynomial(parameters)
        model.fit(*draw(np.random.default_rng(seed + 1), ROWS), epochs=150, batch_size=ROWS, seed=seed, verbose=0)
        made.append(model.predict(terms(grid))[:, 0])
    return np.array(made)


if __name__ == "__main__":
    found, grid, panels = decomposed(), np.linspace(-1, 1, 60), []
    print(found)
    for parameters in DRAWN:
        made = fits(parameters, grid)
        panels.append(Panel(f"{parameters} parameters", "x", [-1, 1], [-2, 2], [-1, 0, 1]))
        for line in made:
            panels[-1].line(grid, line, ORANGE, width=1, opacity=0.5)
        panels[-1].line(grid, wave(grid), GREY, dashes="5 4")
        panels[-1].line(grid, made.mean(axis=0), BLUE, width=3)
    panels.append(Panel("squared loss and its terms", "parameters", SETTINGS, [0, 1]))
    losses = [point.loss for point in found.points]
    for color, line in ((PURPLE, [each.loss.mean for each in losses]), (BLUE, [each.bias.mean for each in losses]),
                        (ORANGE, [each.sample_variance.mean + each.seed_variance.mean for each in losses]),
                        (GREEN, [NOISE] * len(losses))):
        panels[-1].curve(SETTINGS, line, color)
    print(save("bias_and_variance", "Fits to other rows, and bias and variance over capacity", panels, {
        "what there is to learn": GREY, "mean of fits, bias": BLUE, "each fit, variance": ORANGE, "noise": GREEN,
        "loss": PURPLE}, columns=2))
