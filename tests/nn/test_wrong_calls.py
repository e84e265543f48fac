"""What learners write at first, and what they are told."""

import numpy as np
import pytest

import tarazu as tz
from tarazu.nn import Dense, Sequential

X, Y = np.zeros((8, 4), np.float32), np.arange(8) % 2


def compiled():
    return Sequential([Dense(2)]).compile("sgd", "cross_entropy")


@pytest.mark.parametrize(("call", "text"), [
    (lambda: Sequential("relu"), r"'relu' as layer 0\n  expected: a layer, or a function of a tensor"),
    (lambda: Sequential(Dense(2), [Dense(1)]), r"\[Dense\(1\)\] as layer 1"),
    (lambda: Sequential(Dense(2), "relu"), r"make an object: tz.nn.Activation\('relu'\)"),
    (lambda: Sequential(None), r"None as layer 0"),
    (lambda: Sequential([Dense(2)])([[1.0, 2.0]]), r"a list as input of Dense(.|\n)*tz.tensor\(x\)"),
    (lambda: Sequential([Dense(2)])(3), r"an int as input of Dense|a int as input of Dense"),
    (lambda: tz.optim.Adam(0.001), r"0.001 as the parameters(.|\n)*lr=0.01"),
    (lambda: tz.optim.SGD(tz.ones(2, requires_grad=True)), r"a tensor as the parameters(.|\n)*\[w, b\]"),
    (lambda: Sequential([Dense(2)]).compile("sgd", "mse", 3), r"metric 3(.|\n)*one of accuracy"),
    (lambda: Sequential([Dense(2)]).compile("sgd", "binary_crossentropy"), r"did you mean 'binary_cross_entropy'\?"),
    (lambda: Sequential([Dense(2)]).compile("sgd", "sparse_categorical_crossentropy"), r"here it is 'cross_entropy'"),
    (lambda: Sequential([Dense(2)]).compile("sgdd", "mse"), r"did you mean 'sgd'\?"),
    (lambda: Sequential([Dense(2)]).compile("sgd", "mse", ["acuracy"]), r"did you mean 'accuracy'\?"),
    (lambda: Dense(2, "rellu"), r"did you mean 'relu'\?"),
    (lambda: Dense(2, ["relu"]), r"activation \['relu'\]"),
    (lambda: Dense(2, kernel_initializer="he_norml"), r"did you mean 'he_normal'\?"),
    (lambda: Sequential([Dense(2)]).compile(tz.optim.Adam, "mse"), r"make an object: tz.optim.Adam\(\)"),
    (lambda: tz.ones(2) + None, r"None where a tensor is wanted(.|\n)*before backward\(\)"),
    (lambda: tz.tensor(["a", "b"]), r"a list of text where a tensor is wanted(.|\n)*encoded"),
    (lambda: tz.tensor({"a": 1}), r"\{'a': 1\} where a tensor is wanted"),
    (lambda: tz.zeros(-1), r"shape \(-1,\)(.|\n)*sizes of at least 0"),
    (lambda: compiled().fit(X, Y, callbacks=3), r"3 among the callbacks"),
    (lambda: compiled().fit(X, Y, callbacks=tz.train.KeepBest), r"make an object of the class"),
])
def test_the_text_says_how_to_mend_it(call, text):
    with pytest.raises(tz.TarazuError, match=text):
        call()


def test_a_layer_is_frozen_by_its_trainable_switch():
    model = Sequential([Dense(3, in_features=4), Dense(2, in_features=3)])
    model[0].trainable = False
    assert [p.requires_grad for p in model.parameters()] == [False, False, True, True]
    assert model.trainable and not model[0].trainable
    model[0].trainable = True
    assert model[0].trainable
