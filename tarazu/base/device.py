"""Where tensors live."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

from tarazu.base.errors import DeviceError


class Device(NamedTuple):
    """A device, by its name."""

    name: str

    def __repr__(self) -> str:
        return f"tarazu.device({self.name!r})"

    def __str__(self) -> str:
        return self.name


CPU = Device("cpu")


def device(spec: Any = None) -> Device:
    """The device that `spec` names; None is the default one.

    >>> device("cpu")
    tarazu.device('cpu')
    """
    if isinstance(spec, Device):
        return spec
    if spec in (None, "auto", "cpu", "cpu:0"):
        return CPU
    raise DeviceError(f"there is no device {spec!r}", expected='"cpu", the only device of this version',
                      fix='leave the device out, or pass "cpu"')


def devices() -> list[Device]:
    """All devices that there are."""
    return [CPU]


def accepts_device(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with one argument more, `device=`, which has to name a device that there is."""

    @functools.wraps(function)
    def placed(*args: Any, device: Any = None, **options: Any) -> Any:
        find(device)
        return function(*args, **options)

    signature = inspect.signature(function)
    own = inspect.Parameter("device", inspect.Parameter.KEYWORD_ONLY, default=None)
    placed.__signature__ = signature.replace(parameters=[*signature.parameters.values(), own])  # type: ignore[attr-defined]
    return placed


find = device  # the name above, where an argument is called `device`
