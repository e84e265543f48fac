"""What learners write at first, and what they are told."""

import copy
import inspect
import pickle
import re
import subprocess
import sys
import traceback
from operator import attrgetter

import numpy as np
import pytest

import tarazu as tz
from tarazu.base.hints.foreign_names import ADVICE, KEYWORDS, PEERS, TRAINING_ADVICE
from tarazu.base.hints.missing import keywords_of
from tarazu.nn import Dense, Sequential
from tarazu.optim.options import Options

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
    (lambda: compiled().fit(X, Y, callbacks=tz.train.KeepBest), r"an object of the class: tz.train.KeepBest\(\)$"),
    (lambda: compiled().fit(X, Y, callbacks=[tz.train.CSVLog]), r"an object of the class: tz.train.CSVLog\(...\)$"),
    (lambda: Sequential(Dense(2)).compile("sgd", "cross_entropy", [tz.train.AUC]),
     r"^the class AUC among the metrics\n.*\n.*make an object of the class: tz.train.AUC\(\)$"),
    (lambda: Sequential(Dense(2)).compile("sgd", "cross_entropy", Net), r"an object of the class: Net\(...\)$"),
])
def test_the_text_says_how_to_mend_it(call, text):
    with pytest.raises(tz.TarazuError, match=text):
        call()


ATTRIBUTES = {
    "torch": (lambda: tz.nn.Linear, r"^module 'tarazu.nn' has no attribute 'Linear'; torch's Linear is tz.nn.Dense"),
    "torch's loss": (lambda: tz.nn.CrossEntropyLoss, r"torch's CrossEntropyLoss is the function tz.nn.cross_ent"),
    "Keras": (lambda: tz.nn.MaxPooling2D, "Keras's MaxPooling2D is tz.nn.MaxPool2D$"),
    "TensorFlow": (lambda: tz.keras, r"^module 'tarazu' has no attribute 'keras'; TensorFlow's keras is tz itself"),
    "NumPy": (lambda: tz.array, "NumPy's array is tz.tensor"),
    "schedules": (lambda: tz.optim.lr_scheduler, "torch's lr_scheduler is a schedule as the rate"),
    "data": (lambda: tz.data.DataLoader, r"torch's DataLoader is tz.data.Dataset\(...\).shuffle\(\).batch\(32\)"),
    "callbacks": (lambda: tz.train.ModelCheckpoint, "Keras's ModelCheckpoint is tz.train.Checkpoint, or"),
    "elsewhere": (lambda: tz.Dense, "no attribute 'Dense'; it is tz.nn.Dense$"),
    "elsewhere, a function": (lambda: tz.nn.relu, "no attribute 'relu'; it is tz.relu$"),
    "torch's functional": (lambda: tz.nn.functional.relu, "functional' has no attribute 'relu'; it is tz.relu$"),
    "elsewhere, a callback": (lambda: tz.optim.ReduceLROnPlateau, "it is tz.train.ReduceLROnPlateau$"),
    "misspelled": (lambda: tz.nn.LSTMcell, r"no attribute 'LSTMcell'; did you mean 'LSTMCell'\?$"),
    "misspelled function": (lambda: tz.softmaks, r"did you mean 'softmax'\?$"),
    "unlike anything": (lambda: tz.train.xyzzy, r"^module 'tarazu.train' has no attribute 'xyzzy'$"),
    "of arrays": (lambda: tz.in1d, "NumPy's in1d is tz.isin$"),
    "of images": (lambda: tz.image, "TensorFlow's image is tz.interpolate for sizes"),
    "a callback that each fit is": (lambda: tz.train.TerminateOnNaN, "Keras's TerminateOnNaN is a part of each fit"),
    "a tensor's": (lambda: tz.ones(2).cuda(), r"^'Tensor' object has no attribute 'cuda'; call x.to\(\"gpu\"\)"),
    "a variable's": (lambda: tz.Variable([1.0]).contiguous(), "^'Variable' .* 'contiguous'; tensors have no strides"),
    "of data": (lambda: tz.data.Dataset([1]).prefetch(1), "^'Dataset' .*'prefetch'; maps with workers= or threads="),
    "hidden": (lambda: tz.nn._Linear, r"^module 'tarazu.nn' has no attribute '_Linear'$"),
}


@pytest.mark.parametrize(("read", "text"), ATTRIBUTES.values(), ids=ATTRIBUTES)
def test_a_name_that_is_not_there_says_what_is(read, text):
    with pytest.raises(AttributeError, match=text) as caught:
        read()
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is AttributeError and str(again) == str(caught.value)
    assert traceback.format_exception_only(caught.value) == [f"AttributeError: {caught.value}\n"]


def test_names_of_others_lead_to_names_that_are_there():
    texts = [text for names in (*PEERS.values(), ADVICE, TRAINING_ADVICE) for text in names.values()]
    paths = {path for text in texts for path in re.findall(r"\btz((?:\.\w+)+)", text)}
    assert len(paths) > 100 and not [path for path in paths if not attrgetter(path[1:])(tz)]
    names = [name for names in PEERS.values() for name in names]
    assert len(names) == len(set(names)), "two peers with one name: only the first would be read"
    assert not [name for name in names if name in dir(tz) or name in dir(tz.nn)], "a name that is there"
    taken = {keyword for name in dir(tz.nn) for keyword in keywords_of(getattr(tz.nn, name))}
    taken |= {*Options.__annotations__, *keywords_of(tz.optim.Adam)}
    taken |= {keyword for name in dir(tz.train) for keyword in keywords_of(getattr(tz.train, name))}
    taken |= {keyword for kind in (Sequential, tz.data.Dataset) for name in ("fit", "batch", "shuffle", "map", "repeat")
              if hasattr(kind, name) for keyword in inspect.signature(getattr(kind, name)).parameters}
    assert not {known for of_name in KEYWORDS.values() for known in of_name} - taken


def test_no_table_is_read_before_a_message_is():
    code = ("import sys, tarazu as tz, tarazu.nn, tarazu.optim, tarazu.data, tarazu.train\n"
            "assert not hasattr(tz, 'keras') and not hasattr(tz.nn, 'Linear')\n"
            "assert 'tarazu.base.hints.foreign_names' not in sys.modules")
    subprocess.run([sys.executable, "-c", code], check=True)


class Net(tz.nn.Module):
    def __init__(self, width, *, depth=2):
        self.width, self.depth = width, depth


KEYWORD_ERRORS = {
    "Keras": (lambda: Dense(2, use_bias=False), r"^Dense\(\) got an unexpected keyword argument 'use_bias'; did you m"),
    "torch": (lambda: tz.nn.Conv2D(3, 3, stride=2), r"^Conv2D\(\) got .* argument 'stride'; did you mean 'strides'\?$"),
    "by the layer": (lambda: tz.nn.MaxPool2D(kernel_size=2), r"'kernel_size'; did you mean 'pool_size'\?$"),
    "the first that it takes": (lambda: tz.nn.Embedding(input_dim=3, dim=2), r"did you mean 'num_embeddings'\?$"),
    "nearest": (lambda: Dense(2, kernel_initialiser="zeros"), r"did you mean 'kernel_initializer'\?$"),
    "another way": (lambda: Dense(2, kernel_regularizer="l2"), r"'kernel_regularizer'; it is an option of compile"),
    "batch": (lambda: tz.nn.LSTM(2, batch_first=True), "the batch is always the first axis: leave it out$"),
    "unlike anything": (lambda: tz.nn.Dropout(xyzzy=2), "'xyzzy'; it takes rate$"),
    "takes none": (lambda: tz.nn.GlobalAvgPool2D(data_format="x"), r"^GlobalAvgPool2D\(\) .*; channels are the l"),
    "takes no positions": (lambda: tz.nn.Identity(3), r"^Identity\(\) takes no arguments, and 1 were given$"),
    "too many": (lambda: Dense(2, "relu", 3), r"^Dense\(\) takes 2 positional arguments \(units, activation\), and 3"),
    "too few": (lambda: tz.nn.Conv2D(3), r"^Conv2D\(\) lacks 'kernel_size'; it takes filters, kernel_size, strides"),
    "a class of the user's": (lambda: Net(3, dept=1), r"^Net\(\) got an unexpected keyword argument 'dept'; did you"),
}


TRAINING_ERRORS = {
    "evaluate": (lambda: compiled().evaluate(X, Y, verbose=0), r"evaluate\(\) .* 'verbose'; it prints nothing: l"),
    "fit": (lambda: compiled().fit(X, Y, validation_freq=2), r"fit\(\) .*'validation_freq'; did you mean 'validate_ev"),
    "compile": (lambda: Sequential(Dense(2)).compile(optimiser="sgd"), r"compile\(\) .*; did you mean 'optimizer'\?$"),
    "predict": (lambda: compiled().predict(X, xyzzy=2), r"predict\(\) .* 'xyzzy'; it takes x, batch_size$"),
    "callback": (lambda: tz.train.EarlyStopping(restore_best_weights=True),
                 r"^EarlyStopping\(\) .*; each validated fit restores the best weights \(tz.train.KeepBest\)"),
    "checkpoint": (lambda: tz.train.Checkpoint(filepath="a"), r"^Checkpoint\(\) .*; did you mean 'folder'\?$"),
    "best model": (lambda: tz.train.BestModel(filepath="a"), r"^BestModel\(\) .*; did you mean 'path'\?$"),
    "batch": (lambda: tz.data.Dataset([1]).batch(batch_size=2), r"batch\(\) .* 'batch_size'; did you mean 'n'\?$"),
    "shuffle": (lambda: tz.data.Dataset([1]).shuffle(buffer_size=2), r"shuffle\(\) .*; did you mean 'buffer'\?$"),
    "map": (lambda: tz.data.Dataset([1]).map(abs, num_parallel_calls=2), r"map\(\) .*; did you mean 'threads'\?$"),
    "repeat": (lambda: tz.data.Dataset([1]).repeat(count=2), r"repeat\(\) .*; did you mean 'times'\?$"),
}
KEYWORD_ERRORS |= TRAINING_ERRORS


@pytest.mark.parametrize(("call", "text"), KEYWORD_ERRORS.values(), ids=KEYWORD_ERRORS)
def test_arguments_that_a_layer_does_not_take(call, text):
    with pytest.raises(TypeError, match=text):
        call()


def test_layers_with_arguments_of_any_kind_are_made_and_copied():
    class Any(tz.nn.Module):
        def __init__(self, *sizes, **options):
            self.sizes, self.options = sizes, options

    assert (Any(1, 2, a=3).sizes, Any(a=3).options) == ((1, 2), {"a": 3})
    assert copy.copy(Net(3, depth=1)).depth == 1 and Net(width=3).width == 3


def test_a_layer_is_frozen_by_its_trainable_switch():
    model = Sequential([Dense(3, in_features=4), Dense(2, in_features=3)])
    model[0].trainable = False
    assert [p.requires_grad for p in model.parameters()] == [False, False, True, True]
    assert model.trainable and not model[0].trainable
    model[0].trainable = True
    assert model[0].trainable
