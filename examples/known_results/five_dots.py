"""Five dots, a line through them, and a polynomial of 7 parameters: python examples/known_results/five_dots.py

Source: the lesson's page on overfitting: training and validation error 5.3 and 5.1 with 2 parameters, 0 and 20 with 7.
It shows a picture without coordinates or units, so these are our own dots, drawn around the line 2 x + 3 and picked so
that the mean squared errors are the page's. The second part draws dots again and again, without picking.
Time: 6 seconds. Results: the line has 5.3 and 5.1, the polynomial of degree 6 has 0.0 and 20.0; in the mean over 4,000
draws of dots the line has 5.4 and 12.1, the polynomial 0.0 and 17.0, and it is the worse of the two in 73 % of draws.
"""

import numpy as np
from numpy.polynomial.legendre import legvander
from panels import BLUE, GREY, ORANGE, Panel, save

import tarazu as tz

FIRST, NEW = (part.in_memory() for part in tz.data.load("five_dots"))
X, Y, NEW_X, NEW_Y = FIRST[0][:, 0], FIRST[1], NEW[0][:, 0], NEW[1]


def terms(x, parameters):
    """The first Legendre polynomials, one for each parameter: they keep the steps of gradient descent even."""
    return legvander((np.asarray(x) - 3) / 2, parameters - 1).astype("float32")


def fitted(parameters, epochs=300):
    """A model of so many parameters, by gradient descent from zeros: of all that fit equally well, it finds the least.

    (Its weights have the least sum of squares, as those of the pseudoinverse.)
    """
    model = tz.nn.Sequential(tz.nn.Dense(1, bias=False, kernel_initializer="zeros"))
    model.compile(tz.optim.SGD(lr=0.2, momentum=0.9), "mse")
    model.fit(terms(X, parameters), Y, epochs=epochs, seed=0, verbose=0)
    return model


def errors(parameters):
    """The mean squared error on the five dots, and on five new ones."""
    model = fitted(parameters)
    return model.evaluate(terms(X, parameters), Y)["loss"], model.evaluate(terms(NEW_X, parameters), NEW_Y)["loss"]


def drawn_errors(draws, seed=0):
    """Both errors of each number of parameters for `draws` draws of ten dots around the line, (draws, 7, 2)."""
    random = np.random.default_rng(seed)
    y, new_y = (2 * x + 3 + 3 * random.normal(size=(draws, 5)) for x in (X, NEW_X))
    made = []
    for parameters in range(1, 8):
        weights = y @ np.linalg.pinv(terms(X, parameters)).T
        made.append([((weights @ terms(x, parameters).T - target)**2).mean(axis=1)
                     for x, target in ((X, y), (NEW_X, new_y))])
    return np.moveaxis(np.array(made), -1, 0)


def picture(found):
    """The line and the polynomial, and both errors by the number of parameters."""
    grid = np.linspace(0.9, 5.1, 100)
    dots = Panel("five dots, five new dots", "x", [0.9, 5.1], [0, 20], range(1, 6))
    for parameters, color in ((2, BLUE), (7, ORANGE)):
        dots.line(grid, fitted(parameters).predict(terms(grid, parameters))[:, 0], color)
    dots.dots(X, Y, GREY, size=5)
    dots.dots(NEW_X, NEW_Y, GREY, size=2.5)
    curves = Panel("mean squared error", "parameters", [1, 7], [0, 20], range(1, 8))
    for part, dashes in ((0, "5 4"), (1, "none")):
        curves.line(range(1, 8), found[:, part], GREY, dashes=dashes)
        for parameters, color in ((2, BLUE), (7, ORANGE)):
            curves.dots([parameters], found[[parameters - 1], part], color, size=5)
    curves.text(6.9, 2, "training", "end")
    curves.text(4.4, 17, "validation", "end")
    return save("five_dots", "Five dots, and models of 1 to 7 parameters", [dots, curves],
                {"2 parameters": BLUE, "7 parameters": ORANGE, "large dots train, small ones validate": GREY})


if __name__ == "__main__":
    found = np.array([errors(parameters) for parameters in range(1, 8)])
    for parameters, (training, validation) in enumerate(found, 1):
        print(f"{parameters} parameters: training error {training:.1f}, validation error {validation:.1f}")
    drawn = drawn_errors(4000)
    print("mean over draws, training and validation:", *(f"{a:.1f}, {b:.1f};" for a, b in drawn.mean(axis=0)))
    print(f"7 parameters are worse than 2 in {(drawn[:, 6, 1] > drawn[:, 1, 1]).mean():.0%} of the draws")
    print(picture(found))
