"""Attention layers: torch's values, masks, what a step can see, small graphs, and what misuse says."""

import numpy as np
import pytest
from naive import assert_golden, wave

import tarazu as tz
from tarazu.base.errors import ArgumentError, DTypeError, ShapeError
from tarazu.nn import (
    AdditiveAttention,
    Attention,
    Dense,
    Embedding,
    GlobalAvgPool1D,
    MultiHeadAttention,
    PositionalEmbedding,
    RotaryEmbedding,
    Sequential,
    SinusoidalEmbedding,
    TiedOutput,
    TransformerDecoderLayer,
    TransformerEncoderLayer,
)
from tarazu.ops.networks.attention import merge_heads, split_heads

X = tz.asarray(wave(2, 3, 4))
MASK = np.array([[True] * 3, [True, True, False]])
HEADS = ("weight", "bias", "output_weight", "output_bias")
ENCODER = (*[f"attention.{name}" for name in HEADS], "hidden.weight", "hidden.bias", "output.weight", "output.bias",
           "attention_norm.weight", "attention_norm.bias", "output_norm.weight", "output_norm.bias")


def filled(layer, names):
    """With the parameters of tests/golden/make_golden.py, in torch's order."""
    tensors = dict(layer.named_tensors())
    for phase, name in enumerate(names):
        tensors[name].raw = wave(*tensors[name].shape, phase=phase)
    return layer.eval()


def test_attention_agrees_with_torch():
    layer = filled(MultiHeadAttention(2, 4), HEADS)
    assert_golden(layer(X).detach(), "multi_head_attention")
    other, values = tz.asarray(wave(2, 5, 4, phase=1)), tz.asarray(wave(2, 5, 4, phase=2))
    assert_golden(layer(X, other, values, attention_mask=wave(3, 5) >= -0.5).detach(), "multi_head_attention_masked")


@pytest.mark.parametrize("norm_first", [False, True])
def test_encoder_agrees_with_torch(norm_first):
    layer = TransformerEncoderLayer(2, 4, feedforward=6, norm_first=norm_first,
                                    activation="gelu" if norm_first else "relu")
    assert_golden(filled(layer, ENCODER)(X).detach(), "encoder_norm_first" if norm_first else "encoder")


def test_one_two_and_three_inputs_are_the_same_attention():
    layer = filled(MultiHeadAttention(2, 4), HEADS)
    for inputs in ((X, X), (X, X, X)):
        np.testing.assert_allclose(layer(*inputs).detach(), layer(X).detach(), rtol=1e-12)


def test_masks_of_every_shape():
    layer, mask = filled(MultiHeadAttention(2, 4), HEADS), wave(3, 3) > -0.5
    wanted = layer(X, attention_mask=mask).detach()
    for same in (np.where(mask, 0, -np.inf), np.stack([mask] * 2), np.stack([mask] * 2)[:, None], mask[None]):
        np.testing.assert_allclose(layer(X, attention_mask=same).detach(), wanted, rtol=1e-12)
    by_sample = layer(X, attention_mask=np.stack([mask, ~mask])).detach()
    np.testing.assert_allclose(by_sample[0], wanted[0], rtol=1e-12)
    assert not np.allclose(by_sample[1], wanted[1])


@pytest.mark.parametrize("make", [lambda: MultiHeadAttention(2, 4, causal=True),
                                  lambda: TransformerEncoderLayer(2, 4, feedforward=3, causal=True, dropout=0)])
def test_causal_steps_do_not_see_later_ones(make):
    layer, x = make(), X.astype("float32")
    changed = x.numpy().copy()
    changed[:, 2] += 1
    np.testing.assert_allclose(layer(tz.asarray(changed))[:, :2].detach(), layer(x)[:, :2].detach(), rtol=1e-6)
    np.testing.assert_allclose(layer(x)[:, :1].detach(), layer(x[:, :1]).detach(), rtol=1e-5, atol=1e-6)


def test_dropout_of_weights_drops_in_training_only():
    layer = MultiHeadAttention(2, 4, dropout=0.5)
    x = X.astype("float32")
    assert not (layer(x) == layer(x)).all()
    assert (layer.eval()(x) == layer(x)).all()


def test_heads_come_apart_and_together_again():
    q, k = split_heads(X, 2, 1)
    assert q.shape == k.shape == (2, 1, 3, 2)
    np.testing.assert_array_equal(q[:, 0], X[..., :2])
    np.testing.assert_array_equal(k[:, 0], X[..., 2:])
    np.testing.assert_array_equal(merge_heads(*split_heads(X, 1, 2)), X)


def test_self_attention_projects_by_one_product():
    layer = MultiHeadAttention(2, 4)
    nodes = tz.trace(lambda x: layer(x))(X.astype("float32")).counts().nodes
    assert nodes["dot"] == 4
    both = tz.trace(lambda x: layer(x), backward=True)(X.astype("float32")).counts().nodes
    assert both["dot"] == 12 and both["concat"] == 1 and "pad" not in both


def test_positions_make_steps_different():
    layer = PositionalEmbedding(5)
    y = layer(tz.zeros(2, 3, 4)).detach()
    assert (y[0] == layer.weight.detach()[:3]).all() and (y[0] == y[1]).all()


def test_a_transformer_learns_where_a_token_stands():
    draw = np.random.default_rng(0)
    x, y = np.ones((200, 6), np.int64), draw.integers(0, 2, 200)
    x[np.arange(200), np.where(y, draw.integers(3, 6, 200), draw.integers(0, 3, 200))] = 2
    model = Sequential([Embedding(3, 16), PositionalEmbedding(6), TransformerEncoderLayer(2, 16, feedforward=32),
                        GlobalAvgPool1D(), Dense(2)])
    model.compile(tz.optim.Adam(lr=0.005), "cross_entropy", ["accuracy"]).fit(x, y, epochs=30, verbose=0, seed=1)
    assert model.evaluate(x, y)["accuracy"] > 0.95


# torch 2.13, by the layers and waves of tests/golden/make_golden.py; the memory of the second sample has 3 steps
DECODER_ORDER = (*[f"{part}.{name}" for part in ("attention", "memory_attention") for name in HEADS], "hidden.weight",
                 "hidden.bias", "output.weight", "output.bias",
                 *[f"{part}_norm.{name}" for part in ("attention", "memory", "output") for name in ("weight", "bias")])
DECODED = {
    False: [-0.781369934, 0.082610952, 0.290695589, 1.164721857, -0.79358003, 0.142604857, 0.264664962, 1.162523238,
            -0.495147601, -1.440968448, 0.169700344, 1.052057879, -0.80589254, 0.162307633, 0.281841074, 1.162613035,
            -0.73518583, 0.024235022, 0.194826753, 1.160531047, -0.618430015, -0.449439238, 0.201818128, 1.148863765],
    True: [0.224806454, 1.256507641, 1.132981497, -0.03220261, -1.830157407, -0.4536761, 1.339912921, 1.901592182,
           -0.44562555, -0.598582066, -0.201204991, 0.381159025, -0.093948671, -0.397011877, -0.335064194, 0.034939963,
           -0.900030847, -1.925986067, -1.181198579, 0.649577435, 0.945819021, 0.701122025, -0.188183327,
           -0.904473797]}
CROSS = [-1.046135974, -0.110850714, 0.926350182, 1.111868992, -1.087738818, -0.136263689, 0.940491647, 1.1525633,
         -1.061207678, -0.10685452, 0.945740191, 1.128825732, -1.181788142, -0.003464716, 1.178044154, 1.276464662,
         -1.18005338, 0.004791635, 1.185231242, 1.275974712, -1.181945191, 0.001028732, 1.183056844, 1.27738795]
CROSS_WEIGHTS = [0.18271599, 0.187691194, 0.196477327, 0.208833166, 0.224282324, 0.203592748, 0.200760527, 0.19891169,
                 0.198165622, 0.198569414]  # of the first head: of queries 0 and 1
GROUPED = [0.909297427, 0.141120008, 0.325222354, -0.244516193, -0.363889352, -0.028215097, 0.909297427, 0.141120008,
           0.453134664, -0.160061951, -0.364531693, -0.090355051, 0.989358247, 0.412118485, 0.538725832, -0.002874678,
           -0.347061528, -0.114383444, 0.989358247, 0.412118485, 0.596335629, 0.050178922, -0.286399765, -0.172092062]


@pytest.mark.parametrize("norm_first", [False, True])
def test_decoder_agrees_with_torch(norm_first):
    layer = filled(TransformerDecoderLayer(2, 4, feedforward=6, norm_first=norm_first), DECODER_ORDER)
    memory, mask = tz.asarray(wave(2, 5, 4, phase=1)), np.array([[True] * 5, [True] * 3 + [False] * 2])
    np.testing.assert_allclose(layer(X, memory, memory_mask=mask).detach().numpy().ravel(), DECODED[norm_first],
                               rtol=1e-7)


def test_cross_attention_over_other_features_agrees_with_torch():
    layer = MultiHeadAttention(2, 4, memory_dim=6)
    keys, values = wave(6, 4, phase=1), wave(6, 4, phase=2)
    layer.weight.raw, layer.memory_weight.raw = wave(4, 4), np.concatenate([keys, values], 1)
    layer.bias.raw, layer.output_weight.raw = wave(12, phase=3), wave(4, 4, phase=4)
    layer.output_bias.raw = wave(4, phase=5)
    y, weights = layer(X, tz.asarray(wave(2, 5, 6, phase=1)), return_weights=True)
    np.testing.assert_allclose(y.detach().numpy().ravel(), CROSS, rtol=1e-6)
    np.testing.assert_allclose(weights.detach().numpy().ravel()[:10], CROSS_WEIGHTS, rtol=1e-7)


def test_grouped_queries_agree_with_torch():
    """Projections that do nothing, so that the input holds queries, keys and values side by side."""
    layer = MultiHeadAttention(4, 16, num_kv_heads=2, key_dim=2, causal=True, bias=False)
    layer.weight.raw, layer.output_weight.raw = np.eye(16), np.eye(8, 16)
    parts = [np.moveaxis(wave(heads, 3, 2, phase=phase), 0, 1).reshape(3, -1)
             for heads, phase in ((4, 0), (2, 1), (2, 2))]
    y = layer(tz.asarray(np.concatenate(parts, 1)[None]))[0, :, :8].detach().numpy()
    np.testing.assert_allclose(np.moveaxis(y.reshape(3, 4, 2), 1, 0).ravel(), GROUPED, rtol=1e-7)


def test_one_group_for_each_head_is_plain_attention():
    plain, grouped = (MultiHeadAttention(4, 8, num_kv_heads=n) for n in (None, 4))
    grouped.load_state_dict(plain.state_dict())
    x = tz.randn(2, 3, 8)
    np.testing.assert_array_equal(grouped(x).detach(), plain(x).detach())


def test_padded_steps_change_nothing():
    x = tz.asarray(np.random.default_rng(0).normal(size=(2, 5, 4)).astype("f"))
    mask = tz.asarray(np.array([[True] * 5, [True] * 3 + [False] * 2]))
    for layer in (MultiHeadAttention(2, 4), MultiHeadAttention(2, 4, causal=True, dropout=0.5, rotary=True).eval(),
                  TransformerEncoderLayer(2, 4, feedforward=6, norm_first=True).eval()):
        np.testing.assert_allclose(layer(x, mask=mask)[1, :3].detach(), layer(x[1:, :3])[0].detach(), rtol=1e-4,
                                   atol=1e-6)
        np.testing.assert_allclose(layer(x, mask=mask)[0].detach(), layer(x)[0].detach(), rtol=1e-5, atol=1e-6)
    decoder = TransformerDecoderLayer(2, 4, feedforward=6).eval()
    np.testing.assert_allclose(decoder(x, x, mask=mask, memory_mask=mask)[1, :3].detach(),
                               decoder(x[1:, :3], x[1:, :3])[0].detach(), rtol=1e-4, atol=1e-6)


def test_masks_join():
    layer = MultiHeadAttention(2, 4)
    x, pairs = tz.asarray(wave(2, 5, 4).astype("f")), wave(5, 5) > -0.5
    mask = np.array([[True] * 5, [True] * 3 + [False] * 2])
    wanted = layer(x, attention_mask=pairs & mask[:, None]).detach()
    for added in (pairs, np.where(pairs, 0.0, -np.inf), np.broadcast_to(pairs, (2, 5, 5))):
        np.testing.assert_allclose(layer(x, mask=mask, attention_mask=added).detach(), wanted, rtol=1e-6)


def test_weights_are_those_of_the_output():
    layer = MultiHeadAttention(2, 4, causal=True, bias=False)
    x = tz.asarray(wave(2, 3, 4).astype("f"))
    y, weights = layer(x, return_weights=True)
    np.testing.assert_allclose(y.detach(), layer(x).detach(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(weights.sum(-1).detach(), np.ones((2, 2, 3)), rtol=1e-6)
    assert (tz.triu(weights, k=1) == 0).all()


def test_attention_without_projections_against_the_formula():
    q, k, v = wave(2, 3, 4), wave(2, 5, 4, phase=1), wave(2, 5, 2, phase=2)
    mask, pairs = np.array([[True] * 5, [True] * 3 + [False] * 2]), wave(3, 5) > -0.9
    allowed = pairs & mask[:, None]
    additive = AdditiveAttention(4)
    additive.weight.raw = wave(4)
    for layer, scores in ((Attention(), q @ np.swapaxes(k, 1, 2) / 2), (Attention(scale=1), q @ np.swapaxes(k, 1, 2)),
                          (additive, np.tanh(q[:, :, None] + k[:, None]) @ wave(4))):
        raised = np.where(allowed, np.exp(scores), 0)
        wanted = raised / raised.sum(-1, keepdims=True)
        y, weights = layer(*map(tz.asarray, (q, k, v)), mask=mask, attention_mask=pairs, return_weights=True)
        np.testing.assert_allclose(weights.detach(), wanted, rtol=1e-10)
        np.testing.assert_allclose(y.detach(), wanted @ v, rtol=1e-10)
        np.testing.assert_allclose(layer(tz.asarray(q)).detach(), layer(*[tz.asarray(q)] * 3).detach(), rtol=1e-12)


def test_rotary_products_depend_on_distances_only():
    for layer in (RotaryEmbedding(), RotaryEmbedding(100.0, interleaved=True)):
        x, y = tz.asarray(wave(1, 1, 6)), tz.asarray(wave(1, 1, 6, phase=2))
        products = [float((layer(x, start=i) * layer(y, start=i + 3)).sum()) for i in (0, 1, 50)]
        np.testing.assert_allclose(products, products[0], rtol=1e-5)
        np.testing.assert_allclose(tz.square(layer(X)).sum(-1), tz.square(X).sum(-1), rtol=1e-6)
        np.testing.assert_array_equal(layer(X)[:, :1], X[:, :1])


def test_rotary_pairs_against_the_formula():
    x, angles = wave(3, 4), np.arange(3)[:, None] / 10000 ** (np.array([0, 2]) / 4)
    for interleaved in (False, True):
        first, second = (x[:, ::2], x[:, 1::2]) if interleaved else (x[:, :2], x[:, 2:])
        turned = (first + 1j * second) * np.exp(1j * angles)
        got = RotaryEmbedding(interleaved=interleaved)(tz.asarray(x)).numpy()
        parts = (got[:, ::2], got[:, 1::2]) if interleaved else (got[:, :2], got[:, 2:])
        np.testing.assert_allclose(parts[0] + 1j * parts[1], turned, rtol=1e-6)


def test_sinusoids_against_the_formula():
    for dim in (4, 5):
        got = SinusoidalEmbedding()(tz.zeros(1, 7, dim))[0]
        angles = np.arange(7)[:, None] / 10000 ** (2 * (np.arange(dim) // 2) / dim)
        np.testing.assert_allclose(got, np.where(np.arange(dim) % 2, np.cos(angles), np.sin(angles)), atol=1e-6)
        np.testing.assert_array_equal(SinusoidalEmbedding()(tz.zeros(1, 3, dim), start=tz.tensor(4)), got[None, 4:])


def test_tied_outputs_are_saved_once(tmp_path):
    words = Embedding(7, 4)
    model = Sequential([words, PositionalEmbedding(3), words.as_output(bias=True)])
    x = tz.tensor([[1, 2, 3]])
    np.testing.assert_allclose(model(x).detach(), (model[1](words(x)) @ words.weight.mT).detach(), rtol=1e-6)
    assert model.count_parameters() == 28 + 12 + 7
    model.save(tmp_path / "tied")
    again = tz.load(tmp_path / "tied")
    assert again[2].embedding is again[0] and again.count_parameters() == 47
    np.testing.assert_array_equal(again(x).detach(), model(x).detach())
    model(x).sum().backward()
    assert (words.weight.grad != 0).all()  # of the scores of all words, beside those that were looked up


def every_layer(x, mask):
    """The gradient of a sum over what layers make of sequences x, with a mask, and that sum."""
    tz.random.seed(0)
    first = TransformerEncoderLayer(2, 4, feedforward=6, dropout=0, norm_first=True, rotary=True, num_kv_heads=1)
    second, third = TransformerDecoderLayer(2, 4, feedforward=6, dropout=0, memory_dim=3), SinusoidalEmbedding()

    def total(x):
        y = second(third(first(x, mask=mask)), x[..., :3], mask=mask, memory_mask=mask)
        return (tz.where(mask[..., None], y, 0) ** 3).sum()

    def both(x):
        return tz.value_and_grad(total)(x)
    return [y.detach() for y in both(x)], [y.detach().to("cpu") for y in tz.jit(both)(x)]


@pytest.mark.native
def test_native_agrees():
    for eager, compiled in zip(*every_layer(X.astype("float32"), tz.asarray(MASK)), strict=True):
        np.testing.assert_allclose(compiled, eager, rtol=1e-4, atol=1e-5)


@pytest.mark.xla
def test_xla_agrees():
    wanted, _ = every_layer(X.astype("float32"), tz.asarray(MASK))
    with tz.default_device("xla"):
        _, got = every_layer(X.astype("float32").to("xla"), tz.asarray(MASK).to("xla"))
    for eager, compiled in zip(wanted, got, strict=True):
        np.testing.assert_allclose(compiled, eager, rtol=1e-4, atol=1e-5)


MISUSES = [
    (lambda: MultiHeadAttention(3, 8), ArgumentError, "dim=8 for heads=3"),
    (lambda: MultiHeadAttention(0, 8), ArgumentError, "heads=0"),
    (lambda: MultiHeadAttention(2, 4, dropout=2), ArgumentError, "rate=2"),
    (lambda: MultiHeadAttention(4, 8, num_kv_heads=3), ArgumentError, "num_kv_heads=3 for heads=4"),
    (lambda: MultiHeadAttention(2, 4, memory_dim=4)(X), ArgumentError, r"without key\n.*of 4 features"),
    (lambda: MultiHeadAttention(2, 4)(X, tz.ones(2, 3, 6)), ShapeError, r"time, 4\)\n.*memory_dim="),
    (lambda: MultiHeadAttention(2, 6, rotary=True)(tz.ones(1, 2, 6)), ShapeError, "with an even dim"),
    (lambda: MultiHeadAttention(2, 4)(X, mask=np.ones((3, 3), bool)), ShapeError,
     r"a mask of shape \(3, 3\)\n.*\(2, 3\)\n.*attention_mask="),
    (lambda: MultiHeadAttention(2, 4)(X, mask=np.ones((2, 3))), DTypeError, "a mask of float64\n.*True where"),
    (lambda: Attention()(X, tz.ones(2, 3)), ShapeError, "sequences"),
    (lambda: AdditiveAttention(3)(X), ShapeError, "3 features on the last axis"),
    (lambda: Attention(dropout=1.0), ArgumentError, "rate=1.0"),
    (lambda: RotaryEmbedding(1), ArgumentError, "base=1"),
    (lambda: SinusoidalEmbedding()(tz.ones(2, 3)), ShapeError, "sequences"),
    (lambda: TiedOutput(Dense(3)), ArgumentError, "TiedOutput of a Dense"),
    (lambda: Embedding(3, 2).attend(tz.ones(2, 3)), ShapeError, "matmul"),
    (lambda: MultiHeadAttention(2, 4)(tz.ones(2, 4)), ShapeError, r"in MultiHeadAttention\(2, 4\).*\n.*\n.*sequences"),
    (lambda: MultiHeadAttention(2, 4)(tz.ones(1, 2, 6)), ShapeError, r"shape \(batch, time, 4\)\n.*Dense\(4\)"),
    (lambda: MultiHeadAttention(2, 4)(X, attention_mask=np.ones((3, 3), int)), DTypeError, "a mask of int64"),
    (lambda: PositionalEmbedding(2)(tz.ones(1, 3, 4)), ShapeError, r"at most 2 steps\n.*PositionalEmbedding\(3\)"),
    (lambda: TransformerEncoderLayer(2, 4)(tz.ones(1, 3, 6)), ShapeError, "in layer attention, MultiHeadAttention"),
]


@pytest.mark.parametrize(("act", "kind", "text"), MISUSES, ids=range(len(MISUSES)))
def test_what_misuse_says(act, kind, text):
    with pytest.raises(kind, match=text):
        act()
