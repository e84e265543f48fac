"""Weight normalization: a weight as length times direction."""

from __future__ import annotations

from tarazu.nn.layers.reparametrized.reparametrized import Reparametrized
from tarazu.nn.module.module import Module
from tarazu.nn.module.parameter import Parameter
from tarazu.ops.elementwise import divide, multiply, sqrt, square
from tarazu.ops.reduce import sum
from tarazu.ops.shape import normalize_axis, reshape
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.tensor import Tensor


class WeightNorm(Reparametrized):
    """A layer whose weight is magnitude * direction / length of direction, both learned (Salimans and Kingma, 2016).

    The lengths are those of the weights of each output: of all axes of the weight but `axis`, along which `magnitude`
    runs. `direction` has the shape of the layer's parameter `name`, which it starts as. Inputs, outputs and errors are
    the layer's; ArgumentError for what is no layer or has no such parameter, AxisError for an axis that it lacks.

    >>> import tarazu as tz
    >>> layer = tz.nn.WeightNorm(tz.nn.Dense(3, in_features=2))
    >>> [(path, x.shape) for path, x in layer.named_parameters()]
    [('magnitude', (3,)), ('direction', (2, 3)), ('layer.bias', (3,))]
    """

    def __init__(self, layer: Module, name: str = "weight", *, axis: int = -1) -> None:
        self._axis = axis
        super().__init__(layer, name)

    def _take_over(self, weight: Tensor) -> None:
        axis = normalize_axis(self._axis, len(weight.shape), "WeightNorm")
        with no_grad():
            self.magnitude = Parameter(reshape(self._length(weight), (weight.shape[axis],)))
        self.direction = weight

    def _length(self, weight: Tensor) -> Tensor:
        """The length of the weights of each output, with axes of size 1 for those that it is summed over."""
        axis = normalize_axis(self._axis, len(weight.shape), "WeightNorm")
        others = tuple(i for i in range(len(weight.shape)) if i != axis)
        return sqrt(sum(square(weight), others, keepdims=True))

    def _computed(self) -> Tensor:
        length = self._length(self.direction)
        return multiply(self.direction, divide(reshape(self.magnitude, length.shape), length))
