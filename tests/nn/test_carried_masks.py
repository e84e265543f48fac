"""Masks over time in functional models and own modules: as in a Sequential, and as on rows without padding."""

import numpy as np
import pytest
from own_layers import WAYS_TO_WRITE, Chain

import tarazu as tz
from tarazu.base.errors import DataWarning, ShapeError
from tarazu.nn import (
    GRU,
    LSTM,
    Attention,
    Bidirectional,
    Dense,
    Embedding,
    GlobalAvgPool1D,
    GlobalMaxPool1D,
    Input,
    Masking,
    Model,
    Module,
    MultiHeadAttention,
    Sequential,
    TransformerDecoderLayer,
    TransformerEncoderLayer,
    WeightNorm,
)
from tarazu.nn.module.masked import mask_of

LENGTHS = (3, 5, 1)
TOKENS = np.array([[3, 4, 1, 0, 0], [1, 2, 3, 4, 5], [7, 0, 0, 0, 0]])
OTHERS = np.array([[2, 4, 0, 0], [1, 2, 0, 0], [7, 3, 1, 2]])
OTHER_LENGTHS = (2, 2, 4)


def embedding():
    return Embedding(9, 4, padding_idx=0, mask=True)


each_kind = pytest.mark.parametrize("kind", WAYS_TO_WRITE.values(), ids=WAYS_TO_WRITE)
LAYERS = {
    "recurrent": lambda: [embedding(), GRU(3, True, in_features=4), LSTM(2, in_features=3)],
    "both directions": lambda: [embedding(), Bidirectional(GRU(3, True, in_features=4)), GlobalMaxPool1D()],
    "attention": lambda: [embedding(), TransformerEncoderLayer(2, 4, feedforward=8), GlobalAvgPool1D()],
    "nested": lambda: [Chain([embedding(), Dense(4, in_features=4)]), Sequential([GRU(4, True, in_features=4)]),
                       GlobalAvgPool1D()],
    "weight norm": lambda: [embedding(), WeightNorm(GRU(3, in_features=4))],
}


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def values_and_slopes(model, tokens, weights):
    y = model(tokens)
    (y * weights).sum().backward()
    slopes = [x.grad.numpy() for x in model.parameters()]
    for x in model.parameters():
        x.grad = None
    return y.detach().numpy(), slopes


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_the_same_network_gives_the_same_however_it_is_written(make):
    layers = make()
    models = [kind(layers).eval() for kind in WAYS_TO_WRITE.values()]
    weights = np.arange(1, 4, dtype=np.float32)[:, None]
    y, slopes = values_and_slopes(models[0], TOKENS, weights)
    for model in models[1:]:
        z, others = values_and_slopes(model, TOKENS, weights)
        close(y, z)
        for a, b in zip(slopes, others, strict=True):
            close(a, b)
    total = [0.0] * len(slopes)
    for i, n in enumerate(LENGTHS):
        z, others = values_and_slopes(models[0], TOKENS[i:i + 1, :n], weights[i])
        close(y[i], z[0])
        total = [a + b for a, b in zip(total, others, strict=True)]
    for a, b in zip(slopes, total, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


class Translation(Module):
    """An encoder and a decoder with masks of their own, and what one computes between layers."""

    def __init__(self):
        self.source, self.target = embedding(), embedding()
        self.encoder = TransformerEncoderLayer(2, 4, feedforward=8)
        self.recurrent = LSTM(4, True, return_state=True, in_features=4)
        self.decoder = TransformerDecoderLayer(2, 4, feedforward=8)
        self.attention, self.heads = Attention(), MultiHeadAttention(2, 4)
        self.both = Bidirectional(GRU(3, True, in_features=4), merge=None)
        self.pool = GlobalMaxPool1D()

    def forward(self, source, target):
        memory, (h, c) = self.recurrent(2 * self.encoder(self.source(source)))
        x = self.decoder(self.target(target).tanh(), memory)
        x = x + self.attention(x, memory) - self.heads(x, memory) / 2 + h[:, None]
        one, other = self.both(x @ tz.ones((4, 4)))
        return {"steps": one, "whole": self.pool(other) + c[:, :3]}


def translation_model(net):
    source, target = Input((None,), "int64"), Input((None,), "int64")
    return Model([source, target], net.forward(source, target))


@pytest.mark.parametrize("wrap", [lambda net: net, translation_model], ids=["own module", "functional"])
def test_masks_of_several_inputs_go_to_what_they_belong_to(wrap):
    model = wrap(Translation()).eval()
    y = model(TOKENS, OTHERS)
    for i, (n, m) in enumerate(zip(LENGTHS, OTHER_LENGTHS, strict=True)):
        z = model(TOKENS[i:i + 1, :n], OTHERS[i:i + 1, :m])
        close(y["steps"][i, :m].detach(), z["steps"][0].detach())
        close(y["whole"][i].detach(), z["whole"][0].detach())


def test_operations_of_a_functional_model_hand_masks_on():
    tokens = Input((5,), "int64")
    x = embedding()(tokens)
    parts = {
        "relu": tz.relu(x), "softmax": tz.softmax(x, -1), "concat": tz.concat([x, x], -1)[..., :4],
        "matmul": x @ tz.ones((4, 4)), "reshape": tz.reshape(tz.reshape(x, (1, 5, 2, 2)), (1, 5, 4)),
    }
    summing = GRU(2, in_features=4)
    model = Model(tokens, {name: summing(part) for name, part in parts.items()})
    masked = model(TOKENS)
    for name, part in parts.items():
        values = Model(tokens, part)(TOKENS)
        close(masked[name].detach(), summing(values, mask=TOKENS != 0).detach())


def test_masks_end_with_the_outermost_call():
    model = Chain([embedding(), GRU(3, True, in_features=4)])
    y = model(TOKENS)
    assert type(y) is tz.Tensor
    close(tz.jit(model)(TOKENS).detach(), y.detach())
    layer = GRU(2, in_features=3)
    assert (layer(y) != layer(y, mask=TOKENS != 0)).any()  # not told, it knows of none


def test_masks_under_vmap_and_grad():
    model = Chain([embedding(), GRU(3, in_features=4)])
    y = model(TOKENS).detach()
    close(tz.vmap(lambda row: model(row[None])[0])(tz.asarray(TOKENS)).detach(), y)
    slope = tz.grad(lambda w: (w * model(TOKENS)).sum())(tz.tensor(2.0))
    close(slope, y.sum())


class Mixing(Module):
    """A layer whose mask is one of pairs of steps."""

    def forward(self, x, mask=None):
        return tz.where(mask, 1.0, 0.0) @ x


def test_another_kind_of_mask_does_not_go_on():
    class Net(Module):
        def __init__(self):
            self.mixing, self.last = Mixing(), GRU(2, in_features=4)

        def forward(self, x):
            return self.last(self.mixing(x, np.tri(3, dtype=bool)))  # of the size of a mask (batch, time)

    net, x = Net(), tz.ones((3, 3, 4))
    close(net(x).detach(), net.last(net.mixing(x, np.tri(3, dtype=bool)), mask=None).detach())


def test_a_mask_that_is_passed_goes_on():
    class Net(Module):
        def __init__(self):
            self.first, self.last = GRU(4, True, in_features=4), GRU(2, in_features=4)

        def forward(self, x, valid):
            return self.last(self.first(x, mask=valid))

    net, x, valid = Net(), tz.ones((3, 5, 4)), TOKENS != 0
    close(net(x, valid).detach(), net.last(net.first(x, mask=valid), mask=valid).detach())


class Largest(Module):
    def forward(self, *xs):
        return tz.maximum(*xs)


def test_the_output_of_several_inputs_has_what_all_masks_say():
    first, second, last = Masking(), Masking(), GRU(2, in_features=4)

    class Net(Module):
        def forward(self, x, y):
            return last(Largest()(first(x), second(y)))

    x, y = (np.where(valid[..., None], 1, 0) * np.ones((3, 5, 4), np.float32) for valid in (TOKENS != 0, TOKENS != 4))
    got = Net()(tz.asarray(x), tz.asarray(y))
    want = last(np.maximum(x, y), mask=(TOKENS != 0) & (TOKENS != 4))
    close(got.detach(), want.detach())


def test_inputs_are_left_as_they_are():
    x = tz.ones((2, 3, 4))
    model = Sequential([tz.nn.Dropout(0.5)]).eval()
    assert model(x, mask=np.ones((2, 3), bool)) is not None
    assert type(x) is tz.Tensor


class Lost(Module):
    def __init__(self, **options):
        self.first, self.second, self.options = embedding(), GRU(3, in_features=4), options

    def forward(self, tokens):
        return self.second(tz.relu(self.first(tokens)), **self.options)


def test_a_lost_mask_is_warned_of():
    with pytest.warns(DataWarning, match=r"GRU takes a mask and gets none, although Embedding made one of the size of "
                                         r"its input, \(3, 5\)[\s\S]*mask=embedding.compute_mask\(tokens\)"):
        Lost()(TOKENS)
    Lost(mask=None)(TOKENS)
    net = Lost(mask=TOKENS != 0)
    close(net(TOKENS)[0].detach(), net.second(tz.relu(net.first(TOKENS[:1, :3])))[0].detach())


class Part(Module):
    """A recurrent layer over a part of what an embedding gives."""

    def __init__(self, part):
        self.first, self.second, self.part = embedding(), GRU(3, in_features=4), part

    def forward(self, tokens):
        return self.second(self.part(self.first(tokens)))


PARTS = {"later": np.s_[:, 1:], "earlier": np.s_[:, :-1], "backwards": np.s_[:, ::-1], "batch": np.s_[:2],
         "both": np.s_[1:, 1:4], "all": np.s_[..., 1:4, :], "features": np.s_[:, :3, ::-1],
         "steps": np.s_[:, [0, 2, 3]]}


@pytest.mark.parametrize("key", PARTS.values(), ids=PARTS)
def test_parts_of_the_time_have_parts_of_the_mask(key):
    net = Part(lambda x: x[key])
    mask = np.broadcast_to((TOKENS != 0)[..., None], (3, 5, 4))[key][..., 0]
    close(net(TOKENS).detach(), net.second(net.first(TOKENS)[key], mask=mask).detach())


def test_one_step_and_a_new_axis_before_the_time_have_no_mask():
    seen = []
    net = Part(lambda x: seen.extend(map(mask_of, [x[:, 0], x[0], x[:, None], x[None], x[:, :2, None]])) or x)
    net(TOKENS)
    assert [x is None for x in seen] == [True, True, True, True, False]


@each_kind
def test_batch_norm_leaves_padding_out_of_its_statistics(kind):
    norm, plain = tz.nn.BatchNorm(4), tz.nn.BatchNorm(4)
    first = embedding()
    y = kind([first, norm])(TOKENS)
    valid = TOKENS != 0
    want = plain(first(TOKENS)[tz.asarray(valid)])
    close(y.detach().numpy()[valid], want.detach())
    close(norm.running_mean, plain.running_mean)
    close(norm.running_variance, plain.running_variance)
    y[tz.asarray(valid)].sum().backward()
    norm(tz.full((2, 3, 4), np.nan), mask=np.zeros((2, 3), bool))  # nothing but padding
    close(norm.running_mean, plain.running_mean)
    with pytest.raises(ShapeError, match=r"BatchNorm: a mask of shape \(3, 5\)"):
        norm(tz.ones((3, 4, 4)), mask=valid)


def test_a_mask_that_a_layer_has_ended_is_not_lost():
    model = Chain([embedding(), GRU(4, in_features=4), tz.nn.RepeatVector(5), GRU(2, True, in_features=4)])
    assert model(TOKENS).shape == (3, 5, 2)


@each_kind
def test_a_mask_that_no_longer_fits_is_no_secret(kind):
    layers = [embedding(), tz.nn.Conv1D(4, 3, in_channels=4), GRU(2, in_features=4)]
    with pytest.raises(ShapeError, match=r"mask of shape \(3, 5\) for an input of shape \(3, "):
        kind(layers)(TOKENS)


def test_masking_of_features():
    x = np.where(TOKENS[..., None] > 0, np.random.default_rng(0).random((3, 5, 2)), -1).astype(np.float32)
    layers = [Masking(-1.0), GRU(3, in_features=2)]
    given = Input((None, 2))
    model = Model(given, layers[1](layers[0](given)))
    close(model(x).detach(), Sequential(layers)(x).detach())
    close(Chain(layers)(x)[0].detach(), layers[1](x[:1, :3])[0].detach())


@pytest.mark.xla
def test_xla_agrees():
    model = Translation().eval()
    want = model(TOKENS, OTHERS)
    got = model.to("xla")(tz.asarray(TOKENS).to("xla"), tz.asarray(OTHERS).to("xla"))
    for name, y in want.items():
        np.testing.assert_allclose(got[name].to("cpu").detach(), y.detach(), rtol=1e-4, atol=1e-5)
