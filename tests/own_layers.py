"""Own layers for the tests of models: they stand in a module, so that saved models find them."""

import dataclasses
import enum
import threading

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


class Twice(tz.nn.Module):
    """A layer of two inputs, of which the second is made of the first."""

    def __init__(self, inner):
        self.inner = inner

    def forward(self, x):
        return self.inner(x, tz.cos(x))


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


class OwnMemory(tz.nn.TransformerDecoderLayer):
    """A decoder layer that attends to its own input."""

    def forward(self, x):
        return super().forward(x, x)


class CrossAttention(tz.nn.MultiHeadAttention):
    """Attention to the first features of its own input."""

    def forward(self, x):
        return super().forward(x, x[..., :2])


def doubled(x):
    return 2 * x


class Tied(tz.nn.Module):
    """Two layers that its constructor gives one weight."""

    def __init__(self, size):
        self.out, self.back = (tz.nn.Dense(size, in_features=size) for _ in range(2))
        self.back.weight = self.out.weight

    def forward(self, x):
        return self.back(self.out(x))


class Configured(tz.nn.Module):
    """A layer for each size in a list, with plain attributes beside."""

    def __init__(self, sizes):
        self.sizes, self.rate, self.nested, self.spare = sizes, 1.0, {"depth": 1}, "spare"
        self.layers = [tz.nn.Dense(size) for size in sizes]

    def forward(self, x):
        for layer in self.layers:
            x = layer(x) * self.rate
        return x


class Mode(enum.IntEnum):
    """A choice among two."""

    FAST = 1
    EXACT = 2


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a layer is made with, in one object."""

    units: int
    mode: Mode = Mode.FAST
    options: dict = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        if self.units < 0:
            raise ValueError("units below 0")


class Settled(tz.nn.Module):
    """A layer that is made with settings."""

    def __init__(self, settings):
        self.settings, self.hidden = settings, tz.nn.Dense(settings.units)

    def forward(self, x):
        return self.hidden(x) * self.settings.mode


class Helper:
    """Something that no file can hold."""

    def __init__(self):
        self.count = 0


class Transforming(tz.nn.Module):
    """Attributes that only the constructor can make."""

    def __init__(self):
        self.function, self.lock, self.helper = lambda x: 2 * x, threading.Lock(), Helper()
        self.generator = tz.random.Generator(7)

        def down(x):
            return down(x - 1) if x else x

        self.recursive = down

    def forward(self, x):
        return self.function(x)


class Sign(tz.optim.Transformation):
    """An optimizer's step by the sign of the gradient, with a slot."""

    def __init__(self, factor):
        self.factor = factor

    def slots(self, parameter):
        return {"last": tz.zeros_like(parameter)}

    def update(self, g, parameter, slots, step):
        last = slots["last"].copy_(0.5 * slots["last"] + g)
        return self.factor * tz.sign(last)


def squared_error(prediction, target):
    return tz.mean(tz.square(tz.reshape(prediction, (-1,)) - target))


class Chain(tz.nn.Module):
    """Layers one after the other, by a forward of one's own."""

    def __init__(self, layers):
        self.steps = layers

    def forward(self, x):
        for layer in self.steps:
            x = layer(x)
        return x


def functional(layers):
    """A functional model of layers one after the other, on sequences of numbers."""
    tokens = x = tz.nn.Input((None,), "int64")
    for layer in layers:
        x = layer(x)
    return tz.nn.Model(tokens, x)


WAYS_TO_WRITE = {"sequential": tz.nn.Sequential, "functional": functional, "own module": Chain}
