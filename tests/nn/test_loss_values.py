"""Losses and their options against values of torch 2.13, computed once; gradients against central differences."""

from functools import partial

import numpy as np
import pytest

import tarazu as tz
from tarazu import nn

Z = np.array([[3.06, -3.83, 0.63], [-0.85, -0.68, -0.32], [-3.03, -0.35, -1.3], [4.98, 0.34, -0.53]])
LABELS, WITH_IGNORED, WEIGHTS = np.array([0, 2, 1, 2]), np.array([0, -100, 1, 2]), np.array([0.5, 2.0, 1.0])
SHARES = np.array([[0.14, 0.333, 0.527], [0.353, 0.431, 0.216], [0.809, 0.169, 0.022], [0.595, 0.21, 0.195]])
BITS = np.array([[0.0, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
X = np.array([[-1.33, -0.44, 1.32], [0.87, 0.14, 1.01], [-4.24, 1.53, -1.44], [-2.5, 0.41, 1.05]])
Y = np.array([[-0.67, -1.61, 0.04], [-0.08, 2.11, 1.12], [0.29, 1.67, -0.31], [-1.39, 0.88, 0.87]])
VARIANCES = np.array([[0.42, 1.27, 0.44], [3.84, 1.14, 0.84], [2.56, 0.19, 1.55], [1.24, 3.15, 1.47]])
COUNTS = np.array([[2.0, 4, 1], [1, 1, 2], [3, 1, 3], [3, 1, 3]])
A = np.array([[0.44, -0.37, 1.23], [-1.19, 0.2, -0.17], [0.82, 0.34, 3.83], [2.25, 2.25, -3.06]])
Q = np.array([[-0.51, -0.91, 0.8], [-3.42, 1.76, 1.6], [-1.95, -1.47, -1.2], [0.06, 0.96, 3.07]])
N = np.array([[-0.3, 1.15, 0.23], [2.64, 1.11, 2.05], [-1.62, -0.29, -1.22], [2.26, 0.99, -0.46]])
STEPS = np.array([
    [[2.85, -0.32, -0.14, -0.2], [1.83, -2.76, 0.55, 1.79], [-1.22, 2.23, 0.8, -0.82], [0.31, -2.3, -0.85, 2.74],
     [-1.34, 2.77, -0.12, 1.49], [0.07, -3.36, -0.86, 0.28]],
    [[-1.73, -2.02, 0.55, -0.97], [-2.54, -1.03, 1.29, -0.71], [1.4, 2.29, 0.05, -1.69], [-1.95, -0.04, 1.32, 0.4],
     [0.82, -0.67, 0.45, -0.71], [-0.49, -1.94, -2.36, -0.72]]])
LENGTHS = np.array([6, 4]), np.array([3, 2])
SEQUENCES = np.array([[[-1.11, -0.96, 0.67], [-0.11, 2.91, 0.93], [-0.63, 0.78, 0.36], [-0.69, 1.1, -0.78]],
                      [[-3.06, 0.79, -0.62], [1.49, -0.65, -1.18], [1.55, -1.08, 0.2], [1.45, 0.11, -0.08]]])

ROWS = {  # a loss, its inputs, and torch's "mean", "sum" and "none", in rows of which ours is the mean
    "class weights": (partial(nn.cross_entropy, class_weight=WEIGHTS), (Z, LABELS), 1.5874716210754363,
                      7.143622294839463, [0.0426551, 0.8269266, 0.7504299, 5.5236108]),
    "ignored": (partial(nn.cross_entropy, ignore_index=-100), (Z, WITH_IGNORED), 1.9947119358069028,
                5.984135807420708, [0.0853101, 0.0, 0.3752149, 5.5236108]),
    "smoothing": (partial(nn.cross_entropy, label_smoothing=0.2), (Z, LABELS), 1.8270989375163407,
                  7.308395750065363, [0.7066434, 0.8862599, 0.6172149, 5.0982774]),
    "weights, ignored, smoothing": (
        partial(nn.cross_entropy, class_weight=WEIGHTS, label_smoothing=0.2, ignore_index=-100), (Z, WITH_IGNORED),
        2.109520448615432, 7.3833215701540125, [1.1346964, 0.0, 0.8405607, 5.4080644]),
    "weights, smoothing of probabilities": (
        partial(nn.cross_entropy, class_weight=WEIGHTS, label_smoothing=0.2), (Z, SHARES),
        3.016309855734351, 12.065239422937404, [5.8822497, 1.4116118, 1.3536663, 3.4177117]),
    "nll": (lambda z, y, **options: nn.nll(tz.log_softmax(z), y, class_weight=WEIGHTS, ignore_index=-100, **options),
            (Z, WITH_IGNORED), 1.8047701958651834, 6.316695685528142, [0.0426551, 0.0, 0.7504299, 5.5236108]),
    "pos_weight": (partial(nn.binary_cross_entropy, pos_weight=[0.5, 3.0, 1.0]), (Z, BITS), 2.2034567219836947,
                   26.441480663804338, [[3.1058217, 11.554432, 0.4269603], [0.6029325, 0.4098667, 0.5458929],
                                        [0.0471847, 2.6501465, 0.2410085], [4.9868505, 0.8775281, 0.9928563]]),
    "binary, of probabilities": (
        partial(nn.binary_cross_entropy, from_logits=False), (SHARES, BITS), 0.830785752039198, 9.969429024470376,
        [[0.1508229, 1.0996128, 0.6405547], [1.0412872, 0.5638748, 0.2433463], [1.6554819, 1.7778566, 0.0222456],
         [0.9038682, 0.2357223, 1.6347557]]),
    "kl_divergence": (nn.kl_divergence, (Z, SHARES), 5.904491997571968 / 4, 5.904491997571968, np.sum(
        [[-0.2633124, 1.9566072, 0.9879961], [0.1114207, 0.1488154, -0.1523989], [2.3001962, -0.2370464, -0.054813],
         [-0.300822, 0.6495222, 0.7583267]], 1)),
    "huber": (partial(nn.huber, delta=0.7), (X, Y), 0.595275, 7.1433,
              [[0.2178, 0.574, 0.651], [0.42, 1.134, 0.00605], [2.926, 0.0098, 0.546], [0.532, 0.11045, 0.0162]]),
    "smooth_l1": (partial(nn.smooth_l1, beta=0.7), (X, Y), 0.8503928571428573, 10.204714285714287,
                  [[0.3111429, 0.82, 0.93], [0.6, 1.62, 0.0086429], [4.18, 0.014, 0.78],
                   [0.76, 0.1577857, 0.0231429]]),
    "poisson_nll": (nn.poisson_nll, (X, COUNTS), 3.3142322334722647, 39.77078680166718,
                    [[2.9244773, 2.4040364, 2.4234214], [1.5169109, 1.0102738, 0.725601],
                     [12.7344076, 3.0881768, 4.5569278], [7.582085, 1.0968178, -0.2923489]]),
    "poisson_nll, full": (partial(nn.poisson_nll, full=True), (X, COUNTS), 4.273999091941055, 51.28798910329266,
                          [[3.5762837, 5.5612996, 2.4234214], [1.5169109, 1.0102738, 1.3774075],
                           [14.4984891, 3.0881768, 6.3210093], [9.3461665, 1.0968178, 1.4717327]]),
    "poisson_nll, rates": (partial(nn.poisson_nll, log_input=False), (VARIANCES, COUNTS), 1.096628400572064,
                           13.159540806864767, [[2.1550011, 0.3139324, 1.2609805], [2.4945276, 1.0089717, 1.1887068],
                                                [-0.2600218, 1.8507312, 0.2352352], [0.5946658, 2.0025975, 0.3142128]]),
    "gaussian_nll, full": (partial(nn.gaussian_nll, full=True), (X, Y, VARIANCES), 1.7872347942745626,
                           21.44681753129475, [[1.0037597, 1.577384, 2.3702664], [1.7091877, 2.6866018, 0.8389642],
                                               [5.3969304, 0.1401519, 1.5499692], [1.5233087, 1.5277033, 1.1225901]]),
    "gaussian_nll, one variance": (
        nn.gaussian_nll, (X, Y, VARIANCES[:, 0]), 1.0027418953832248, 12.032902744598697,
        [[0.0848211, 1.1958926, 1.5167259], [0.7902492, 1.1780617, 0.6743117], [4.4779919, 0.4738318, 0.7193982],
         [0.6043702, 0.1966283, 0.1206202]]),
    "soft_margin": (nn.soft_margin, (X, 2 * BITS - 1), 0.4637977078879203, 5.565572494655044,
                    [[0.2346588, 0.9371545, 0.2367587], [0.3499183, 0.7655952, 1.3205821],
                     [0.0143048, 0.1960072, 0.2126307], [0.0788897, 0.9190141, 0.3000585]]),
    "multi_margin": (nn.multi_margin, (Z, LABELS), 0.795, 3.18, [0.0, 0.37, 0.0166667, 2.7933333]),
    "multi_margin, squares": (partial(nn.multi_margin, p=2, margin=0.5), (Z, LABELS), 3.16805, 12.6722,
                              [0.0, 0.0065333, 0.0, 12.6656667]),
    "hinge_embedding": (partial(nn.hinge_embedding, margin=0.8), (np.abs(X), 2 * BITS - 1), 0.5216666666666667, 6.26,
                        [[0.0, 0.44, 1.32], [0.87, 0.66, 0.0], [0.0, 1.53, 0.0], [0.0, 0.39, 1.05]]),
    "triplet_loss": (partial(nn.triplet_loss, margin=0.9), (A, Q, N), 1.5084701177981632, 6.033880471192653,
                     [0.1101306, 0.0, 1.2769429, 4.6468069]),
    "triplet_loss, swap": (partial(nn.triplet_loss, p=1.5, swap=True), (A, Q, N), 2.9778909366072783,
                           11.911563746429113, [0.0728307, 0.0, 6.6557686, 5.1829645]),
    "margin_ranking": (partial(nn.margin_ranking, margin=0.3), (A, Q, 2 * BITS - 1), 1.68, 20.16,
                       [[1.25, 0.0, 0.0], [0.0, 0.0, 0.0], [3.07, 0.0, 5.33], [2.49, 1.59, 6.43]]),
    "cosine_embedding": (partial(nn.cosine_embedding, margin=0.1), (A, Q, np.array([1, -1, 1, -1])),
                         0.682268450204186, 2.729073800816744, [0.3857819, 0.7174555, 1.6258364, 0.0]),
    "cosine_distance": (nn.cosine_distance, (X, Y), 0.48410375, 1.936415, [0.5078718, 0.5764294, 0.7826902, 0.0694236]),
    "ctc_loss": (nn.ctc_loss, (STEPS, np.array([[1, 1, 3], [2, 3, 0]]), *LENGTHS), 1.4963137485275202,
                 7.512046131710745, [4.5803734, 2.9316727]),
    "ctc_loss, another blank": (partial(nn.ctc_loss, blank=3), (STEPS, np.array([[1, 1, 2], [2, 0, 0]]), *LENGTHS),
                                1.7555665826714972, 9.086930273802714, [6.1939918, 2.8929384]),
}
each_row = pytest.mark.parametrize(("loss", "inputs", "mean", "total", "single"), ROWS.values(), ids=ROWS)


@each_row
def test_values_are_those_of_torch(loss, inputs, mean, total, single):
    tensors = [tz.asarray(x) for x in inputs]
    assert loss(*tensors).item() == pytest.approx(mean, rel=1e-6)
    assert loss(*tensors, reduction="sum").item() == pytest.approx(total, rel=1e-6)
    wanted = np.reshape(single, (len(inputs[0]), -1)).mean(1)
    np.testing.assert_allclose(loss(*tensors, reduction="none").numpy(), wanted, atol=2e-7)


@each_row
def test_gradients_are_central_differences(loss, inputs, mean, total, single):
    tensors = [tz.asarray(x) for x in inputs]
    draw = np.random.default_rng(0)
    for i, x in enumerate(inputs):
        if x.dtype.kind != "f" or (x % 1 == 0).all():  # class numbers, counts and signs
            continue

        def at(value, i=i):
            return loss(*tensors[:i], value, *tensors[i + 1:], reduction="sum")

        direction = tz.asarray(draw.normal(size=x.shape))
        slope = (tz.grad(at)(tensors[i]) * direction).sum().item()
        quotient = (at(tensors[i] + 1e-6 * direction) - at(tensors[i] - 1e-6 * direction)).item() / 2e-6
        assert slope == pytest.approx(quotient, rel=1e-5, abs=1e-7)


def test_ctc_gradients_are_those_of_torch():
    gradient = tz.grad(lambda z: nn.ctc_loss(z, [[1, 1, 3], [2, 3, 0]], *LENGTHS, reduction="sum"))(tz.asarray(STEPS))
    wanted = [[0.091374, -0.177055, 0.0441253, 0.0415557], [0.0015691, 0.0782858, -0.1744396, 0.0945847], [0.0] * 4]
    np.testing.assert_allclose(gradient.numpy()[[0, 1, 1], [0, 1, 5]], wanted, atol=1e-6)


@pytest.mark.native
def test_traced_ctc_is_eager_in_float32():
    inputs = [tz.asarray(x) for x in (STEPS.astype(np.float32), np.array([[1, 1, 3], [2, 3, 0]]), *LENGTHS)]
    value, gradient = tz.jit(tz.value_and_grad(nn.ctc_loss))(*inputs)
    assert value.item() == pytest.approx(1.4963137, rel=1e-5)
    np.testing.assert_allclose(gradient.numpy(), tz.grad(nn.ctc_loss)(*inputs).numpy(), atol=1e-5)


def test_ctc_of_no_labels_and_of_too_few_steps():
    labels = np.array([[1, 1, 3], [2, 3, 0]])
    losses = nn.ctc_loss(tz.asarray(STEPS), labels, [6, 2], [0, 3], reduction="none").numpy()
    assert losses[0] == pytest.approx(12.6015, abs=1e-4) and losses[1] == np.inf
    gradient = tz.grad(lambda z: nn.ctc_loss(z, labels, [6, 2], [0, 3], reduction="none")[0])(tz.asarray(STEPS))
    assert np.isfinite(gradient.numpy()).all()


def test_ignored_steps_of_sequences():
    labels = np.array([[0, -100, 2, 1], [1, 1, -100, -100]])
    loss = nn.cross_entropy(tz.asarray(SEQUENCES), labels, ignore_index=-100)
    assert loss.item() == pytest.approx(1.1954732039011748, rel=1e-6)
    masked = nn.cross_entropy(tz.asarray(SEQUENCES), np.abs(labels) % 100, mask=labels >= 0)
    assert masked.item() == pytest.approx(loss.item())
