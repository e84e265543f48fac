"""Spectral normalization: a weight divided by its largest singular value."""

from __future__ import annotations

from tarazu.base.checks import positive_int
from tarazu.nn.layers.reparametrized.reparametrized import Reparametrized
from tarazu.nn.module.module import Module
from tarazu.ops.elementwise import divide, maximum, sqrt, square
from tarazu.ops.reduce import sum
from tarazu.ops.shape import reshape
from tarazu.runtime import random
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.tensor import Tensor

FIRST_ITERATIONS = 15  # as in torch, so that the first outputs have a largest singular value near 1


class SpectralNorm(Reparametrized):
    """A layer whose weight is divided by its largest singular value, for critics of GANs (Miyato and others, 2018).

    The layer's parameter `name` becomes `weight` here; as a matrix, (all other axes, outputs), it is divided by an
    estimate of its largest singular value. The estimate is by power iteration, of which each call in training takes
    `iterations` more steps from the vectors `left` and `right`; evaluation, and training after
    `freeze(statistics=True)`, keep these. Inputs, outputs and errors are the layer's; ArgumentError for what is no
    layer, has no such parameter, or fewer than 1 iterations.

    >>> import tarazu as tz
    >>> five_times = tz.nn.Dense(2, in_features=2, kernel_initializer=tz.nn.init.identity(5.0))
    >>> tz.nn.SpectralNorm(five_times)(tz.ones((1, 2))).detach().round()
    Tensor([[1., 1.]], dtype=float32)
    """

    def __init__(self, layer: Module, name: str = "weight", *, iterations: int = 1, epsilon: float = 1e-12) -> None:
        self._iterations, self._epsilon = positive_int("iterations", iterations), epsilon
        super().__init__(layer, name)

    def _take_over(self, weight: Tensor) -> None:
        matrix = self._matrix(weight)
        with no_grad():
            drawn = self._unit(random.normal((matrix.shape[1],)))
            self.left, self.right = self._iterated(matrix, drawn, FIRST_ITERATIONS)
        self.weight = weight

    def _matrix(self, weight: Tensor) -> Tensor:
        return reshape(weight, (-1, weight.shape[-1]))

    def _unit(self, vector: Tensor) -> Tensor:
        return divide(vector, maximum(sqrt(sum(square(vector))), self._epsilon))

    def _iterated(self, matrix: Tensor, right: Tensor, iterations: int) -> tuple[Tensor, Tensor]:
        """Vectors nearer to the left and right singular ones of the largest singular value."""
        for _ in range(iterations):
            left = self._unit(matrix @ right)
            right = self._unit(left @ matrix)
        return left, right

    def _computed(self) -> Tensor:
        matrix, left, right = self._matrix(self.weight), self.left, self.right
        if self.training and not self.has_frozen_statistics:
            with no_grad():
                left, right = self._iterated(matrix, right, self._iterations)
                self.left.copy_(left)
                self.right.copy_(right)
        return divide(self.weight, sum(left * (matrix @ right)))
