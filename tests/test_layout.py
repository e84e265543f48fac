"""Who may import whom: the arrows of the design, read from the source."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import modules

import tarazu

CHAIN = ["base", "ir", "ops", "transform", "runtime"]
UP_TO_TRAIN = [*CHAIN, "nn", "optim", "data", "record", "diagnose", "train"]
MAY_IMPORT = {  # beside itself
    "base": [],
    "ir": ["base"],
    "ops": ["base", "ir"],
    "transform": ["base", "ir", "ops"],
    "backend": ["base", "ir"],
    "runtime": [*CHAIN[:-1], "backend"],
    "nn": CHAIN,
    "optim": [*CHAIN, "nn"],
    "data": ["base", "runtime"],
    "record": ["base"],
    "diagnose": ["base", "ops", "record"],
    "train": [name for name in UP_TO_TRAIN if name != "train"],
    "study": UP_TO_TRAIN,
    "cli": [*UP_TO_TRAIN, "study", "backend"],
}
HEAVY = {"llvmlite", "jax", "rich", "matplotlib", "click", "jinja2", "narwhals", "pandas", "torch", "sklearn", "scipy",
         "platformdirs"}


MODULES = modules()


def imports(path: Path, *, only_at_import: bool = False) -> Iterator[str]:
    """The tarazu modules that a file imports: all, or only those imported while the file itself is."""
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if only_at_import and (isinstance(node, ast.FunctionDef | ast.Lambda) or _for_types(node)):
            continue
        waiting.extend(ast.iter_child_nodes(node))
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "tarazu")
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            if node.module and node.module.split(".")[0] == "tarazu":
                names = [f"{node.module}.{alias.name}" for alias in node.names]
                yield from (name if name in MODULES else node.module for name in names)


def _for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def part(module: str) -> str:
    """The folder below tarazu/ that a module is in; "" for the package itself."""
    return [*module.split("."), ""][1]


@pytest.mark.parametrize("module", [name for name in MODULES if part(name)])
def test_imports_follow_the_arrows(module):
    own = part(module)
    assert own in MAY_IMPORT, f"tarazu/{own} has no line in MAY_IMPORT"
    for target in imports(MODULES[module]):
        other = part(target)
        if other:  # `import tarazu` itself is for those who use what it exports
            assert other == own or other in MAY_IMPORT[own], f"{module} imports {target}: {own} may not import {other}"
        else:
            assert own in ("train", "study", "cli"), f"{module} imports the whole of tarazu"


def test_backends_do_not_know_each_other():
    for module, path in MODULES.items():
        folder = module.split(".")[2:3]
        if part(module) == "backend":
            for target in imports(path):
                if part(target) == "backend" and target != "tarazu.backend.base":
                    assert target.split(".")[2:3] == folder, f"{module} imports {target}"


def test_there_are_no_import_cycles():
    graph = {name: set(imports(path, only_at_import=True)) - {name} for name, path in MODULES.items()}
    while leaves := [name for name, targets in graph.items() if not targets & graph.keys()]:
        for name in leaves:
            del graph[name]
    assert not graph, f"these modules are in import cycles, or import one that is: {', '.join(sorted(graph))}"


def test_import_is_light():
    code = f"import sys, tarazu; print(*(set(m.split('.')[0] for m in sys.modules) & {HEAVY!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "", f"`import tarazu` also imports {done.stdout.strip()}"


def test_lazy_names_are_those_that_type_checkers_are_told_of():
    tree = ast.parse(Path(tarazu.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    told = {(node.module.removeprefix("tarazu."), alias.name)
            for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    lazy = {(module, name) for name, module in tarazu._MODULE_OF.items()} | {("ops", "fft"), ("ops", "linalg")}
    assert lazy == told
    assert all(hasattr(tarazu, name) for name in dir(tarazu))
