"""TextVectorization: vocabularies, ways to split, outputs, and models that take texts."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tarazu as tz
from tarazu.base.errors import ArgumentError, DataError, DTypeError, FileFormatError, OutOfRangeError, ShapeError
from tarazu.nn import GRU, Dense, Embedding, Module, Sequential, TextVectorization

TEXTS = ["The cat sat.", "the CAT ate the rat!", "Größe: a “rat”, a cat", ""]
SPLITS = ("words", "characters", "bytes", "bpe")


def adapted(split, **options):
    return TextVectorization(split=split, **options).adapt(TEXTS)


# Vocabulary ---------------------------------------------------------------------------------------------------------

def test_words_are_numbered_by_how_often_they_stand_there():
    layer = adapted("words")
    assert layer.get_vocabulary() == ["", "[UNK]", "cat", "the", "a", "rat", "ate", "größe", "sat"]
    assert layer(["A dog sat", "cat"]).tolist() == [[4, 1, 8], [2, 0, 0]]


@pytest.mark.parametrize(("standardize", "first"), [
    ("lower", "the cat sat."), ("strip_punctuation", "The cat sat"), (None, "The cat sat."), ("auto", "the cat sat"),
    ("lower_and_strip_punctuation", "the cat sat")])
def test_what_is_done_before(standardize, first):
    layer = adapted("words", standardize=standardize)
    assert layer.decode(layer(TEXTS[:1])) == [first]


def test_the_most_frequent_stay():
    assert adapted("words", max_tokens=4).get_vocabulary() == ["", "[UNK]", "cat", "the"]
    assert len(adapted("bpe", max_tokens=260).get_vocabulary()) == 260


def test_a_given_vocabulary_from_a_list_and_a_file(tmp_path):
    (tmp_path / "words.txt").write_text("the\nrat\n", encoding="utf-8")
    for vocabulary in (["the", "rat"], ("", "[UNK]", "the", "rat"), str(tmp_path / "words.txt")):
        layer = TextVectorization(vocabulary=vocabulary)
        assert layer(["the big rat"]).tolist() == [[2, 1, 3]]


def test_a_given_tokenizer(tmp_path):
    from tokenizers import Tokenizer
    first = adapted("bpe")
    Tokenizer.from_str(first._learned).save(str(tmp_path / "tokenizer.json"))
    second = TextVectorization(split="bpe", vocabulary=str(tmp_path / "tokenizer.json"))
    assert second(TEXTS).tolist() == first(TEXTS).tolist()


@pytest.mark.parametrize("split", SPLITS)
def test_adapting_to_any_iterable_of_texts_and_batches(split):
    pandas = pytest.importorskip("pandas")
    learned = adapted(split)._learned
    for source in (iter(TEXTS), np.array(TEXTS), [TEXTS[:2], TEXTS[2:]], pandas.Series(TEXTS),
                   (np.array(TEXTS[i:i + 2], object) for i in (0, 2))):
        assert TextVectorization(split=split).adapt(source)._learned == learned


# Numbers and back ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("split", SPLITS)
def test_decode_undoes_it(split):
    layer = adapted(split, standardize=None)
    texts = [" ".join(text.split()) for text in TEXTS]
    numbers = layer(texts)
    assert numbers.dtype is tz.int64 and int(numbers.max()) < layer.vocabulary_size
    assert layer.decode(numbers) == texts
    assert layer.decode(layer(texts[0])) == texts[0] and layer(texts[0]).shape == layer(texts[:1]).shape[1:]


@pytest.mark.parametrize("split", ["bytes", "bpe"])
@settings(max_examples=30)
@given(text=st.text())
def test_bytes_and_pairs_know_all_texts(split, text):
    layer = BY_BYTES[split]
    assert layer.decode(layer([text])) == [text]


BY_BYTES = {split: adapted(split) for split in ("bytes", "bpe")}


def test_padding_and_cutting():
    layer = adapted("words", output_sequence_length=2)
    assert layer(["cat the rat", "cat", ""]).tolist() == [[2, 3], [2, 0], [0, 0]]


@pytest.mark.parametrize("split", SPLITS)
def test_counts_and_presence(split):
    numbers = adapted(split)(TEXTS).numpy()
    counts, presence = (adapted(split, output_mode=mode) for mode in ("count", "multi_hot"))
    wanted = (numbers[..., None] == np.arange(1, counts.vocabulary_size + 1)).sum(1)
    np.testing.assert_array_equal(counts(TEXTS), wanted)
    np.testing.assert_array_equal(presence(TEXTS), wanted > 0)
    assert counts(TEXTS).dtype is tz.float32 and len(counts.get_vocabulary()) == wanted.shape[1]


def test_kinds_of_input():
    layer = adapted("words")
    wanted = layer(TEXTS).tolist()
    for texts in (np.array(TEXTS), np.array(TEXTS, object)[:, None], tuple(TEXTS)):
        assert layer(texts).tolist() == wanted
    assert layer(tz.asarray(wanted)).tolist() == layer(np.array(wanted)).tolist() == wanted


# In a model ---------------------------------------------------------------------------------------------------------

GOOD = ["a good film", "good and great", "so good", "great film"]
BAD = ["a bad film", "so bad", "awful film", "bad bad"]


@pytest.mark.parametrize("split", ["words", "bpe"])
def test_a_model_that_takes_texts_learns_and_is_saved_whole(split, tmp_path):
    layer = TextVectorization(split=split, output_sequence_length=6).adapt(GOOD + BAD)
    model = Sequential([layer, Embedding(layer.vocabulary_size, 4, padding_idx=0, mask=True), GRU(4), Dense(1)])
    model.compile(tz.optim.Adam(lr=0.05), "binary_cross_entropy", ["binary_accuracy"])
    y = np.array([1.0] * 4 + [0.0] * 4)[:, None]
    history = model.fit(GOOD + BAD, y, epochs=30, verbose=0, seed=1, validation_data=(["good", "bad"], y[[0, -1]]))
    assert history[-1]["val_loss"] < 0.6
    assert model.evaluate(np.array(GOOD + BAD), y)["binary_accuracy"] == 1
    model.save(tmp_path / "model")
    again = tz.load(tmp_path / "model")
    assert again[0].get_vocabulary() == layer.get_vocabulary()
    np.testing.assert_array_equal(again.predict(["good good", "bad"]), model.predict(["good good", "bad"]))
    np.testing.assert_array_equal(again(["so good"]).detach(), again.predict(layer(["so good"])))


class Tagger(Module):
    """Its constructor asks a layer that it is given for its size."""

    def __init__(self, layer):
        self.layer, self.embedding = layer, Embedding(layer.vocabulary_size, 2)

    def forward(self, numbers):
        return self.embedding(numbers)


@pytest.mark.parametrize("split", SPLITS)
def test_a_model_whose_constructor_asks_for_the_size_is_saved(split, tmp_path):
    model = Tagger(adapted(split))
    model.save(tmp_path / "model")
    again = tz.load(tmp_path / "model", custom_objects={"Tagger": Tagger})
    assert again.layer.get_vocabulary() == model.layer.get_vocabulary()
    assert again.layer(TEXTS).tolist() == model.layer(TEXTS).tolist()


def test_a_saved_model_does_not_need_the_file_of_the_vocabulary(tmp_path):
    (tmp_path / "words.txt").write_text("the\nrat\n", encoding="utf-8")
    TextVectorization(vocabulary=str(tmp_path / "words.txt")).save(tmp_path / "model")
    (tmp_path / "words.txt").unlink()
    assert tz.load(tmp_path / "model").get_vocabulary() == ["", "[UNK]", "the", "rat"]


def test_numbers_made_before_train_the_same_model():
    layer = adapted("words", output_mode="multi_hot")
    losses = []
    for x in (TEXTS, layer(TEXTS).numpy()):
        tz.random.seed(0)
        model = Sequential([layer, Dense(1)]).compile("sgd", "mse")
        losses.append(model.fit(x, np.ones((4, 1)), epochs=2, verbose=0, seed=1)[-1]["loss"])
    assert losses[0] == losses[1]


def test_a_long_vocabulary_is_not_printed():
    assert len(repr(TextVectorization(vocabulary=[str(i) for i in range(1000)]))) < 80


def test_importing_the_layers_does_not_import_tokenizers():
    code = "import sys, tarazu as tz; tz.nn.TextVectorization(split='words'); print('tokenizers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


# Misuse -------------------------------------------------------------------------------------------------------------

MISUSES = {
    "not adapted": (lambda: TextVectorization()(["a"]), ArgumentError,
                    r"TextVectorization has no vocabulary\n.*\n.*layer\.adapt\(texts\)"),
    "split": (lambda: TextVectorization(split="word"), ArgumentError, r"split='word'\n.*'words'.*\n.*mean 'words'"),
    "mode": (lambda: TextVectorization(output_mode="tf"), ArgumentError, r"output_mode='tf'\n.*'int', 'multi_hot'"),
    "standardize": (lambda: TextVectorization(standardize="upper"), ArgumentError, "standardize='upper'"),
    "few": (lambda: TextVectorization(2), ArgumentError, r'max_tokens=2 with split="words"\n  expected: at least 3'),
    "few pairs": (lambda: TextVectorization(256, split="bpe"), ArgumentError, "at least 257"),
    "length": (lambda: TextVectorization(output_sequence_length=0), ArgumentError, "output_sequence_length=0"),
    "twice": (lambda: TextVectorization(vocabulary=["a", "a"]), ArgumentError, "a vocabulary that has 'a' more"),
    "no texts": (lambda: TextVectorization(vocabulary=["a", 1]), ArgumentError, "a vocabulary with 1"),
    "bytes": (lambda: TextVectorization(split="bytes", vocabulary=["a"]), ArgumentError, "a vocabulary for split"),
    "pairs of a list": (lambda: TextVectorization(split="bpe", vocabulary=["a"]), ArgumentError, "a list as voc"),
    "no tokenizer": (lambda: TextVectorization(split="bpe", vocabulary="none.json"), FileFormatError, "not a token"),
    "numbers to adapt to": (lambda: TextVectorization().adapt(["a", 1.5]), DataError, "1.5 where a text belongs"),
    "bytes to adapt to": (lambda: TextVectorization().adapt([b"a"]), DataError, "decode bytes first"),
    "missing texts": (lambda: adapted("words")(["a", None]), DTypeError, "None among texts"),
    "ragged": (lambda: adapted("words")([["a"], ["a", "b"]]), ShapeError, "texts in lists of different lengths"),
    "columns": (lambda: adapted("words")([["a", "b"]]), ShapeError, r"texts of shape \(1, 2\)"),
    "decode of counts": (lambda: adapted("words", output_mode="count").decode([1]), ArgumentError, "decode with"),
    "decode of scores": (lambda: adapted("words").decode([[0.5]]), DTypeError, "decode of float64"),
    "unknown number": (lambda: adapted("words").decode([99]), OutOfRangeError, "number 99 for 9 tokens"),
}


@pytest.mark.parametrize(("act", "kind", "text"), MISUSES.values(), ids=MISUSES)
def test_what_misuse_says(act, kind, text):
    with pytest.raises(kind, match=text):
        act()


def test_without_tokenizers(monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(ArgumentError, match=r"tokenizers, which is not installed[\s\S]*pip install 'tarazu\[text\]'"):
        adapted("bpe")
