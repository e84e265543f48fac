"""What outputs rest on: the axioms of integrated gradients, gradients and occlusion of models that are known."""

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError, DTypeError, ShapeError

RNG = np.random.default_rng(0)


def image_model(activation: str = "relu") -> tz.nn.Module:
    tz.random.seed(0)
    return tz.nn.Sequential([tz.nn.Conv2D(4, 3, activation=activation), tz.nn.Flatten(), tz.nn.Dropout(0.5),
                             tz.nn.Dense(3)])


def linear(weight: np.ndarray) -> tz.nn.Module:
    model = tz.nn.Sequential([tz.nn.Dense(weight.shape[1], in_features=weight.shape[0])])
    model[0].weight = tz.asarray(weight.astype(np.float32))
    return model


@pytest.mark.parametrize(("activation", "tolerance"), [("tanh", 1e-4), ("relu", 2e-2)])
@pytest.mark.parametrize("baseline", [0.0, 0.5])
def test_integrated_gradients_add_up_to_the_difference_of_the_outputs(activation, tolerance, baseline):
    """Completeness, proposition 1 of Sundararajan, Taly and Yan."""
    model, x = image_model(activation), RNG.normal(size=(3, 6, 6, 2)).astype(np.float32)
    model(tz.asarray(x))
    model.eval()
    values = tz.draw.integrated_gradients(model, x, target=[0, 2, 1], baseline=baseline, steps=128).values
    rise = model(tz.asarray(x)).numpy() - model(tz.asarray(np.full_like(x, baseline))).numpy()
    np.testing.assert_allclose(values.sum((1, 2, 3)), rise[np.arange(3), [0, 2, 1]], atol=tolerance)


def test_an_input_that_is_as_in_the_baseline_or_does_not_matter_gets_nothing():
    model = linear(np.array([[1.0], [0.0], [2.0]]))
    assert tz.draw.integrated_gradients(model, [[0.0, 5.0, 3.0]]).values.tolist() == [[0.0, 0.0, 6.0]]


def test_gradients_are_those_of_the_output_that_is_asked_about():
    weight = RNG.normal(size=(4, 3))
    x = RNG.normal(size=(5, 4)).astype(np.float32)
    values = tz.draw.gradients(linear(weight), x, target=[0, 1, 2, 0, 1]).values
    np.testing.assert_allclose(values, weight.T[[0, 1, 2, 0, 1]], rtol=1e-6)
    largest = (x @ weight).argmax(1)
    np.testing.assert_allclose(tz.draw.gradients(linear(weight), x).values, weight.T[largest], rtol=1e-6)


def test_dropout_and_modes_are_left_as_they_were():
    model, x = image_model(), tz.ones((1, 6, 6, 1))
    model(x)
    model.train()
    first, second = (tz.draw.gradients(model, x).values for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert model.training and all(p.grad is None for p in model.parameters())


def test_occlusion_finds_the_only_pixel_that_counts():
    weight = np.zeros((36, 2))
    weight[2 * 6 + 3, 1] = 5.0
    model = tz.nn.Sequential([tz.nn.Flatten(), *linear(weight)])
    x = np.ones((1, 6, 6, 1), np.float32)
    values = tz.draw.occlusion(model, x, target=1, window=1).values[0, :, :, 0]
    assert values[2, 3] == 5.0 and np.count_nonzero(values) == 1
    assert tz.draw.occlusion(model, x, target=1, window=(2, 2)).values[0, 2, 3, 0] == 5.0
    both = tz.draw.occlusion(model, x[..., 0], target=1, window=6)
    assert (both.values == 5.0).all() and "6 x 6 are covered" in both.title


def test_occlusion_covers_the_last_rows_and_columns_and_codes_of_words():
    model = tz.nn.Sequential([tz.nn.Embedding(9, 2), tz.nn.Flatten(), tz.nn.Dense(1)])
    codes = np.array([[1, 2, 3, 4, 5]])
    assert (tz.draw.occlusion(model, codes, window=2, stride=2).values[0] != 0).all()


def test_maps_show_images_beside_what_counts_and_tables_as_named_bars():
    picture = tz.draw.gradients(image_model(), RNG.uniform(size=(9, 6, 6, 3)).astype(np.float32))
    assert len(picture.charts) == 16 and picture.values.shape == (9, 6, 6, 3)
    table = tz.draw.gradients(linear(np.ones((2, 1))), [[1.0, 2.0]], names=["age", "<height>"])
    assert ">age<" in table.svg() and "&lt;height&gt;" in table.svg()


BAD = {
    "codes": (lambda m: tz.draw.gradients(m, [[1, 2]]), DTypeError, r"int64(.|\n)*occlusion takes them"),
    "one row": (lambda m: tz.draw.occlusion(m, [1.0, 2.0]), ShapeError, r"shape \(2,\)(.|\n)*x\[None\]"),
    "an output": (lambda m: tz.draw.gradients(m, [[1.0, 2.0]], target=3), ArgumentError, "target=3 of a model with 1"),
    "steps": (lambda m: tz.draw.integrated_gradients(m, [[1.0, 2.0]], steps=0), ArgumentError, "steps"),
    "a window": (lambda m: tz.draw.occlusion(m, [[1.0, 2.0]], window=3), ArgumentError, "window=3 for inputs of 2"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_asked_is_said(case):
    function, error, text = BAD[case]
    with pytest.raises(error, match=text):
        function(linear(np.ones((2, 1))))
