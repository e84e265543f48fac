"""Caches of keys and values: equal to full recomputation, carried by compiled functions, and a model that generates."""

import numpy as np
import pytest
from helpers import compilations

import tarazu as tz
from tarazu.base.errors import ShapeError
from tarazu.nn import (
    Embedding,
    Module,
    MultiHeadAttention,
    PositionalEmbedding,
    SinusoidalEmbedding,
    TransformerDecoderLayer,
    TransformerEncoderLayer,
)

X = tz.asarray(np.random.default_rng(0).normal(size=(2, 6, 8)).astype("f"))


class Writer(Module):
    """A small model of text: causal layers over tokens, whose output shares the weights of the input."""

    def __init__(self, words, dim, layers, **options):
        self.words = Embedding(words, dim)
        self.positions = SinusoidalEmbedding()
        self.layers = [TransformerEncoderLayer(2, dim, feedforward=16, causal=True, norm_first=True, **options)
                       for _ in range(layers)]

    def forward(self, tokens, caches=None):
        """The scores of the next token after each; with `caches` also the next caches."""
        if caches is None:
            x = self.positions(self.words(tokens))
            for layer in self.layers:
                x = layer(x)
            return self.words.attend(x)
        x = self.positions(self.words(tokens), start=caches[0].steps)
        following = []
        for layer, cache in zip(self.layers, caches, strict=True):
            x, cache = layer(x, cache=cache)
            following.append(cache)
        return self.words.attend(x), following

    def generate(self, prompt, count):
        """`count` further tokens (batch, count) after the prompt (batch, time), the likeliest each time."""
        caches = [layer.make_cache(prompt.shape[0], prompt.shape[1] + count) for layer in self.layers]
        scores, caches = self(prompt, caches)
        token = tz.argmax(scores[:, -1], -1)

        def step(carry, _):
            token, caches = carry
            scores, caches = self(token[:, None], caches)
            return (tz.argmax(scores[:, -1], -1), caches), token

        return tz.scan(step, (token, caches), None, length=count)[1].T


def recomputed(model, prompt, count):
    """The same tokens, by whole calls."""
    tokens = prompt
    for _ in range(count):
        tokens = tz.concat([tokens, tz.argmax(model(tokens)[:, -1:], -1)], 1)
    return tokens[:, prompt.shape[1]:]


@pytest.mark.parametrize("options", [{}, {"num_kv_heads": 1}, {"rotary": True}, {"num_kv_heads": 2, "rotary": True}],
                         ids=str)
@pytest.mark.parametrize("pieces", [(6,), (1,) * 6, (3, 1, 2)], ids=str)
def test_attention_bit_by_bit_is_attention_at_once(options, pieces):
    layer = MultiHeadAttention(4, 8, causal=True, **options)
    cache, outputs, start = layer.make_cache(2, 9), [], 0
    for count in pieces:
        y, cache = layer(X[:, start:start + count], cache=cache)
        outputs.append(y)
        start += count
    assert int(cache.steps) == 6 and cache.length == 9
    np.testing.assert_allclose(tz.concat(outputs, 1).detach(), layer(X).detach(), rtol=1e-5, atol=1e-5)


def test_a_cache_of_a_layer_that_is_not_causal_and_masks_of_its_steps():
    layer = MultiHeadAttention(2, 8)
    y, cache = layer(X[:, :4], cache=layer.make_cache(2, 7))
    np.testing.assert_allclose(y.detach(), layer(X[:, :4]).detach(), rtol=1e-5, atol=1e-6)
    y, weights, _ = layer(X[:, 4:], cache=cache, return_weights=True, mask=np.arange(7)[None] != 1)
    assert weights.shape == (2, 2, 2, 7)
    assert (weights[..., 6] == 0).all() and (weights[..., 1] == 0).all() and (weights[..., 5] > 0).all()
    mask = tz.asarray(np.arange(6)[None] != 1)
    np.testing.assert_allclose(y.detach(), layer(X, mask=mask)[:, 4:].detach(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("norm_first", [False, True])
def test_layers_of_transformers_pass_caches_on(norm_first):
    memory = X[:, :4] * 2
    for layer, others in ((TransformerEncoderLayer(2, 8, feedforward=4, causal=True, norm_first=norm_first), ()),
                          (TransformerDecoderLayer(2, 8, feedforward=4, norm_first=norm_first), (memory,))):
        layer.eval()
        cache, outputs = layer.make_cache(2, 6), []
        for i in range(6):
            y, cache = layer(X[:, i:i + 1], *others, cache=cache)
            outputs.append(y)
        np.testing.assert_allclose(tz.concat(outputs, 1).detach(), layer(X, *others).detach(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("options", [{}, {"num_kv_heads": 1, "rotary": True}], ids=str)
def test_generation_with_a_cache_is_full_recomputation(options):
    tz.random.seed(1)
    model = Writer(11, 8, 2, **options).eval()
    prompt = tz.tensor([[1, 2, 3], [4, 5, 6]])
    wanted = recomputed(model, prompt, 5)
    assert (model.generate(prompt, 5) == wanted).all()
    generate = tz.jit(lambda tokens: model.generate(tokens, 5))
    with compilations(exactly=1):
        assert (generate(prompt) == wanted).all()
        generate(prompt + 1)


def test_a_jitted_step_carries_the_cache_with_one_trace():
    layer = MultiHeadAttention(2, 8, causal=True)
    step = tz.jit(lambda x, cache: layer(x, cache=cache))
    cache, outputs = layer.make_cache(2, 6), []
    with compilations(exactly=1), tz.no_grad():
        for i in range(6):
            y, cache = step(X[:, i:i + 1], cache)
            outputs.append(y)
    np.testing.assert_allclose(tz.concat(outputs, 1), layer(X).detach(), rtol=1e-5, atol=1e-5)


@pytest.mark.native
def test_native_agrees():
    tz.random.seed(1)
    model = Writer(11, 8, 1, rotary=True, num_kv_heads=1).eval()
    prompt = tz.tensor([[1, 2], [4, 5]])
    assert (tz.jit(lambda x: model.generate(x, 3))(prompt) == recomputed(model, prompt, 3)).all()


@pytest.mark.xla
def test_xla_agrees():
    tz.random.seed(1)
    model = Writer(11, 8, 1, rotary=True, num_kv_heads=1).eval()
    prompt = tz.tensor([[1, 2], [4, 5]])
    wanted = recomputed(model, prompt, 3)
    model.to("xla")
    assert (tz.jit(lambda x: model.generate(x, 3))(prompt.to("xla")).to("cpu") == wanted).all()


def test_gradients_flow_through_a_cache():
    layer = MultiHeadAttention(2, 8, causal=True)
    _, cache = layer(X[:, :3], cache=layer.make_cache(2, 6))
    layer(X[:, 3:], cache=cache)[0].sum().backward()
    by_cache = layer.weight.grad.numpy()
    layer.weight.grad = None
    layer(X)[:, 3:].sum().backward()
    np.testing.assert_allclose(by_cache, layer.weight.grad, rtol=1e-4, atol=1e-5)


def test_learned_positions_go_on_where_the_cache_is():
    layer = PositionalEmbedding(6, 8)
    whole = layer(X)
    for start in (4, tz.tensor(4)):
        np.testing.assert_array_equal(layer(X[:, 4:], start=start).detach(), whole[:, 4:].detach())


LAYER = MultiHeadAttention(2, 8, causal=True)
MISUSES = {
    "too many steps": (lambda: LAYER(X, cache=LAYER.make_cache(2, 5)), r"6 new steps after 0 in a cache of length 5"),
    "full": (lambda: LAYER(X[:, :1], cache=LAYER(X[:, :2], cache=LAYER.make_cache(2, 2))[1]), "1 new steps after 2"),
    "batch": (lambda: LAYER(X, cache=LAYER.make_cache(3, 9)), r"a cache for keys of shape \(3, 2, 9, 4\) with new"),
    "positions": (lambda: PositionalEmbedding(6, 8)(X, start=1), r"at most 6 steps\n.*PositionalEmbedding\(7\)"),
}


@pytest.mark.parametrize(("act", "text"), MISUSES.values(), ids=MISUSES)
def test_what_misuse_says(act, text):
    with pytest.raises(ShapeError, match=text):
        act()
