"""A look at integers before a program runs that takes the nearest vector where one has none."""

from __future__ import annotations

from functools import partial

import numpy as np

from tarazu.base.pytree import map_leaves
from tarazu.nn.module.module import Module
from tarazu.runtime.tensor.creation import asarray
from tarazu.train.calling import call
from tarazu.train.looks import look
from tarazu.train.sources.arrays import Arrays

Seen = dict[int, tuple[int, int]]  # by the number of an input: the smallest and the largest integer


def require_known_integers(model: Module, inputs: Arrays, seen: Seen) -> None:
    """Look at `model` on the rows with the smallest and the largest integer of each input, unless such were `seen`.

    OutOfRangeError for an integer that a layer such as Embedding has nothing for. What is looked at without an error is
    noted in `seen`.

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
        tree = map_leaves(asarray, inputs.at(rows).tree)
        look(model, partial(call, model, tree))
        before = seen.get(number, (low, high))
        seen[number] = min(low, before[0]), max(high, before[1])
