"""What jitted functions run on: `tz.set_backend`, TARAZU_BACKEND, the native backend unless they say otherwise."""

import pytest

import tarazu as tz
from tarazu.base.errors import ArgumentError, DeviceError, OutOfRangeError


def beyond_the_end():
    """The element at index 3 of 2, by a jitted function: the NumPy backend raises, native programs clamp."""
    return tz.jit(lambda x, i: x[i])(tz.tensor([1.0, 2.0]), tz.tensor(3)).item()


def test_jitted_functions_run_natively_unless_told_otherwise(monkeypatch):
    monkeypatch.delenv("TARAZU_BACKEND", raising=False)
    assert beyond_the_end() == 2
    tz.set_backend("numpy")
    with pytest.raises(OutOfRangeError):
        beyond_the_end()
    tz.set_backend("native")
    assert beyond_the_end() == 2


def test_the_environment_chooses_for_those_who_set_nothing(monkeypatch):
    monkeypatch.setenv("TARAZU_BACKEND", "numpy")
    with pytest.raises(OutOfRangeError):
        beyond_the_end()
    tz.set_backend("native")
    assert beyond_the_end() == 2


def test_a_backend_that_is_not_there_is_refused_with_the_names_of_those_that_are():
    with pytest.raises(DeviceError, match=r"there is no backend 'gpu'\n.*\n.*use \"native\" or \"numpy\""):
        tz.set_backend("gpu")


@pytest.mark.parametrize("name", ["native", "numpy"])
def test_a_while_loop_of_more_steps_than_its_bound_raises(name):
    tz.set_backend(name)
    count = tz.jit(lambda x: tz.while_loop(lambda x: x < 10, lambda x: x + 1, x, bound=3))
    assert count(tz.tensor(7)).item() == 10
    with pytest.raises(ArgumentError, match="the condition still holds after(.|\n)*a larger bound"):
        count(tz.tensor(0))
