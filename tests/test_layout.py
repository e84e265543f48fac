"""Who may import whom: the arrows of the design, read from the source."""

import ast
import importlib
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import modules

import tarazu

ROOT = Path(tarazu.__file__).parent

MAY_IMPORT = {  # beside itself; every arrow is used
    "base": [],
    "ir": ["base"],
    "ops": ["base", "ir"],
    "transform": ["base", "ir", "ops"],
    "backend": ["base", "ir"],
    "runtime": ["base", "ir", "ops", "transform", "backend"],
    "nn": ["base", "ir", "ops", "runtime"],
    "optim": ["base", "ir", "ops", "runtime"],
    "data": ["base", "runtime"],
    "linalg": ["ops"],  # these three are names of parts of others, for imports of users
    "fft": ["ops"],
    "random": ["runtime"],
    "record": ["base", "picture"],
    "diagnose": ["base", "picture", "record"],
    "train": ["base", "ir", "ops", "runtime", "nn", "optim", "data", "picture", "record", "diagnose"],
    "tabular": ["base", "ops", "runtime", "nn", "optim", "data", "record", "diagnose", "train", "interop", "study"],
    "study": ["base", "runtime", "nn", "optim", "data", "picture", "record", "diagnose", "train"],
    "interop": ["base", "ir", "nn", "ops", "optim", "runtime", "train"],
    "sklearn": ["base", "data", "diagnose", "nn", "optim", "record", "runtime", "tabular", "train"],
    "serve": ["base", "data", "diagnose", "nn", "tabular", "train"],
    "picture": ["base"],
    "draw": ["base", "diagnose", "nn", "ops", "picture", "runtime"],
    "course": ["base", "data", "nn", "optim", "record", "runtime"],
    "cli": ["base", "backend", "runtime", "optim", "record", "train", "tabular", "study", "course",
            "serve"],
}
INSIDE = {  # the folders and single files of each package from the bottom up: each imports from those before it
    "ops": "typing promote dtype_functions elementwise placement shape splitting create contract reduce "
           "control_flow indexing statistics fft einsum random networks linalg",
    "transform": "typing gradient batching custom",
    "backend.native": "llvm cache_key donation winograd_tile half_products scan_products cache math lowering kernels "
                      "loop_products threads schedule compiler program inspect",
    "backend.xla": "precision processes devices rules program backend export",
    "runtime": "collection numpy_threads trace_lock compile tiered device interrupts processes tensor autograd trace "
               "eager debug jit profile random augment vmap",
    "nn": "losses init module layers functional",
    "data": "gzip_files screens late_bar scalers sequences columns tables splits dataset readers sets "
            "augment",
    "picture": "axis colors png marks elements chart svg figures shown picture bar_rows grids",
    "diagnose": "measuring scoring judging reporting",
    "draw": "arrays images scores inputs gradients occlusion layers attention regions",
    "train": "calling looks metrics inventory placement padding sources extremes trainer evaluate save callbacks "
             "verdict loop rate_search replicas cross_validation",
    "study": "experiment rows trials curves decompose diagnosis interventions benchmark",
    "interop": "imported onnx torch torch_weights keras files",
    "sklearn": "parameters inputs heads targets weights model_files estimator classifier regressor transformer",
    "serve": "limits bodies reading batches metrics answering cells table_schema table_service model_service openapi "
             "pages app run",
    "course": "wrong language forms exercises check quizzes labs",
    "tabular": "inputs options network assessment assess run_folder score_text report_page onnx_file table_model "
               "predictions fitting diagnosing",
}
# What goes against the arrows, by file, with the reason in docs/design.md. All but the first are imported inside a
# function, when it is first called.
AGAINST_THE_ARROWS = {
    ("ops.typing", "runtime.tensor.tensor"),  # the tensor, as a type in signatures only
    ("runtime.tensor.tensor", "runtime.autograd.autograd"),  # x.backward()
    ("runtime.tensor.compat", "runtime.tensor.detached"),  # x.data
    ("nn.module.module", "nn.module.summary"),  # model.summary()
}
MOST_FILES = 14
HEAVY = {"llvmlite", "jax", "rich", "matplotlib", "click", "jinja2", "narwhals", "pandas", "torch", "sklearn", "scipy",
         "platformdirs", "numpy.random"}


MODULES = modules()


def imports(path: Path) -> Iterator[str]:
    """The tarazu modules that a file imports anywhere, for types and inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "tarazu")
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            if node.module and node.module.split(".")[0] == "tarazu":
                names = [f"{node.module}.{alias.name}" for alias in node.names]
                yield from (name if name in MODULES else node.module for name in names)


def part(module: str) -> str:
    """The folder below tarazu/ that a module is in; "" for the package itself."""
    return [*module.split("."), ""][1]


def arrows() -> Iterator[tuple[str, str]]:
    """Every import of one module of the package by another, without "tarazu." before their names."""
    for module, path in MODULES.items():
        for target in set(imports(path)) - {module}:
            arrow = module.removeprefix("tarazu."), target.removeprefix("tarazu.")
            if arrow not in AGAINST_THE_ARROWS:
                yield arrow


ARROWS = sorted(arrows())


def test_imports_follow_the_arrows():
    used = {name: set() for name in MAY_IMPORT}
    for module, target in ARROWS:
        own, other = module.split(".")[0], target.split(".")[0]
        if module in ("tarazu", "__main__") or own == other:
            continue
        assert own in MAY_IMPORT, f"tarazu/{own} has no line in MAY_IMPORT"
        assert other in MAY_IMPORT[own], f"{module} imports {target}: {own} may not import {other}"
        used[own].add(other)
    assert used == {name: set(others) for name, others in MAY_IMPORT.items()}, "an arrow that nothing uses"


@pytest.mark.parametrize("package", INSIDE)
def test_imports_follow_the_arrows_inside(package):
    order = INSIDE[package].split()
    assert sorted(order) == sorted({name.removeprefix(f"tarazu.{package}.").split(".")[0] for name in MODULES
                                    if name.startswith(f"tarazu.{package}.")})
    for module, target in ARROWS:
        if module.startswith(f"{package}.") and target.startswith(f"{package}."):
            own, other = (name.removeprefix(f"{package}.").split(".")[0] for name in (module, target))
            assert order.index(other) <= order.index(own), f"{module} imports {target}: {other} comes after {own}"


def test_a_folder_holds_few_files():
    sizes = Counter(path.parent for path in MODULES.values() if path.name != "__init__.py")
    large = {str(folder): count for folder, count in sizes.items() if count > MOST_FILES}
    assert not large, f"folders of more than {MOST_FILES} files: {large}"


def test_backends_do_not_know_each_other():
    for module, path in MODULES.items():
        folder = module.split(".")[2:3]
        if part(module) == "backend":
            for target in imports(path):
                if part(target) == "backend" and target != "tarazu.backend.base":
                    assert target.split(".")[2:3] == folder, f"{module} imports {target}"


def test_there_are_no_import_circles():
    """Imports for types and inside functions count too."""
    graph = {name: set() for name in MODULES}
    for module, target in ARROWS:
        if module != "tarazu" and target != "tarazu":
            graph[f"tarazu.{module}"].add(f"tarazu.{target}")
    while leaves := [name for name, targets in graph.items() if not targets & graph.keys()]:
        for name in leaves:
            del graph[name]
    assert not graph, f"these modules are in import circles, or import one that is: {', '.join(sorted(graph))}"


def test_what_goes_against_the_arrows_is_there():
    assert len(AGAINST_THE_ARROWS) <= 5
    for module, target in AGAINST_THE_ARROWS:
        assert f"tarazu.{target}" in set(imports(MODULES[f"tarazu.{module}"])), f"{module} imports {target} no more"


def test_import_is_light():
    code = f"import sys, tarazu; print(*({{*sys.modules, *(m.split('.')[0] for m in sys.modules)}} & {HEAVY!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "", f"`import tarazu` also imports {done.stdout.strip()}"


def test_formats_of_others_are_imported_where_they_are_used():
    """Training on a table and `tz.load` of a folder read no table of another framework's layers or operators."""
    code = ("import sys, tarazu.tabular, tarazu.interop.files; "
            "print(*(name for name in sys.modules if name.startswith(('tarazu.interop.keras', 'tarazu.interop.onnx', "
            "'tarazu.interop.torch'))))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("name", ["tarazu", "tarazu.data", "tarazu.diagnose", "tarazu.train"])
def test_lazy_names_are_those_that_type_checkers_are_told_of(name):
    package = importlib.import_module(name)
    tree = ast.parse(Path(package.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    told = {(node.module.removeprefix(f"{name}."), alias.name)
            for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    lazy = {(module, lazy_name) for module, names in package._LAZY.items() for lazy_name in names.split()}
    assert lazy | ({("ops", "fft"), ("ops", "linalg")} if package is tarazu else set()) == told
    assert all(hasattr(package, each) for each in dir(package))
    assert package is tarazu or set(package.__all__) >= {each for _, each in lazy}


def test_fit_imports_little_that_it_does_not_use():
    code = ("import sys, tarazu as tz; model = tz.nn.Sequential([tz.nn.Dense(1)]).compile('sgd', 'mse');"
            "model.fit([[1.0]], [1.0], verbose=0);"
            "print(*(name for name in sys.modules if name.startswith(('tarazu.data.tables', 'tarazu.data.readers',"
            "'tarazu.diagnose.', 'tarazu.picture', 'tarazu.train.cross_validation', 'tarazu.train.replicas'))))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("name", ["nn", "nn.init", "optim", "data", "data.augment", "diagnose", "record", "train",
                                  "tabular", "study", "interop", "fft", "linalg", "random", "serve", "draw",
                                  "course"])
def test_dir_of_a_part_is_what_is_public(name):
    part = importlib.import_module(f"tarazu.{name}")
    assert dir(part) == sorted(part.__all__)


@pytest.mark.parametrize("name", ["linalg", "fft", "random", "data.augment", "nn.init"])
@pytest.mark.parametrize("first", ["import tarazu.{0}", "import tarazu as tz; tz.{0}"])
def test_parts_are_imported_under_the_names_that_users_write(name, first):
    code = f"{first.format(name)}; import sys, tarazu, tarazu.{name} as part; assert part is tarazu.{name}; " \
           f"from tarazu.{name} import *; assert all(part.__dict__[x] is globals()[x] for x in part.__all__)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("init", sorted(ROOT.rglob("__init__.py")), ids=lambda path: str(path.parent.relative_to(ROOT)))
def test_a_package_says_what_its_files_have(init):
    """The docstring of `__init__.py` is the map of its folder."""
    text = ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))) or ""
    beside = [path.stem for path in init.parent.iterdir() if (path.suffix == ".py" and path.name[:2] != "__")
              or (path / "__init__.py").exists()]
    missing = [name for name in beside if not re.search(rf"\b{name}\b", text)]
    assert not missing, f"the docstring of {init.relative_to(ROOT)} lacks: {', '.join(missing)}"
