"""The commands on real tables, as a user calls them."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import read_csv, run

import tarazu as tz
from tarazu.tabular import run_folder

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"


def fit_penguins(*options, code=0):
    return run("fit", PENGUINS, "--target", "species", "--epochs", "15", *options, code=code)


def write(name, text):
    Path(name).write_text(text, encoding="utf-8")
    return name


def test_fit_tells_what_it_found_how_it_went_and_the_verdict():
    output = fit_penguins()
    assert "344 rows, 7 features: 5 numbers, 2 categories; 19 missing cells in 5 columns" in output
    assert "target species, classification: 3 classes: Adelie 152, Chinstrap 68, Gentoo 124" in output
    numbers = "  ".join(rf"{name} [\d.]+" for name in ("loss", "accuracy", "val_loss", "val_accuracy"))
    assert re.search(rf"epoch  1/15  [\d.]+ s  [\d.]+ m?s/step  {numbers}\n", output)
    assert re.search(r"^ +train +validation +test +majority$", output, re.MULTILINE)
    assert re.search(r"^accuracy( +[\d.]+%){3} +45\.1%$", output, re.MULTILINE)
    assert re.search(r"^Chinstrap +10( +[\d.]+%){3}$", output, re.MULTILINE)
    assert re.search(r"^(about right|underfitting|overfitting|undecided): ", output, re.MULTILINE)
    assert output.endswith("run folder: runs/penguins-species\nreport: runs/penguins-species/report.html\n")


def test_the_run_folder_holds_model_history_and_report():
    fit_penguins("--quiet")
    folder = Path("runs/penguins-species")
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["history.jsonl", "model.json", "model.safetensors", "report.html"]
    rows = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows[:-1]] == list(range(1, 16))
    assert {"loss", "accuracy", "val_loss", "val_accuracy", "seconds"} <= rows[0].keys()
    assert json.loads((folder / "model.json").read_text())["versions"]["tarazu"] == tz.__version__
    page = (folder / "report.html").read_text()
    assert f"tarazu fit {PENGUINS} --target species --epochs 15 --quiet</code>" in page
    assert "<svg" in page and "Chinstrap" in page and "http://" not in page.replace("http://www.w3.org", "")
    assert not [path for path in Path("runs").iterdir() if path.name.startswith(".")]


def test_quiet_prints_the_headline_and_the_folder():
    lines = fit_penguins("--quiet").splitlines()
    assert len(lines) == 2 and lines[1] == "run folder: runs/penguins-species"


def test_a_second_run_gets_a_name_of_its_own():
    fit_penguins("--quiet")
    assert "run folder: runs/penguins-species-2" in fit_penguins("--quiet")


def test_same_seed_same_bits_and_another_seed_other_bits():
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        fit_penguins("--quiet", "--out", name, "--seed", seed)
    strip = re.compile(r'"seconds": [^,]+')
    history = {name: strip.sub("", Path(name, "history.jsonl").read_text()) for name in "abc"}
    weights = {name: Path(name, "model.safetensors").read_bytes() for name in "abc"}
    assert history["a"] == history["b"] != history["c"]
    assert weights["a"] == weights["b"] != weights["c"]


def test_predict_gives_label_and_probabilities_for_unknown_and_missing_cells_too():
    fit_penguins("--quiet")
    rows = read_csv(PENGUINS)[:3]
    rows[1]["island"], rows[2]["bill_length_mm"], rows[2]["sex"] = "Atlantis", "NA", ""
    with Path("new.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, [name for name in rows[0] if name != "species"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    run("predict", "runs/penguins-species", "new.csv", "-o", "predictions.csv")
    found = read_csv("predictions.csv")
    assert [row["species"] for row in found] == ["Adelie"] * 3
    for row in found:
        shares = [float(row[f"probability of {name}"]) for name in ("Adelie", "Chinstrap", "Gentoo")]
        assert sum(shares) == pytest.approx(1, abs=1e-4)
        assert max(shares) == shares[0]


def test_predict_without_output_prints():
    fit_penguins("--quiet")
    assert run("predict", "runs/penguins-species", PENGUINS).startswith("species,probability of Adelie,")


def test_report_tells_the_same_again():
    told = fit_penguins()
    again = run("report", "runs/penguins-species")
    assert again.strip() in told


def test_regression_in_the_units_of_the_target():
    generator = np.random.default_rng(0)
    size = generator.uniform(20, 200, 300)
    lines = [f"{s:.1f},{c},{1000 * s + {'a': 0, 'b': 50_000}[c] + e:.0f}"
             for s, c, e in zip(size, generator.choice(["a", "b"], 300), generator.normal(0, 2000, 300), strict=True)]
    write("flats.csv", "\n".join(["size,city,price", *lines]) + "\n")
    output = run("fit", "flats.csv", "--target", "price", "--epochs", 40)
    mae = float(re.search(r"^MAE +\S+ +\S+ +(\S+)", output, re.MULTILINE)[1].replace(",", ""))
    assert 1000 < mae < 5000
    run("predict", "runs/flats-price", "flats.csv", "-o", "p.csv")
    predicted = np.array([float(row["price"]) for row in read_csv("p.csv")])
    true = np.array([float(line.rsplit(",", 1)[1]) for line in lines])
    assert np.abs(predicted - true).mean() < 5000
    assert "predicted price" in Path("runs/flats-price/report.html").read_text()


def test_embedded_categories_train_and_predict():
    generator = np.random.default_rng(0)
    towns = [f"town{i}" for i in range(30)]
    lines = [f"{towns[t]},{t % 2}" for t in generator.integers(0, 30, 400)]
    write("towns.csv", "\n".join(["town,side", *lines]) + "\n")
    run("fit", "towns.csv", "--target", "side", "--epochs", 60, "--learning-rate", 0.01, "--quiet")
    write("new.csv", "town\ntown3\ntown4\nnowhere\n")
    labels = [line.split(",")[0] for line in run("predict", "runs/towns-side", "new.csv").splitlines()[1:]]
    assert labels[:2] == ["1", "0"]


def test_out_and_force():
    fit_penguins("--quiet", "--out", "mine")
    before = Path("mine/model.safetensors").read_bytes()
    assert "mine is there already" in fit_penguins("--out", "mine", "--seed", 1, code=2)
    assert Path("mine/model.safetensors").read_bytes() == before
    fit_penguins("--quiet", "--out", "mine", "--seed", 1, "--force")
    assert Path("mine/model.safetensors").read_bytes() != before


def test_force_replaces_run_folders_only():
    Path("precious").mkdir()
    write("precious/thesis.txt", "four years")
    assert "precious is not a run folder" in fit_penguins("--out", "precious", "--force", code=2)
    assert Path("precious/thesis.txt").read_text() == "four years"


def test_a_run_that_diverges_says_so_and_exits_with_1():
    output = fit_penguins("--quiet", "--learning-rate", "1e30", code=1)
    assert "undecided: training diverged" in output
    assert "the loss was nan in epoch 1, step 2 of 8; likely cause: a learning rate that is too high (1e+30)" in output


def test_options_reach_the_model():
    fit_penguins("--quiet", "--hidden", "5", "--dropout", "0.3", "--optimizer", "sgd", "--kind", "year=ignore",
                 "--batch-size", "16")
    model = tz.load("runs/penguins-species")
    assert [type(layer).__name__ for layer in model] == ["Dense", "Dropout", "Dense"]
    assert model[0].weight.shape[1] == 5
    description = json.loads(Path("runs/penguins-species/model.json").read_text())
    assert description["extra"]["encoder"]["ignored"] == {"year": "as asked"}


def test_help_reads_well():
    assert "Train on a table and judge the fit." in run("--help")
    text = run("fit", "--help")
    for option in ("epochs", "batch-size", "hidden", "dropout", "learning-rate", "optimizer", "seed", "validation",
                   "test", "out", "quiet", "device", "kind"):
        assert f"--{option}" in text
    assert run("--version") == f"tarazu {tz.__version__}\n"


ABC = "a,b,t\n" + "".join(f"{i}.5,{i % 7}.25,{'xy'[i % 2]}\n" for i in range(40))
BAD_TABLES = {
    "missing.csv": (None, "missing.csv: there is no such file"),
    "empty.csv": ("", "empty.csv: the file is empty"),
    "header.csv": ("a,b,t\n", "header.csv"),
    "target.csv": (ABC.replace("a,b,t", "a,b,tt"), "there is no column 't'"),
    "constant.csv": (ABC.replace("y\n", "x\n"), "the target is 'x' in every row"),
    "twice.csv": (ABC.replace("a,b,t", "a,a,t"), "twice.csv"),
    "short.csv": (ABC.replace("3.5,3.25,y", "3.5,y"), "short.csv, line 5"),
    "long.csv": (ABC.replace("3.5,3.25,y", "3.5,3.25,9,y"), "long.csv, line 5"),
    "infinite.csv": (ABC.replace("3.5,3.25,y", "inf,3.25,y"), "infinite.csv, line 5, column 'a'"),
}


@pytest.mark.parametrize("name", BAD_TABLES)
def test_a_table_that_cannot_be_used_is_a_message_and_leaves_nothing(name):
    text, message = BAD_TABLES[name]
    if text is not None:
        write(name, text)
    output = run("fit", name, "--target", "t", code=2)
    assert output.startswith(f"error: {name}") and message in output
    assert "to mend it: " in output and "Traceback" not in output
    assert not Path("runs").exists()


def test_encodings_and_binary_files():
    Path("latin.csv").write_bytes("a,t\n1,é\n".encode("latin-1"))
    Path("binary.csv").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    for name in ("latin.csv", "binary.csv"):
        assert run("fit", name, "--target", "t", code=2).startswith(f"error: {name}")


def test_predict_on_a_table_that_lacks_columns():
    fit_penguins("--quiet")
    write("new.csv", "island,sex\nDream,male\n")
    output = run("predict", "runs/penguins-species", "new.csv", "-o", "p.csv", code=2)
    assert "'bill_length_mm'" in output and "are missing" in output
    assert not Path("p.csv").exists()


def test_predictions_are_not_overwritten():
    fit_penguins("--quiet")
    write("p.csv", "mine")
    assert "p.csv is there already" in run("predict", "runs/penguins-species", PENGUINS, "-o", "p.csv", code=2)
    assert Path("p.csv").read_text() == "mine"


@pytest.mark.parametrize("command", [["report", "RUN"], ["predict", "RUN", str(PENGUINS)]])
def test_folders_that_are_no_runs(command):
    Path("folder").mkdir()
    write("file", "")
    for name, message in (("nowhere", "there is no such folder"), ("folder", "there is no model.json"),
                          ("file", "it is a file")):
        output = run(*[name if part == "RUN" else part for part in command], code=2)
        assert message in output and "to mend it: " in output


def test_damaged_run_folders():
    fit_penguins("--quiet", "--out", "good")
    for name, damage, message in (
            ("model.safetensors", lambda data: data[:200], "model.safetensors: damaged or cut short"),
            ("model.json", lambda data: data[:200], "model.json: not JSON"),
            ("model.json", lambda data: b"{}", "model.json: not a description of a model")):
        shutil.rmtree("bad", ignore_errors=True)
        shutil.copytree("good", "bad")
        Path("bad", name).write_bytes(damage(Path("bad", name).read_bytes()))
        assert message in run("predict", "bad", PENGUINS, code=2)
    shutil.copytree("good", "worse")
    history = Path("worse/history.jsonl")
    history.write_text(history.read_text()[:500])
    assert "history.jsonl" in run("report", "worse", code=2)


@pytest.mark.parametrize("options", [
    ["--hidden", "a"], ["--hidden", "5,-1"], ["--epochs", "0"], ["--dropout", "1"], ["--kind", "year"],
    ["--optimizer", "magic"], ["--device", "gpu"], ["--validation", "0.6", "--test", "0.5"]])
def test_bad_options(options):
    assert "rror" in run("fit", PENGUINS, "--target", "species", *options, code=2)
    assert not Path("runs").exists()


@pytest.mark.long
def test_penguins_in_the_median_of_ten_seeds():
    accuracies = []
    for seed in range(10):
        output = run("fit", PENGUINS, "--target", "species", "--seed", seed)
        accuracies.append(float(re.search(r"^accuracy +\S+ +\S+ +([\d.]+)%", output, re.MULTILINE)[1]))
    assert np.median(accuracies) >= 95


def test_two_runs_at_once_keep_both_folders(monkeypatch):
    """Another run takes the name while this one trains."""
    original = run_folder.write

    def write_after_another(*arguments, **options):
        if not Path("runs/penguins-species").exists():
            monkeypatch.setattr(run_folder, "write", original)
            fit_penguins("--quiet", "--seed", "1")
        return original(*arguments, **options)

    monkeypatch.setattr(run_folder, "write", write_after_another)
    assert "run folder: runs/penguins-species-2\n" in fit_penguins("--quiet")
    assert sorted(path.name for path in Path("runs").iterdir()) == ["penguins-species", "penguins-species-2"]


def test_a_folder_that_cannot_be_written_is_known_before_training():
    write("file.txt", "")
    output = fit_penguins("--out", "file.txt/run", code=2)
    assert re.search(r"nothing can be written in .*file.txt(.|\n)*choose another --out", output)
    assert "epoch" not in output


def test_an_interrupted_run_says_so_and_keeps_what_it_learned(monkeypatch):
    monkeypatch.setattr(tz.train.EarlyStopping, "on_epoch_end", interrupt)
    output = fit_penguins("--out", "new/folder with a space/run")
    assert "interrupted after 1 of 15 epochs; what was learned is kept" in output
    assert Path("new/folder with a space/run/model.safetensors").is_file()


def interrupt(self, run):
    raise KeyboardInterrupt


def test_predict_imports_no_package_but_those_that_are_trusted(monkeypatch):
    package = Path("packages")
    package.mkdir()
    write("packages/mylayers.py", "import tarazu as tz\nclass Passing(tz.nn.Module):\n    def forward(self, x):\n"
                                  "        return x\n")
    monkeypatch.syspath_prepend(package.absolute())
    fit_penguins("--quiet", "--epochs", "1")
    path = Path("runs/penguins-species/model.json")
    content = json.loads(path.read_text())
    layers = content["layers"][0]["args"][0]["list"]
    layers.append({"class": "mylayers:Passing", "args": [], "kwargs": {}})
    path.write_text(json.dumps(content))
    output = run("predict", "runs/penguins-species", PENGUINS, code=2)
    assert "mylayers:Passing is of a module that is not imported" in output and "--trust mylayers" in output
    assert "mylayers" not in sys.modules
    rows = run("predict", "runs/penguins-species", PENGUINS, "--trust", "other", "--trust", "mylayers").splitlines()
    assert len(rows) == 345
    monkeypatch.delitem(sys.modules, "mylayers")


def test_python_runs_the_package_as_the_command():
    command = [sys.executable, "-m", "tarazu", "fit", "--help"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.startswith("Usage: tarazu fit ")
