"""The tensor: a mutable handle to an immutable array, or, while a function is being traced, to a node of its graph.

Changes in place (`w -= g`, `w.add_(g)`, `w[2:5] = 0`) give the handle a new array; no other tensor changes by it.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

import numpy as np

from tarazu.base.dtypes import FROM_NUMPY, KIND_ORDER, DType, as_dtype
from tarazu.base.errors import DTypeError, GradientError, ScalarError, ShapeError, TraceError
from tarazu.base.pytree import map_leaves
from tarazu.ir.interpreter import state
from tarazu.ir.node import Node
from tarazu.ir.types import Data
from tarazu.ops import elementwise, shape
from tarazu.ops.indexing import index
from tarazu.ops.indexing.key import Index
from tarazu.ops.promote import as_value
from tarazu.ops.typing import ArrayLike, DeviceLike
from tarazu.runtime.device import CPU, Device, Layout, Mesh, device_of, values
from tarazu.runtime.tensor.compat import Compat
from tarazu.runtime.tensor.dlpack import Exchange
from tarazu.runtime.trace_lock import wait_for_trace
from tarazu.transform.gradient.tape import USER, Leaf, TapeEntry, TapeNode, tape_state

_BASIC = frozenset({int, slice})  # parts of keys that NumPy takes as Tarazu does
_ABOUT_SHAPES: dict[Callable[..., Any], str] = {np.shape: "shape", np.ndim: "ndim", np.size: "size"}


class Tensor(Compat, Exchange):
    """An array of numbers of one dtype. Make one with `tz.tensor`, `tz.asarray`, `tz.zeros`, `tz.randn` and the like.

    >>> import tarazu as tz
    >>> tz.tensor([[1, 2], [3, 4]]).sum(axis=0)
    Tensor([4, 6], dtype=int64)
    """

    __slots__ = ("__weakref__", "_grad")

    def __init__(self, raw: Data, entry: TapeEntry | None = None) -> None:
        self.raw, self.tape_entry = raw, entry
        self._grad: Tensor | None = None

    # What it is ------------------------------------------------------------------------------------------------

    @property
    def dtype(self) -> DType:
        """The type of the elements.

        >>> import tarazu as tz
        >>> tz.ones(2).dtype
        tarazu.float32
        """
        dtype = self.raw.dtype
        return FROM_NUMPY.get(dtype) or as_dtype(dtype)

    @property
    def ndim(self) -> int:
        """The number of axes.

        >>> import tarazu as tz
        >>> tz.ones(2, 3).ndim
        2
        """
        return len(self.raw.shape)

    @property
    def size(self) -> int:
        """The number of elements.

        >>> import tarazu as tz
        >>> tz.ones(2, 3).size
        6
        """
        return int(np.prod(self.raw.shape, dtype=int))

    @property
    def device(self) -> Device | Mesh | Layout:
        """Where the elements are: a device, or a layout over a mesh of them; in a trace, where its program will run.

        >>> import tarazu as tz
        >>> tz.ones(2).device
        tarazu.device('cpu')
        """
        raw = wait_for_trace(self)
        return state.interpreter.device if isinstance(raw, Node) else device_of(raw)

    def to(self, target: DeviceLike | DType) -> Tensor:
        """The tensor on another device (whole on each device of a mesh), or with another dtype; gradients flow back.

        In a traced function, whose program runs on one device, that device becomes `target`. DeviceError for a device
        that is not there. (How it is carried out is said in runtime/device.py.)

        >>> import tarazu as tz
        >>> tz.ones(2).to("cpu").to(tz.float64)
        Tensor([1., 1.], dtype=float64)
        """
        return self.astype(target) if isinstance(target, DType) else state.interpreter.to_device(self, target)

    # Out to Python and NumPy -----------------------------------------------------------------------------------

    def numpy(self) -> np.ndarray:
        """The elements as a read-only NumPy array of the same shape, which shares their memory on the plain CPU.

        TraceError for a traced tensor, which has no values yet.

        >>> import tarazu as tz
        >>> tz.tensor([1, 2]).numpy()
        array([1, 2])
        """
        view = self._concrete("read its values").view()
        view.flags.writeable = False
        return view

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.numpy(), dtype=dtype, copy=copy) if dtype is not None or copy else self.numpy()

    def __array_function__(self, function: Callable[..., Any], types: Iterable[type], args: tuple,
                           kwargs: dict[str, Any]) -> Any:
        """What a function of NumPy gives for the arrays of the tensors among its arguments."""
        if function in _ABOUT_SHAPES and isinstance(args[0], Tensor) and len(args) == 1 and not kwargs:
            return getattr(args[0], _ABOUT_SHAPES[function])  # traced tensors have it too
        args, kwargs = map_leaves(lambda x: x.numpy() if isinstance(x, Tensor) else x, (args, kwargs))
        return function(*args, **kwargs)

    def item(self) -> Any:  # bool, int, float or complex, as the dtype says
        """The only element, as a Python number; ShapeError unless there is just one, TraceError for a traced tensor.

        >>> import tarazu as tz
        >>> tz.tensor([1.5]).item()
        1.5
        """
        return self._scalar("item()").item()

    def tolist(self) -> Any:  # as many lists inside each other as there are axes
        """The elements as nested lists of Python numbers, a number for a scalar; TraceError for a traced tensor.

        >>> import tarazu as tz
        >>> tz.tensor([[1, 2], [3, 4]]).tolist()
        [[1, 2], [3, 4]]
        """
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
            raise ScalarError("len() of a tensor without axes", expected="at least one axis", fix="use x.size")
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

    def __contains__(self, value: ArrayLike) -> bool:
        return bool((self == value).any())

    # Gradients -------------------------------------------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this tensor are recorded for gradients.

        It may be set; GradientError for True on a tensor that is not of a float dtype.

        >>> import tarazu as tz
        >>> w = tz.ones(2)
        >>> w.requires_grad = True
        >>> (w * 2).requires_grad
        True
        """
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

    def requires_grad_(self, wanted: bool = True) -> Self:
        """Set `requires_grad` and give the tensor back; GradientError for True on a tensor not of a float dtype.

        >>> import tarazu as tz
        >>> tz.ones(2).requires_grad_()
        Tensor([1., 1.], dtype=float32, requires_grad=True)
        """
        self.requires_grad = wanted
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether the tensor is not the result of recorded operations.

        >>> import tarazu as tz
        >>> w = tz.ones(2, requires_grad=True)
        >>> w.is_leaf, (w * 2).is_leaf
        (True, False)
        """
        return self.tape_entry is None or isinstance(self.tape_entry, Leaf)

    @property
    def grad_fn(self) -> TapeNode | None:
        """The recorded operation that this tensor came from, None for a leaf.

        >>> import tarazu as tz
        >>> (tz.ones(2, requires_grad=True) * 2).grad_fn.name
        'MulBackward'
        """
        return None if self.is_leaf else self.tape_entry.node

    @property
    def grad(self) -> Tensor | None:
        """The gradient, of this tensor's shape, that `backward` has added up so far; None before. It may be set.

        >>> import tarazu as tz
        >>> w = tz.tensor(3.0, requires_grad=True)
        >>> (w ** 2).backward()
        >>> w.grad
        Tensor(6., dtype=float32)
        """
        state.interpreter.before_grad_read(self)
        return self._grad

    @grad.setter
    def grad(self, value: ArrayLike | None) -> None:
        state.interpreter.before_grad_change(self)
        self._grad = None if value is None else as_value(value, self.dtype)

    def backward(self, gradient: ArrayLike | None = None, *, retain_graph: bool = False,
                 create_graph: bool = False) -> None:
        """Add the gradient of this scalar (or of sum(self * gradient)) to `.grad` of every leaf that it came from.

        What was recorded is freed unless `retain_graph` or `create_graph`; with the latter the gradients are recorded
        themselves, for higher derivatives. GradientError where nothing was recorded or it was freed, ShapeError for
        several elements without a `gradient`, or one of another shape.

        >>> import tarazu as tz
        >>> w = tz.tensor([1.0, 2.0], requires_grad=True)
        >>> (w ** 2).backward([1.0, 10.0])
        >>> w.grad
        Tensor([ 2., 40.], dtype=float32)
        """
        from tarazu.runtime.autograd.autograd import backward

        backward(self, gradient, retain_graph=retain_graph, create_graph=create_graph)

    def detach(self) -> Tensor:
        """The same values as a constant: no gradient flows back from here.

        >>> import tarazu as tz
        >>> tz.ones(2, requires_grad=True).detach()
        Tensor([1., 1.], dtype=float32)
        """
        return elementwise.stop_gradient(self)

    def clone(self) -> Tensor:
        """The same values under a handle of their own; gradients flow through.

        >>> import tarazu as tz
        >>> x = tz.ones(2)
        >>> y = x.clone().add_(1)
        >>> x
        Tensor([1., 1.], dtype=float32)
        """
        return elementwise.astype(self, self.dtype)

    # In place --------------------------------------------------------------------------------------------------

    def _replace(self, new: ArrayLike) -> Self:
        """Let the handle stand for `new`, of the same shape and cast to the same dtype."""
        value = as_value(new, self.dtype)
        if value.shape != self.shape:
            value = self._broadcast(value)
        if value.dtype is not self.dtype:
            if KIND_ORDER[value.dtype.kind] > KIND_ORDER[self.dtype.kind]:
                raise DTypeError(f"a result of {value.dtype} in place of a tensor of {self.dtype}",
                                 expected="a result whose kind the tensor can hold",
                                 fix="write x = x + y, or cast first")
            value = elementwise.astype(value, self.dtype)
        if isinstance(self.tape_entry, Leaf) and self.tape_entry.mask & ~tape_state.ignored:
            raise GradientError("a leaf tensor with requires_grad was changed in place while gradients are recorded",
                                expected="changes of such a tensor inside tz.no_grad()",
                                fix="write `with tz.no_grad():` around the change")
        entry = value.tape_entry
        if entry is not None and entry.mask and not entry.mask & ~tape_state.ignored:
            value = value.detach()  # `new` itself: what is recorded of it stays with it
        if not (value.raw.__class__ is np.ndarray is self.raw.__class__):
            value = state.interpreter.to_device(value, state.interpreter.device_of(self))  # it stays where it is
        self._rebind(value)
        return self

    def _rebind(self, new: Tensor) -> None:
        state.interpreter.rebind(self, new)

    def _broadcast(self, new: Tensor) -> Tensor:
        try:
            return shape.broadcast_to(new, self.shape)
        except ShapeError:
            raise ShapeError(f"a result of shape {new.shape} in place of a tensor of shape {self.shape}",
                             expected="a result that broadcasts to the tensor's shape",
                             fix="write x = x + y instead") from None

    def __getitem__(self, key: Index | tuple[Index, ...]) -> Tensor:
        is_plain = self.tape_entry is None and self.raw.__class__ is np.ndarray and state.interpreter.compiles_often
        if is_plain and _BASIC.issuperset(map(type, parts := key if key.__class__ is tuple else (key,))):
            with contextlib.suppress(Exception):  # which `getitem` explains
                return Tensor(self.raw[(*parts, ...)])  # the view that SLICE and RESHAPE give, in a third of their time
        return index.getitem(self, key)

    def __setitem__(self, key: Index | tuple[Index, ...], value: ArrayLike) -> None:
        self._replace(index.setitem(self, key, value))


def _unpickle(array: Data, requires_grad: bool) -> Tensor:
    return Tensor(array).requires_grad_(requires_grad)
