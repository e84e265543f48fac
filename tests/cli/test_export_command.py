"""`tarazu export`: a model of tables as one file of ONNX, which gives what `tarazu predict` gives."""

import json
from pathlib import Path

import numpy as np
import pytest
from commands import read_csv, run

import tarazu as tz
from tarazu.base.errors import ArgumentError

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"
with_onnx = pytest.mark.extras
NEW = ("island,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,sex,year\n"
       "Dream,NA,18.0,190,3700,male,2007\nAtlantis,50.2,15.1,,5200,NA,2009\nBiscoe,47.5,14.2,211,4900,?,2010\n"
       " Torgersen ,,,,,,2008\n")


def served(path, columns):
    """What onnxruntime gives for columns of texts and numbers, by the names of the outputs."""
    import onnxruntime

    onnxruntime.set_default_logger_severity(3)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    inputs = {x.name: np.array([cell.strip() for cell in columns[x.name]], object) if x.type == "tensor(string)" else
              np.array([np.nan if cell in ("", "NA", "?", None) else cell for cell in columns[x.name]], np.float64)
              for x in session.get_inputs()}
    names = [x.name for x in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


@with_onnx
def test_penguins_are_named_as_by_the_command():
    run("fit", PENGUINS, "--target", "species", "--epochs", "3", "--quiet", "--out", "run")
    assert run("export", "run", "-o", "penguins.onnx") == "wrote penguins.onnx\n"
    Path("new.csv").write_text(PENGUINS.read_text("utf-8"), "utf-8")
    for table, text in (("all.csv", PENGUINS.read_text("utf-8")), ("new.csv", NEW)):
        Path(table).write_text(text, "utf-8")
        run("predict", "run", table, "-o", "predicted.csv", "--force")
        rows, wanted = read_csv(table), read_csv("predicted.csv")
        found = served("penguins.onnx", {name: [row[name] for row in rows] for name in rows[0]})
        assert found["species"].tolist() == [row["species"] for row in wanted]
        for i, name in enumerate(("Adelie", "Chinstrap", "Gentoo")):
            np.testing.assert_allclose(found["probabilities of species"][:, i],
                                       [float(row[f"probability of {name}"]) for row in wanted], rtol=1e-5, atol=1e-6)


@with_onnx
def test_the_file_names_columns_and_classes():
    import onnx

    run("fit", PENGUINS, "--target", "species", "--epochs", "1", "--quiet", "--out", "run")
    run("export", "run", "-o", "penguins.onnx")
    model = onnx.load("penguins.onnx")
    assert [x.name for x in model.graph.input] == ["island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm",
                                                   "body_mass_g", "sex", "year"]
    assert json.loads({x.key: x.value for x in model.metadata_props}["classes"]) == ["Adelie", "Chinstrap", "Gentoo"]
    assert "error: penguins.onnx is there already" in run("export", "run", "-o", "penguins.onnx", code=2)
    run("export", "run", "-o", "penguins.onnx", "--force")


def mixed(target):
    draw = np.random.default_rng(0)
    count = 160
    return {"size": [None if draw.random() < 0.1 else float(x) for x in draw.normal(size=count)],
            "word": [f"w{i % 30}" for i in range(count)],
            "flag": [("True", "False", None)[i % 3] for i in range(count)],
            "when": [None if i % 17 == 3 else f"{1996 + i % 12}-{1 + i % 12:02d}-{1 + i % 28:02d}T{i % 24:02d}:30"
                     for i in range(count)], "y": target(draw, count)}


@with_onnx
@pytest.mark.parametrize("target", [lambda draw, count: draw.normal(size=count) * 1e4 + 5,
                                    lambda draw, count: [f"c{i}" for i in draw.integers(0, 2, count)]],
                         ids=["numbers", "classes"])
def test_dates_embedded_words_and_truth(target, tmp_path):
    table = mixed(target)
    fitted = tz.fit_table(table, "y", epochs=2, verbose=0)
    fitted.export(tmp_path / "m.onnx")
    table |= {"word": ["unseen", *table["word"][1:]], "flag": ["1", *table["flag"][1:]]}
    seconds = [np.nan if x is None else np.datetime64(x, "s").astype(np.int64) for x in table["when"]]
    texts = {name: ["" if x is None else x for x in table[name]] for name in ("word", "flag")}
    numbers = ["" if x is None else x for x in table["size"]]
    found = served(tmp_path / "m.onnx", {**texts, "size": numbers, "when": seconds})
    wanted = fitted.predict(table)
    if wanted.dtype == np.float64:
        np.testing.assert_allclose(found["y"], wanted, rtol=1e-5, atol=1e-2)
    else:
        assert found["y"].tolist() == wanted.tolist()
        np.testing.assert_allclose(found["probabilities of y"], fitted.probabilities(table), rtol=1e-5, atol=1e-6)


def test_other_formats_are_refused(tmp_path):
    fitted = tz.fit_table({"a": range(40), "b": ["x", "y"] * 20}, target="b", epochs=1, verbose=0)
    with pytest.raises(ArgumentError, match=r"a file named 'm\.h5' for a model of tables\n  expected: a name with"):
        fitted.export(tmp_path / "m.h5")
