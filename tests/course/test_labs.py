"""Labs: templates and solutions in both languages, the grader, and what it says of each typical mistake.

Mistakes are judged in this process, as child.py judges them; whole files are graded where the process itself counts.
"""

import ast
import json
import re
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

import tarazu as tz
from tarazu.base.errors import ArgumentError, DataError
from tarazu.cli.main import main
from tarazu.course import labs, language
from tarazu.course.labs import child, iris, mnist
from tarazu.course.labs.student import Stop, Student

PARTS = {"iris": iris.PARTS, "mnist": mnist.PARTS}
FAST = {"iris": ["columns", "from_pair_plot", "split", "scale", "targets", "one_layer", "name_of"],
        "mnist": ["prepare", "perceptron", "depth", "answers"]}


@pytest.fixture
def judged(tmp_path):
    """A function that gives case and reason of one part of a lab, of the solution with one text replaced by another."""

    def judge(lab, part, old, new):
        text = labs.solution(lab)
        assert text.count(old) == 1, old
        path = tmp_path / f"{lab}.py"
        path.write_text(text.replace(old, new))
        lines = list(child.judged(lab, path)) if part is None else [_of_one(lab, part, path)]
        return lines[0]["case"], lines[0]["reason"], lines[0]

    return judge


def _of_one(lab, name, path):
    (part,) = [part for part in PARTS[lab] if part.name == name]
    tz.random.seed(0)
    try:
        wrong = part.judge(Student(path))
    except Stop as stop:
        wrong = stop.wrong
    except Exception as error:
        wrong = child.as_wrong(error, path)
    return child.as_line(lab, part, wrong)


# Files ----------------------------------------------------------------------------------------------------------

def without_texts(text):
    """A module's syntax tree without its docstrings."""
    tree = ast.parse(text)
    for node in [tree, *(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))]:
        assert ast.get_docstring(node), "a docstring is missing"
        del node.body[0]
    return ast.dump(tree)


@pytest.mark.parametrize("lab", labs.LABS)
def test_both_languages_have_the_same_code_and_texts(lab):
    assert without_texts(labs.solution(lab, "en")) == without_texts(labs.solution(lab, "pa"))
    for lesson in ("lab", f"lab_{lab}"):
        english, punjabi = (language.texts(name, lesson) for name in ("en", "pa"))
        assert {part: sorted(cases) for part, cases in english.items()} \
            == {part: sorted(cases) for part, cases in punjabi.items()}
    assert [part.name for part in PARTS[lab]] == list(language.texts("en", f"lab_{lab}"))
    assert sum(part.points for part in PARTS[lab]) == 100


@pytest.mark.parametrize("lab", labs.LABS)
def test_a_template_is_the_solution_without_its_bodies(lab):
    solved, empty = (ast.parse(text(lab)) for text in (labs.solution, labs.template))
    functions = [[node for node in tree.body if isinstance(node, ast.FunctionDef)] for tree in (solved, empty)]
    for one, other in zip(*functions, strict=True):
        assert ast.get_docstring(one) == ast.get_docstring(other) and ast.dump(one.args) == ast.dump(other.args)
        assert ast.unparse(other.body[1:]) == "return None"
    assert labs.template(lab).count("# TODO") == len(functions[0])


@pytest.mark.parametrize("page", ["lab_iris", "lab_mnist"])
def test_pages_have_the_same_code_in_both_languages(page):
    folder = Path(__file__).parents[2] / "docs" / "course"
    english, punjabi = ((path / f"{page}.md").read_text(encoding="utf-8") for path in (folder, folder / "pa"))
    codes = [[ast.unparse(_without_strings(ast.parse(re.sub(r"^:.*$", "", cell, flags=re.M)))) for cell in
              re.findall(r"^```\{code-cell\}\n(.*?)^```$", text, re.S | re.M)] for text in (english, punjabi)]
    assert len(codes[0]) > 10 and codes[0] == codes[1]


def _without_strings(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return tree


def test_files_are_packaged():
    root = Path(__file__).parents[2] / "tarazu"
    settings = tomllib.loads((root.parent / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    packaged = {path for pattern in settings["tarazu"] for path in root.glob(pattern)}
    assert {root / "course" / "labs" / "files" / name / f"{lab}.py" for name in ("en", "pa") for lab in labs.LABS} \
        <= packaged


# Grades ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("lab", "part"), [(lab, part) for lab, parts in FAST.items() for part in parts])
def test_solutions_are_right(judged, lab, part):
    assert judged(lab, part, "import tarazu as tz", "import tarazu as tz")[0] == "right"


@pytest.mark.long
@pytest.mark.parametrize("name", ["en", "pa"])
@pytest.mark.parametrize("lab", labs.LABS)
def test_solutions_get_all_points(tmp_path, lab, name):
    (tmp_path / f"{lab}.py").write_text(labs.solution(lab, name), encoding="utf-8")
    found = labs.grade(lab, tmp_path / f"{lab}.py", name)
    assert found.points == found.of == 100, found


def test_a_template_gets_no_points_and_no_traceback(tmp_path):
    found = CliRunner().invoke(main, ["lab", "start", "iris", "-o", str(tmp_path), "--language", "pa"])
    assert found.exit_code == 0 and f"wrote {tmp_path / 'iris'}.py" in found.output
    found = CliRunner().invoke(main, ["lab", "grade", "iris", str(tmp_path / "iris.py"), "--json"])
    said = json.loads(found.output)
    assert found.exit_code == 1 and said["points"] == 0 and said["of"] == 100
    assert {part["case"] for part in said["parts"]} == {"empty"}
    assert all(part["hint"] and "returns None" in part["reason"] for part in said["parts"])
    (tmp_path / "mnist.py").write_text(labs.template("mnist"))
    assert {line["case"] for line in child.judged("mnist", tmp_path / "mnist.py")} == {"empty"}


# Typical mistakes -----------------------------------------------------------------------------------------------

SCALED = "return (train - least) / size, (test - least) / size"
BUILT = '*(tz.nn.Dense(size, "relu") for size in hidden), tz.nn.Dense(3)'
MISTAKES = [
    ("iris", "columns", 'table["species"] = np.array(dataset.class_names)[y]', "", "columns", "missing: species"),
    ("iris", "columns", "np.array(dataset.class_names)[y]", "y", "numbers", "numbers; write their names"),
    ("iris", "columns", "x.T, strict", "x.T[::-1], strict", "values", "sepal length (cm) has other values"),
    ("iris", "columns", "(dataset.class_names)[y]\n", "(dataset.class_names)[y[:9]]\n", "shape", "(9,), and (150,)"),
    ("iris", "from_pair_plot", '"petal length (cm)", 2.5', '"petal length (cm)", 4.0', "mistakes", "wrong side"),
    ("iris", "from_pair_plot", '"petal length (cm)", 2.5', '"petals", 2.5', "names", "'petals'"),
    ("iris", "split", "    parts = tz", "    return x[:120], y[:120], x[120:], y[120:]\n    parts = tz", "proportions",
     "[0, 0, 30]"),
    ("iris", "split", "x[parts.train], y[parts.train], x", "x[parts.train], np.sort(y[parts.train]), x", "labels",
     "together"),
    ("iris", "split", "x[parts.test], y[parts.test]\n", "x[parts.train][:30], y[parts.train][:30]\n", "both",
     "30 rows are in both"),
    ("iris", "split", "test=0.2", "test=0.3", "sizes", "(105, 4)"),
    ("iris", "split", "seed=seed, labels=y", "seed=0, labels=y", "same", "(2)"),
    ("iris", "split", "seed=seed, labels=y", "seed=None, labels=y", "not_again", "used again"),
    ("iris", "scale", "least = train.min(axis=0)\n    size = train.max(axis=0) - least",
     "both = np.concatenate([train, test])\n    least, size = both.min(axis=0), np.ptp(both, axis=0)", "all_rows",
     "leakage"),
    ("iris", "scale", SCALED, "return (train - least) / size, (test - test.min(axis=0)) / np.ptp(test, axis=0)",
     "own_range", "their own range"),
    ("iris", "scale", SCALED, "return (train - least) / size, ((test - least) / size).clip(0, 1)", "clipped", "cut"),
    ("iris", "scale", SCALED, "return (train - least) / size, test", "test", "not scaled"),
    ("iris", "scale", SCALED, "train -= least; return train, test", "in_place", "were changed"),
    ("iris", "scale", SCALED, "return train, test", "unchanged", "as they were"),
    ("iris", "scale", SCALED, "return train - least, test", "train", "do not run from 0 to 1"),
    ("iris", "scale", SCALED, "return (train - train.mean(axis=0)) / train.std(axis=0), test", "standard", "mean 0"),
    ("iris", "scale", "least = train.min(axis=0)\n    size = train.max(axis=0) - least",
     "least = train.min()\n    size = train.max() - least", "one_range", "axis=0"),
    ("iris", "scale", SCALED, "return train * nothing", "raised", "NameError"),
    ("iris", "scale", SCALED, "return 3", "unusable", "TypeError"),
    ("iris", "targets", 'np.eye(3, dtype="float32")', "np.eye(y.max() + 1)", "two_columns", "three"),
    ("iris", "targets", "return y if", "return y + 1 if", "integers", "[1, 2, 2, 1]"),
    ("iris", "targets", 'np.eye(3, dtype="float32")', "1 - np.eye(3)", "one_hot", "0 elsewhere"),
    ("iris", "one_layer", BUILT, "tz.nn.Dense(4), tz.nn.Dense(3)", "parameters", "35 parameters"),
    ("iris", "one_layer", BUILT, BUILT + ', tz.nn.Activation("softmax")', "softmax", "logits"),
    ("iris", "one_layer", "epochs=150, batch_size=16, seed=seed", "epochs=1, batch_size=16, seed=seed", "accuracy",
     "at least 0.88"),
    ("iris", "one_layer", "    return model.fit(x, y, validation_data=(x_validation, y_validation), epochs=150",
     "    return model.fit(x, y, epochs=150", "no_curve", "no val_accuracy"),
    ("iris", "one_layer", "def train(model, x, y, x_validation, y_validation, seed):",
     "def train(model, *rows):\n    return model\n\ndef other(model, x, y, x_validation, y_validation, seed):",
     "no_history", "Sequential came"),
    ("iris", "one_layer", "    return model.compile(", "    return 1\n    return (", "no_model", "int came"),
    ("iris", "two_layers", '"relu") for size', '"linear") for size', "linear", "no activation"),
    ("iris", "more_layers", '"relu") for size', '"linear") for size', "linear", "no activation"),
    ("iris", "overfit", "epochs=300", "epochs=20", "no_rise", "not risen enough"),
    ("iris", "overfit", "return model.fit(x, y, validation_data=(x_validation, y_validation), epochs=300",
     "return model.fit(x, y, epochs=3)\n    return model.fit(x, y, epochs=300", "no_validation", "no val_loss"),
    ("iris", "avoid", "verbose=0)\n    return model", "verbose=0)\n    return build((8,))", "loss", "below 0.55"),
    ("iris", "name_of", "if losses[-1] > 0.8:", "if losses[-1] > 2:", "underfitting", "stay near 1.1"),
    ("iris", "name_of", 'return "overfitting" if', 'return "about right" if', "overfitting", "validation loss rises"),
    ("iris", "name_of", "1.2 * min(validation_losses)", "losses[-1]", "about right", "gap is normal"),
    ("iris", "name_of", 'return "underfitting"', 'return "bad"', "no_name", "'bad'"),
    ("iris", "name_of", "def name_of", "def name_off", "missing", "no function name_of"),
    ("mnist", "prepare", ' / 255', "", "values", "0.39 was expected"),
    ("mnist", "prepare", "/ 255", "/ images.max()", "own_maximum", "Divide by 255"),
    ("mnist", "prepare", '.astype("float32") / 255', " / 255", "dtype", "float64"),
    ("mnist", "prepare", "images.reshape(len(images), -1).astype", "images.astype", "shape", "(3, 784)"),
    ("mnist", "perceptron", "Dense(size, activation)", "Dense(size, \"relu\")", "activation", "'linear'"),
    ("mnist", "perceptron", "tz.nn.Dense(10)])\n    return model.compile(tz.optim.Adam(lr=0.002)",
     "tz.nn.Dense(5), tz.nn.Dense(10)])\n    return model.compile(tz.optim.Adam(lr=0.002)", "parameters", "7850"),
    ("mnist", "depth", "for layer in model]", "for layer in reversed(list(model))]", "reversed", "first layer"),
    ("mnist", "depth", "loss.backward()", "(loss * len(x)).backward()", "sum", "mean of the losses"),
    ("mnist", "depth", "np.linalg.norm(layer.weight.grad.numpy())", "abs(layer.weight.grad.numpy()).max()", "norms",
     "has the norm"),
    ("mnist", "answers", '"activation": "no"', '"activation": "yes"', "activation", "no better than a single layer"),
    ("mnist", "answers", '"depth": "little"', '"depth": "much"', "depth", "about a point"),
    ("mnist", "answers", '"gradients": "first"', '"gradients": "last"', "gradients", "going back"),
    ("mnist", "answers", '"weights": "grows"', '"weights": "shrinks"', "weights", "above the first"),
    ("mnist", "answers", '"weights": "grows"', '"weights": "?"', "no_choice", "grows / shrinks"),
]
SLOW_MISTAKES = [
    ("iris", "overfit", "build((128, 128))", "build(())", "no_rise", "richer"),
    ("mnist", "single_layer", "epochs=epochs, batch_size=64", "epochs=7, batch_size=64", "epochs", "6 epochs"),
    ("mnist", "single_layer", "epochs=epochs, batch_size=64", "epochs=epochs, batch_size=8000", "accuracy", "at least"),
    ("mnist", "more_layers", "epochs=epochs, batch_size=64", "epochs=7, batch_size=64", "epochs", "6 epochs"),
    ("mnist", "activations", "perceptron((64,), activation)", 'perceptron((64,), "tanh")', "no_gain", "own activation"),
    ("mnist", "activations", '"tanh", "relu"):', '"tanh"):', "missing_names", "relu"),
    ("mnist", "activations", '["val_accuracy"][-1]', '["val_loss"][-1]', "no_accuracy", "is no accuracy"),
    ("mnist", "weights", "model.fit(x, y, epochs=1, batch_size=64, seed=epoch, verbose=0)", "pass", "not_trained",
     "as before"),
    ("mnist", "weights", "float(abs(layer.weight.numpy()).max())", "float(layer.weight.numpy().max())", "last",
     "largest absolute weight"),
    ("mnist", "weights", "    return found\n\n\ndef convolution", "    return found[-1:] * epochs\n\n\ndef convolution",
     "all_same", "after each epoch"),
    ("mnist", "convolution", 'tz.nn.Sequential([tz.nn.Conv2D(8, 3, activation="relu"), tz.nn.MaxPool2D(2),\n'
     '                              tz.nn.Conv2D(16, 3, activation="relu"), tz.nn.MaxPool2D(2),\n'
     '                              tz.nn.Flatten(),', 'tz.nn.Sequential([tz.nn.Flatten(),',
     "no_convolution", "Conv2D"),
    ("mnist", "convolution", "Conv2D(16, 3", "Conv2D(999, 3", "large", "100,000 are allowed"),
    ("mnist", "convolution", "Adam(lr=0.003)", "Adam(lr=1e-6)", "accuracy", "at least 0.92"),
]


@pytest.mark.parametrize(("lab", "part", "old", "new", "case", "reason"),
                         [*MISTAKES, *(pytest.param(*row, marks=pytest.mark.long) for row in SLOW_MISTAKES)],
                         ids=lambda value: value if isinstance(value, str) and value.isidentifier() else "")
def test_mistakes(judged, lab, part, old, new, case, reason):
    found, text, _ = judged(lab, part, old, new)
    assert found == case and reason in text, (found, text)


def test_each_case_has_a_mistake():
    """"no_gap" needs a fit whose validation loss rises while it does not learn its rows; it is judged from curves."""
    wanted = {(lab, part, case) for lab in labs.LABS for part, cases in language.texts("en", f"lab_{lab}").items()
              for case in cases if case not in ("title", "hint", "right")}
    assert wanted - {(*row[:2], row[4]) for row in [*MISTAKES, *SLOW_MISTAKES]} == {("iris", "overfit", "no_gap")}


def test_a_rise_without_a_gap():
    class Canned:
        def call(self, name, *arguments):
            history = tz.record.History()
            for loss, validation in ((1.0, 0.8), (0.9, 1.2)):
                history.append(loss=loss, val_loss=validation)
            return history

    wrong = iris.overfit(Canned())
    assert wrong.case == "no_gap" and wrong.values["training"] == "0.90"


# The student's own errors, and what else may happen --------------------------------------------------------------

@pytest.mark.parametrize(("text", "line", "reason"), [
    ("import numpy as np\n\n\ndef columns(dataset):\n    return dataset.nothing\n", 5, "raises AttributeError"),
    ("def columns(dataset):\n    return 1 +\n", 2, "raises SyntaxError"),
    ("x = 1\nnowhere\n", 2, "raises NameError: name 'nowhere'"),
    ("import sys\nsys.exit(3)\n", 2, "raises SystemExit"),
    ("import no_such_package\n", 1, "raises ModuleNotFoundError"),
])
def test_errors_stand_with_their_line(tmp_path, text, line, reason):
    (tmp_path / "own.py").write_text(text)
    first = next(iter(child.judged("iris", tmp_path / "own.py")))
    assert first["line"] == line and reason in first["reason"], first
    assert first["code"] == text.splitlines()[line - 1].strip()


def test_time_and_a_process_that_ends(tmp_path):
    (tmp_path / "slow.py").write_text("def columns(dataset):\n    while True:\n        pass\n")
    found = labs.grade("iris", tmp_path / "slow.py", time_limit=0.5)
    assert found.points == 0 and {mark.case for mark in found.marks} == {"time"} and "The time was over" in str(found)
    (tmp_path / "ends.py").write_text("import os\n\n\ndef split(x, y, seed):\n    os._exit(0)\n")
    found = labs.grade("iris", tmp_path / "ends.py", "pa")
    assert [mark.case for mark in found.marks[:4]] == ["missing", "missing", "ended", "ended"]
    assert language.chosen == "en"


def test_the_command_prints_lines_and_hints(tmp_path):
    (tmp_path / "own.py").write_text("def columns(dataset):\n    print('noise')\n    return dataset.nothing\n")
    found = CliRunner().invoke(main, ["lab", "grade", "iris", str(tmp_path / "own.py")])
    lines = found.output.splitlines()
    assert found.exit_code == 1 and lines[-1] == "0 of 100 points"
    assert lines[0].startswith("✗  0/5   The data as a table: Your code raises AttributeError: ")
    assert lines[1] == "         line 3: return dataset.nothing" and lines[2].startswith("         Hint: Columns of x")


def test_what_is_not_there(tmp_path):
    with pytest.raises(ArgumentError, match=r"there is no lab 'irris'\n  expected: one of iris, mnist[\s\S]*'iris'"):
        labs.template("irris")
    with pytest.raises(ArgumentError, match=r"labs have no language 'fr'\n  expected: one of en, pa"):
        labs.grade("iris", "x.py", "fr")
    with pytest.raises(ArgumentError, match=r"time_limit=0\n  expected: seconds above 0"):
        labs.grade("iris", "x.py", time_limit=0)
    with pytest.raises(DataError, match=r"no_file.py: there is no such file[\s\S]*tarazu lab start iris"):
        labs.grade("iris", "no_file.py")
    found = CliRunner().invoke(main, ["lab", "grade", "iris", str(tmp_path / "none.py")])
    assert found.exit_code == 2 and "there is no such file" in found.output and "Traceback" not in found.output


def test_a_file_that_is_there_is_not_replaced(tmp_path):
    (tmp_path / "iris.py").write_text("my work")
    found = CliRunner().invoke(main, ["lab", "start", "iris", "-o", str(tmp_path)])
    assert found.exit_code == 2 and "is there already" in found.output
    assert (tmp_path / "iris.py").read_text() == "my work"
    assert CliRunner().invoke(main, ["lab", "start", "iris", "-o", str(tmp_path), "--force"]).exit_code == 0
    assert (tmp_path / "iris.py").read_text() == labs.template("iris")
    found = CliRunner().invoke(main, ["lab", "start", "iris", "-o", str(tmp_path / "new"), "--solution"])
    assert found.exit_code == 0 and (tmp_path / "new" / "iris_solution.py").read_text() == labs.solution("iris")
