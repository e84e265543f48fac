"""What is installed: the wheel holds every file that the package reads, and nothing else; what types are told."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import tarazu as tz

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "tarazu"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS = PROJECT["tool"]["setuptools"]


def is_package(folder):
    return all((parent / "__init__.py").is_file() for parent in [folder, *folder.parents]
               if parent.is_relative_to(PACKAGE))


def test_every_file_of_the_package_goes_into_the_wheel():
    data = {path for pattern in SETUPTOOLS["package-data"]["tarazu"] for path in PACKAGE.glob(pattern)}
    files = {path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    modules = {path for path in files if path.suffix == ".py" and is_package(path.parent)}
    missing = sorted(str(path.relative_to(ROOT)) for path in files - modules - data)
    assert not missing, f"files for which package-data in pyproject.toml has no pattern: {missing}"
    assert PACKAGE / "py.typed" in data


def test_nothing_beside_the_package_goes_into_the_wheel():
    assert SETUPTOOLS["packages"]["find"] == {"include": ["tarazu*"]}
    assert [path.name for path in ROOT.glob("tarazu*") if (path / "__init__.py").exists()] == ["tarazu"]


def test_every_public_name_is_exported():
    """Type checkers see only what `__all__` has; the parts that are named by a folder alone are no names of users."""
    own = {"annotations", "importlib", "backend", "base", "cli", "course", "ir", "ops", "picture", "runtime",
           "transform"}
    public = {name for name in dir(tz) if not name.startswith("_")} - own
    assert set(tz.__all__) - public == {"__array_api_version__", "__array_namespace_info__", "__version__"}
    assert public - set(tz.__all__) == set(), "names that __all__ in tarazu/__init__.py lacks"


@pytest.mark.long
def test_the_options_of_a_users_program_are_those_of_strict(tmp_path):
    """All flags of `mypy --strict` that may stand in a section for one module are set for tests/typing."""
    program = tmp_path / "user.py"
    program.write_text((ROOT / "tests/typing/user_program.py").read_text(encoding="utf-8"), encoding="utf-8")
    done = subprocess.run([sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--config-file=",
                           str(program)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
