"""What `__array_namespace_info__` says (the array API standard, 2024.12)."""

from __future__ import annotations

from tarazu.base import dtypes as all_dtypes
from tarazu.base.device import Device
from tarazu.base.dtypes import DType
from tarazu.ops.dtype_functions import isdtype
from tarazu.runtime import device as device_list

__array_api_version__ = "2024.12"
_MOST_AXES = 64  # NumPy's limit

# float16 and bfloat16 are Tarazu's, but not the standard's
_IN_STANDARD = tuple(dtype for dtype in all_dtypes.ALL if dtype.name not in ("float16", "bfloat16"))


class Info:
    """What the namespace can do: dtypes, devices, limits. DeviceError for a device that is not there."""

    def capabilities(self) -> dict[str, bool | int]:
        """Masks and results whose shape depends on data work, outside traced functions; the most axes of a tensor.

        >>> import tarazu as tz
        >>> tz.__array_namespace_info__().capabilities()["boolean indexing"]
        True
        """
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": _MOST_AXES}

    def default_device(self) -> Device:
        """The device of a tensor that is made without one.

        >>> import tarazu as tz
        >>> tz.__array_namespace_info__().default_device()
        tarazu.device('cpu')
        """
        return device_list.device()

    def devices(self) -> list[Device]:
        """All devices that this process can use.

        >>> import tarazu as tz
        >>> tz.__array_namespace_info__().devices()[0]
        tarazu.device('cpu')
        """
        return device_list.devices()

    def default_dtypes(self, *, device: Device | str | None = None) -> dict[str, DType]:
        """The dtypes of what is made without one, by kind.

        >>> import tarazu as tz
        >>> tz.__array_namespace_info__().default_dtypes()["real floating"]
        tarazu.float32
        """
        device_list.device(device)
        return {"real floating": all_dtypes.DEFAULT_FLOAT, "complex floating": all_dtypes.complex64,
                "integral": all_dtypes.DEFAULT_INT, "indexing": all_dtypes.DEFAULT_INT}

    def dtypes(self, *, device: Device | str | None = None,
               kind: str | tuple[str, ...] | None = None) -> dict[str, DType]:
        """The dtypes of the standard, by name; of one kind, or several, if given. ArgumentError for another kind.

        >>> import tarazu as tz
        >>> list(tz.__array_namespace_info__().dtypes(kind="complex floating"))
        ['complex64', 'complex128']
        """
        device_list.device(device)
        return {dtype.name: dtype for dtype in _IN_STANDARD if kind is None or isdtype(dtype, kind)}


def namespace_info() -> Info:
    """What the namespace can do: its dtypes, devices and limits.

    >>> import tarazu as tz
    >>> tz.__array_namespace_info__().default_dtypes()["integral"]
    tarazu.int64
    """
    return Info()
