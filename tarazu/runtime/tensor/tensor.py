"""The tensor: a mutable handle to an immutable array, or, while a function is being traced, to a node of its graph.

Changes in place (`w -= g`, `w.add_(g)`, `w[2:5] = 0`) give the handle a new array; no other tensor changes by it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

from tarazu.base.dtypes import DEFAULT_FLOAT, FROM_NUMPY, KIND_ORDER, DType, as_dtype
from tarazu.base.errors import ArgumentError, DTypeError, GradientError, ShapeError, TraceError
from tarazu.ir.interpreter import state
from tarazu.ir.node import Node
from tarazu.ops import create, elementwise, shape
from tarazu.ops.indexing import index
from tarazu.ops.promote import as_value
from tarazu.runtime.device import CPU, device_of, values
from tarazu.runtime.tensor.compat import Compat
from tarazu.runtime.tensor.dlpack import Exchange
from tarazu.runtime.tensor.operators import sizes_of
from tarazu.runtime.trace_lock import wait_for_trace
from tarazu.transform.gradient.tape import USER, Leaf, tape_state


class Tensor(Compat, Exchange):
    """An array of numbers of one dtype. Make one with `tz.tensor`, `tz.asarray`, `tz.zeros`, `tz.randn` and the like.

    >>> import tarazu as tz
    >>> tz.tensor([[1, 2], [3, 4]]).sum(axis=0)
    Tensor([4, 6], dtype=int64)
    """

    __slots__ = ("__weakref__", "_grad")

    def __init__(self, raw: Any, entry: Any = None) -> None:
        self.raw, self.tape_entry = raw, entry
        self._grad: Tensor | None = None

    # What it is

    @property
    def dtype(self) -> DType:
        """The type of the elements."""
        dtype = self.raw.dtype
        return dtype if dtype.__class__ is DType else FROM_NUMPY.get(dtype) or as_dtype(dtype)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.raw.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.raw.shape, dtype=int))

    @property
    def device(self) -> Any:
        """Where the elements are: a device, or a layout over a mesh of them."""
        raw = wait_for_trace(self)
        return state.interpreter.device if isinstance(raw, Node) else device_of(raw)

    def to(self, target: Any) -> Tensor:
        """The tensor on another device (whole on each device of a mesh), or with another dtype; gradients flow back."""
        return self.astype(target) if isinstance(target, DType) else state.interpreter.to_device(self, target)

    # Out to Python and NumPy

    def numpy(self) -> np.ndarray:
        """The elements as a NumPy array that must not be written to; take a copy to change it."""
        view = self._concrete("read its values").view()
        view.flags.writeable = False
        return view

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.numpy(), dtype=dtype, copy=copy) if dtype is not None or copy else self.numpy()

    def item(self) -> Any:
        """The only element, as a Python number."""
        return self._scalar("item()").item()

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers."""
        return self.numpy().tolist()

    def __float__(self) -> float:
        return float(self._scalar("float()"))

    def __int__(self) -> int:
        return int(self._scalar("int()"))

    def __complex__(self) -> complex:
        return complex(self._scalar("complex()"))

    def __bool__(self) -> bool:
        if isinstance(self.raw, Node):
            raise TraceError("a Python condition (if, while, and, or, not) on a traced tensor, which has no value yet",
                             expected="conditions on Python values while a function is traced",
                             fix="use tz.where(condition, x, y) to choose between values, "
                                 "tz.cond(condition, f, g, x) between functions, tz.while_loop to loop")
        return bool(self._scalar("bool()"))

    def __index__(self) -> int:
        if not self.dtype.is_integer:
            raise DTypeError(f"a tensor of {self.dtype} as an index", expected="an integer tensor",
                             fix="cast it: x.astype(tz.int64)")
        return self._scalar("an index").item()

    def _concrete(self, wish: str) -> np.ndarray:
        raw = wait_for_trace(self)
        if isinstance(raw, Node):
            raise TraceError(f"cannot {wish}: a traced tensor of type {raw.type} has no values yet",
                             expected="only operations of tarazu on tensors inside a traced function",
                             fix="return the tensor from the function and read it outside")
        return raw if raw.__class__ is np.ndarray else values(raw)

    def _scalar(self, wish: str) -> np.ndarray:
        array = self._concrete(f"take {wish} of it")
        if array.size != 1:
            raise ShapeError(f"{wish} of a tensor of shape {array.shape}", expected="a tensor with one element",
                             fix="reduce it first (x.sum(), x.mean(), x.all()), or use x.tolist()")
        return array.reshape(())

    def __len__(self) -> int:
        if not self.shape:
            raise ShapeError("len() of a tensor without axes", expected="at least one axis", fix="use x.size")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return iter([self[i] for i in range(len(self))])

    def __repr__(self) -> str:
        if isinstance(self.raw, Node):
            return f"Tensor(traced {self.raw.type})"
        array = values(self.raw) if self.raw.dtype.kind != "V" else values(self.raw).astype(np.float32)
        text = np.array2string(array, separator=", ", prefix="Tensor(", threshold=1000)
        extra = f", shape={array.shape}" if array.size == 0 and array.ndim > 1 else ""
        extra += f", dtype={self.dtype}"
        if self.device != CPU:
            extra += f", device={str(self.device)!r}"
        if isinstance(self.tape_entry, Leaf):
            extra += ", requires_grad=True"
        elif self.tape_entry is not None:
            extra += f", grad_fn=<{self.tape_entry.name}>"
        return f"Tensor({text}{extra})"

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else (str(self.item()) if self.size == 1 else repr(self))

    def __reduce__(self) -> tuple:
        return _unpickle, (np.array(self.numpy()), self.requires_grad)

    def __deepcopy__(self, memo: dict) -> Tensor:
        self._concrete("copy it")
        twin = memo[id(self)] = _unpickle(self.raw, self.requires_grad and self.is_leaf)
        twin._grad = copy.deepcopy(self._grad, memo)
        return twin

    def __contains__(self, value: Any) -> bool:
        return bool((self == value).any())

    # Gradients

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this tensor are recorded for gradients; may be set on tensors of float dtype."""
        state.interpreter.before_tracking_read(self)
        return self.tape_entry is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        state.interpreter.before_change(self)
        if not wanted:
            self.tape_entry = None
        elif self.tape_entry is None:
            if not self.dtype.is_float:
                raise GradientError(f"requires_grad on a tensor of {self.dtype}", expected="a float dtype",
                                    fix="cast it first: x.astype(tz.float32)")
            self.tape_entry = Leaf(USER, self)

    def requires_grad_(self, wanted: bool = True) -> Tensor:
        """Set `requires_grad` and give the tensor back."""
        self.requires_grad = wanted
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether the tensor is not the result of recorded operations."""
        return self.tape_entry is None or isinstance(self.tape_entry, Leaf)

    @property
    def grad_fn(self) -> Any:
        """The recorded operation that this tensor came from, None for a leaf."""
        return None if self.is_leaf else self.tape_entry.node

    @property
    def grad(self) -> Tensor | None:
        """What `backward` has added up so far, None before."""
        state.interpreter.before_grad_read(self)
        return self._grad

    @grad.setter
    def grad(self, value: Any) -> None:
        state.interpreter.before_grad_change(self)
        self._grad = None if value is None else as_value(value, self.dtype)

    def backward(self, gradient: Any = None, *, retain_graph: bool = False, create_graph: bool = False) -> None:
        """Add the gradient of this scalar (or of sum(self * gradient)) to `.grad` of every leaf that it came from."""
        from tarazu.runtime.autograd.autograd import backward

        backward(self, gradient, retain_graph=retain_graph, create_graph=create_graph)

    def detach(self) -> Tensor:
        """The same values as a constant: no gradient flows back from here."""
        return elementwise.stop_gradient(self)

    def clone(self) -> Tensor:
        """The same values under a handle of their own; gradients flow through."""
        return elementwise.astype(self, self.dtype)

    # In place

    def _replace(self, new: Any) -> Tensor:
        """Let the handle stand for `new`, of the same shape and cast to the same dtype."""
        new = as_value(new, self.dtype)
        if new.shape != self.shape:
            new = self._fit(new)
        if new.dtype is not self.dtype:
            if KIND_ORDER[new.dtype.kind] > KIND_ORDER[self.dtype.kind]:
                raise DTypeError(f"a result of {new.dtype} in place of a tensor of {self.dtype}",
                                 expected="a result whose kind the tensor can hold",
                                 fix="write x = x + y, or cast first")
            new = elementwise.astype(new, self.dtype)
        if isinstance(self.tape_entry, Leaf) and self.tape_entry.mask & ~tape_state.ignored:
            raise GradientError("a leaf tensor with requires_grad was changed in place while gradients are recorded",
                                expected="changes of such a tensor inside tz.no_grad()",
                                fix="write `with tz.no_grad():` around the change")
        if not (new.raw.__class__ is np.ndarray is self.raw.__class__):
            new = state.interpreter.to_device(new, state.interpreter.device_of(self))  # it stays where it is
        self._rebind(new)
        return self

    def _rebind(self, new: Tensor) -> None:
        state.interpreter.rebind(self, new)

    def _fit(self, new: Tensor) -> Tensor:
        try:
            return shape.broadcast_to(new, self.shape)
        except ShapeError:
            raise ShapeError(f"a result of shape {new.shape} in place of a tensor of shape {self.shape}",
                             expected="a result that broadcasts to the tensor's shape",
                             fix="write x = x + y instead") from None

    def __setitem__(self, key: Any, value: Any) -> None:
        self._replace(index.setitem(self, key, value))


def _unpickle(array: Any, requires_grad: bool) -> Tensor:
    return Tensor(array).requires_grad_(requires_grad)


def tensor(data: Any, dtype: Any = None, *, requires_grad: bool = False, device: Any = None) -> Tensor:
    """A new tensor with a copy of `data`: a number, a nested list, an array or a tensor.

    Python floats become float32, Python ints int64; arrays keep their dtype.

    >>> import tarazu as tz
    >>> tz.tensor([1.0, 2.5])
    Tensor([1. , 2.5], dtype=float32)
    """
    made = asarray(data, dtype, device=device)
    if isinstance(made.raw, np.ndarray):
        made = Tensor(made.raw.copy() if made.raw.base is not None or made.raw is data else made.raw)
    else:
        made = made.detach()
    return made.requires_grad_(requires_grad) if requires_grad else made


def zeros(shape: Any = (), *more: int, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """A new tensor of zeros; the shape as numbers or as one tuple.

    >>> import tarazu as tz
    >>> tz.zeros(2, requires_grad=True)
    Tensor([0., 0.], dtype=float32, requires_grad=True)
    """
    return _filled(0, (shape, *more), dtype, requires_grad, device)


def ones(shape: Any = (), *more: int, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """A new tensor of ones; the shape as numbers or as one tuple."""
    return _filled(1, (shape, *more), dtype, requires_grad, device)


def _filled(value: int, shape: tuple, dtype: Any, requires_grad: bool, where: Any) -> Tensor:
    made = create.full(sizes_of(shape), value, dtype=dtype or DEFAULT_FLOAT, device=where)
    return made.requires_grad_(requires_grad) if requires_grad else made


def asarray(data: Any, dtype: Any = None, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """`data` as a tensor; a tensor of the right dtype, on the device that is asked for, is given back as it is.

    The memory of a NumPy array is shared: it must then not be changed any more. `copy=True` takes a copy in any case;
    `copy=False` raises ArgumentError where one would be needed.
    """
    if copy and not isinstance(data, Tensor):
        return tensor(data, dtype, device=device)
    wanted = as_dtype(dtype) if dtype is not None else None
    made = data if isinstance(data, Tensor) else state.interpreter.constant(data, wanted)
    if device is not None or not isinstance(data, Tensor):
        made = state.interpreter.to_device(made, device)
    if wanted is not None and made.dtype is not wanted:
        made = elementwise.astype(made, wanted)
    if copy is False and made is not data and not _shares_memory(made, data):
        raise ArgumentError(f"asarray(copy=False) of {type(data).__name__} needs a copy",
                            expected="a tensor or a NumPy array, of the wanted dtype", fix="leave out copy=False")
    return made.clone() if copy else made


def _shares_memory(made: Tensor, data: Any) -> bool:
    return isinstance(made.raw, np.ndarray) and isinstance(data, np.ndarray) and np.may_share_memory(made.raw, data)


def _require_numbers(data: Any, array: np.ndarray) -> None:
    """DTypeError for what NumPy makes an array of, but not one of numbers."""
    what = {"O": "objects", "S": "text", "U": "text"}.get(array.dtype.kind, "dates")
    name = "None" if data is None else f"a {type(data).__name__} of {what}" if array.ndim else repr(data)
    fix = ("the .grad of a tensor is None before backward() has reached it" if data is None
           else "turn its elements into numbers first; text and dates must be encoded")
    raise DTypeError(f"{name} where a tensor is wanted", expected="numbers, or nested lists of numbers", fix=fix)


def to_array(data: Any, dtype: DType | None) -> np.ndarray:
    """`data` as a NumPy array of a dtype that Tarazu knows."""
    if type(data) in (bool, int, float, complex) and dtype is None:
        dtype = as_dtype(type(data))
    keeps_dtype = isinstance(data, np.ndarray | np.generic) or dtype is not None
    try:
        array = np.asarray(data, dtype.numpy if dtype is not None else None)
    except (ValueError, OverflowError, TypeError) as error:
        raise ArgumentError(f"{type(data).__name__} does not make a tensor: {error}",
                            expected="numbers, or nested lists of numbers with rows of one length",
                            fix="check the rows' lengths and that every element is a number") from None
    if array.dtype.kind in "OSUMm":
        _require_numbers(data, array)
    found = as_dtype(array.dtype)
    if keeps_dtype or not found.is_inexact:
        return array if array.dtype.isnative else array.astype(found.numpy)
    return array.astype(as_dtype(float if found.kind == "float" else complex).numpy)
