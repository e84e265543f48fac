"""The folders of the native backend: who may import whom, and tables that two of them state."""

from __future__ import annotations

import pytest
from test_layout import MODULES, imports

pytest.importorskip("llvmlite")
from tarazu.backend.native.kernels import special
from tarazu.backend.native.lowering import primitives
from tarazu.backend.native.lowering.region import control, nests

NATIVE = "tarazu.backend.native"
MAY_IMPORT = {  # beside itself; "" are the modules of the package itself, without the cache
    "llvm": set(),
    "cache": {"llvm"},
    "math": {"llvm"},
    "threads": {"llvm", "cache"},
    "lowering": {"llvm", "math"},
    "kernels": {"llvm", "math", "lowering"},
    "schedule": {"llvm", "threads", "lowering", "kernels"},
    "": {"llvm", "cache", "threads", "lowering", "kernels", "schedule"},
    "inspect": {"llvm", "threads", "lowering", "kernels", "schedule", ""},
}
OWN = {name: path for name, path in MODULES.items() if name == NATIVE or name.startswith(NATIVE + ".")}


def room(module: str) -> str:
    """The folder of the native backend that a module is in; "cache" or "" for none."""
    path = OWN[module].relative_to(OWN[NATIVE].parent)
    return path.parts[0] if len(path.parts) > 1 else path.stem if path.stem == "cache" else ""


@pytest.mark.parametrize("module", OWN)
def test_rooms_import_one_way(module):
    own = room(module)
    for target in imports(OWN[module]):
        if target in OWN:
            other = room(target)
            assert other in {own, *MAY_IMPORT[own]}, f"{module} imports {target}: {own} may not import {other}"


def test_arrows_are_used():
    used = {(room(module), room(target)) for module in OWN for target in imports(OWN[module]) if target in OWN}
    assert {(own, other) for own, others in MAY_IMPORT.items() for other in others} <= used


def test_there_are_no_circles_not_even_of_types_or_deferred_imports():
    graph = {name: {target for target in imports(path) if target in OWN} - {name} for name, path in OWN.items()}
    while leaves := [name for name, targets in graph.items() if not targets & graph.keys()]:
        for name in leaves:
            del graph[name]
    assert not graph, f"these modules import one another: {', '.join(sorted(graph))}"


def test_lowering_and_kernels_agree_about_special_kernels():
    assert special.SPECIAL.keys() == primitives.SPECIAL


def test_every_nest_and_product_has_a_lowering():
    assert nests.LOWER.keys() == primitives.NESTS | primitives.PRODUCTS
    assert not nests.LOWER.keys() & control.LOWER.keys()
