"""`bench/training.py`: a framework that fails or is too slow is named, and the others are measured."""

import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[1] / "bench"
GOOD = """
import sys
for line in sys.stdin:
    print('{"seconds": 0.02, "memory": 9000000, "beyond": 5000000, "loss": 1.5, "accuracy": 0.5}', flush=True)
"""
LIMIT = 3.0
DYING = "raise SystemExit('out of memory')"
SLOW = "import time; time.sleep(60)"
SLOW_LATER = f"{GOOD.replace('in sys.stdin', 'in map(next, [sys.stdin] * 2)')}{SLOW}"


@pytest.fixture
def epochs(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(BENCH))
    import epochs
    monkeypatch.setattr(epochs, "PAUSE", 0.0)
    for peer, code in {"tarazu": GOOD, "torch": DYING, "compile": SLOW, "jax": SLOW_LATER}.items():
        (tmp_path / f"{peer}_worker.py").write_text(code)
        monkeypatch.setitem(epochs.PEERS, peer, epochs.PEERS[peer]._replace(worker=str(tmp_path / f"{peer}_worker")))
    return epochs


def test_a_framework_has_so_many_seconds_and_keeps_the_rounds_that_it_did(epochs):
    pythons = dict.fromkeys(["tarazu", "torch", "compile", "jax"], sys.executable)
    found = epochs.measure("bags", pythons, rounds=2, limit=LIMIT)
    assert {peer: (len(result.answers), result.failure) for peer, result in found.items()} == {
        "tarazu": (2, ""), "torch": (0, "failed: out of memory"), "compile": (0, "over 3 s in all"),
        "jax": (1, "over 3 s in all")}
    comparison = epochs.comparison("bags", found)
    assert comparison.cells == {"Tarazu fit": "0.0200 (0.0200 to 0.0200)", "torch eager": "failed",
                                "torch.compile": "over 3 s in all", "JAX": "0.0200 (0.0200 to 0.0200)"}
    assert comparison.costs["Tarazu fit"] == "0.0 s, 5 MB"
    assert "JAX: over 3 s in all, after 1 rounds (first epoch 0.0 s)" in epochs.describe("bags", found, 2)


def test_kernels_are_those_that_take_the_most_with_their_nearest_peak(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH))
    import kernels
    found = [{"name": name, "seconds": seconds, "flops_share": flops, "bytes_share": moved}
             for name, seconds, flops, moved in [("a", 1, 0.9, 0.2), ("b", 4, 0.1, 1.8), ("c", 3, 0.4, 0.5),
                                                 ("d", 2, 0.75, 0.7)]]
    assert [(kernel["name"], kernels.limit(kernel)) for kernel in kernels.worst(found)] == [
        ("b", "caches"), ("c", "neither"), ("d", "products")]
