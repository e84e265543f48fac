"""Own layers for the tests of models: they stand in a module, so that saved models find them."""

import tarazu as tz


class Scale(tz.nn.Module):
    """One scalar parameter."""

    def __init__(self, factor=2.0):
        self.factor = tz.nn.Parameter(tz.tensor(factor))

    def forward(self, x):
        return x * self.factor


class Residual(tz.nn.Module):
    """x + inner(x), with an option of forward."""

    def __init__(self, inner):
        self.inner = inner

    def forward(self, x, strength=1.0):
        return x + self.inner(x) * strength


class Branches(tz.nn.Module):
    """Layers in a list, in a dict and under a private name; built at the first input."""

    def __init__(self, units):
        self.units = units
        self.steps = [tz.nn.Dense(units, "tanh"), tz.nn.Dense(units)]
        self.heads = {"left": tz.nn.Dense(units), "right": Scale(0.5)}
        self._gate = tz.nn.Dense(units, "sigmoid")

    def build(self, x):
        self.shift = tz.nn.Parameter(tz.zeros(x.shape[-1]))

    def forward(self, x):
        x = x + self.shift
        y = self.steps[1](self.steps[0](x))
        return self._gate(x) * (self.heads["left"](y) + self.heads["right"](y))


class Multilayer(tz.nn.Sequential):
    """A Sequential made from other arguments than layers."""

    def __init__(self, hidden, classes):
        super().__init__([tz.nn.Dense(hidden, "relu"), tz.nn.Dense(classes)])


def doubled(x):
    return 2 * x
