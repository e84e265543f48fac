"""Tensors to and from other array libraries, by DLPack, and what else the array API standard (2024.12) asks of them."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, Protocol, TypeAlias

import numpy as np

from tarazu.base.errors import ArgumentError, DeviceError
from tarazu.ir.interpreter import Value, state
from tarazu.ops.typing import DeviceLike, Tensor
from tarazu.runtime.tensor.namespace import __array_api_version__
from tarazu.runtime.trace_lock import replace_data

Capsule: TypeAlias = Any  # an object of C that holds an array; Python knows no type of it
DLPackDevice: TypeAlias = tuple[int, int]  # its kind, and its number

_CPU: DLPackDevice = (1, 0)  # kDLCPU
_READ_ONLY_SINCE = (1, 0)  # the version of DLPack from which on a capsule can say so


class SupportsDLPack(Protocol):
    """An array of any library that takes part in DLPack."""

    def __dlpack__(self) -> Capsule: ...
    def __dlpack_device__(self) -> tuple[Any, Any]: ...


class Exchange(Value):
    """What a tensor inherits for code that works with the arrays of any library."""

    __slots__ = ()

    def __array_namespace__(self, *, api_version: str | None = None) -> ModuleType:
        if api_version is not None and api_version > __array_api_version__:
            raise ArgumentError(f"__array_namespace__ for version {api_version!r} of the array API standard",
                                expected=f"{__array_api_version__!r} or earlier", fix="leave api_version out")
        return sys.modules["tarazu"]

    def __dlpack_device__(self) -> DLPackDevice:
        raw = self.raw
        return raw.__dlpack_device__() if hasattr(raw, "__dlpack_device__") else _CPU

    def __dlpack__(self, *, stream: int | None = None, max_version: tuple[int, int] | None = None,
                   dl_device: DLPackDevice | None = None, copy: bool | None = None) -> Capsule:
        raw = self.raw
        if hasattr(raw, "__dlpack__") and not isinstance(raw, np.ndarray):  # JAX knows what streams are
            return raw.__dlpack__(stream=stream, max_version=max_version, dl_device=dl_device, copy=copy)
        if dl_device is not None and tuple(map(int, dl_device)) != _CPU:
            raise BufferError(f"__dlpack__ for device {dl_device} of a tensor on the CPU, {_CPU}")
        array = self.numpy()  # type: ignore[attr-defined]  # every Exchange is a Tensor
        if max_version is not None and tuple(max_version) >= _READ_ONLY_SINCE:
            return array.__dlpack__(max_version=tuple(max_version), copy=copy)
        # an older consumer is not told that the memory is read-only: it gets a copy, unless it insists on none
        if copy is not False or not raw.flags.writeable:
            raw = raw.copy()
        if copy is False:
            replace_data(self, raw)  # the same values, in memory that can be shared
        return raw.__dlpack__()

    def to_device(self, device: DeviceLike, /, *, stream: None = None) -> Tensor:
        """The tensor on another device, by name; another name of `to`. DeviceError for a stream, and as for `to`.

        >>> import tarazu as tz
        >>> tz.ones(2).to_device("cpu")
        Tensor([1., 1.], dtype=float32)
        """
        if stream is not None:
            raise DeviceError(f"to_device with stream={stream!r}", expected="None: the CPU has no streams",
                              fix="leave the stream out")
        return self.to(device)  # type: ignore[attr-defined]  # every Exchange is a Tensor


def from_dlpack(x: SupportsDLPack, /, *, device: DeviceLike | None = None, copy: bool | None = None) -> Tensor:
    """A tensor of the array of another library, which shares its memory unless `copy` is true.

    ArgumentError for what has no `__dlpack__`, or is not on the CPU; DeviceError for a `device` that is not there.

    >>> import numpy as np
    >>> import tarazu as tz
    >>> tz.from_dlpack(np.arange(3))
    Tensor([0, 1, 2], dtype=int64)
    """
    try:
        array = np.from_dlpack(x, copy=copy)  # type: ignore[arg-type]  # NumPy passes more only to those that take it
        made = state.interpreter.constant(array, None, is_shared=True)
    except (AttributeError, BufferError, RuntimeError, TypeError) as error:
        raise ArgumentError(f"from_dlpack of {type(x).__name__}: {error}",
                            expected="an array on the CPU with __dlpack__ and __dlpack_device__",
                            fix="move it to the CPU first, or go through NumPy: tz.asarray(np.asarray(x))") from None
    return state.interpreter.to_device(made, device)
