"""A look at integers before a program runs that takes the nearest vector where one has none."""

from __future__ import annotations

import numpy as np

from tarazu.base.pytree import map_leaves
from tarazu.nn.module.mode import in_mode
from tarazu.nn.module.module import Module
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.tensor.creation import asarray
from tarazu.train.calling import call
from tarazu.train.sources.arrays import Arrays

Seen = dict[int, tuple[int, int]]  # by the number of an input: the smallest and the largest integer


def require_known_integers(model: Module, inputs: Arrays, seen: Seen) -> None:
    """Call `model` on the rows with the smallest and the largest integer of each input, unless such were `seen`.

    Not compiled, a layer such as Embedding raises OutOfRangeError for an integer that it has nothing for. What is
    called without an error is noted in `seen`.

    >>> import tarazu as tz
    >>> seen = {}
    >>> require_known_integers(tz.nn.Embedding(5, 2), Arrays.of(np.array([[3, 1], [2, 4]])), seen)
    >>> seen
    {0: (1, 4)}
    """
    for number, leaf in enumerate(inputs.leaves):
        if leaf.dtype.kind not in "iu" or not leaf.size:
            continue
        low, high = int(leaf.min()), int(leaf.max())
        if number in seen and seen[number][0] <= low and high <= seen[number][1]:
            continue
        size = leaf.size // len(leaf)
        rows = np.unique([leaf.argmin() // size, leaf.argmax() // size])
        with in_mode(model, training=False), no_grad():
            call(model, map_leaves(asarray, inputs.at(rows).tree))
        before = seen.get(number, (low, high))
        seen[number] = min(low, before[0]), max(high, before[1])
