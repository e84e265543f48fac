"""The exercises of the page that compares TensorFlow with Tarazu: translate."""

from __future__ import annotations

import numpy as np

from tarazu.course.forms import mistake
from tarazu.course.wrong import Judge, Wrong
from tarazu.data import Dataset
from tarazu.runtime.tensor.creation import tensor
from tarazu.runtime.tensor.variable import Variable


def masked_sum(answer: object) -> Wrong | None:
    """A function that gives the sum of the squares of the positive elements of each row."""
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    found = np.asarray(answer(tensor([[1.0, -2.0, 3.0], [-1.0, -1.0, -1.0]])))
    if found.shape != (2,):
        return Wrong("shape", expected=(2,), found=found.shape)
    if np.allclose(found, [10, 0]):
        return None
    return mistake(found, {"negatives": [14, 3], "not_squared": [4, 0]}) \
        or Wrong("value", expected=[10, 0], found=found.tolist())


def tape_step(answer: object) -> Wrong | None:
    """A function that moves a variable against the gradient and gives the loss."""
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    w = Variable([2.0])
    loss = answer(w, tensor([1.0, 2.0]), tensor([1.0, 2.0]))
    after = w.item()
    if after == 2:
        return Wrong("unchanged")
    if np.isclose(after, 2.5):
        return Wrong("uphill")
    if not np.isclose(after, 1.5):
        return Wrong("moved", expected=1.5, found=round(after, 4))
    if loss is None or not np.allclose(np.asarray(loss), 2.5):
        return Wrong("loss", expected=2.5, found=loss)
    return None


def batches(answer: object) -> Wrong | None:
    """A function that makes a dataset of full batches, with every number doubled."""
    if not callable(answer):
        return Wrong("not_callable", type=type(answer).__name__)
    found = answer(np.arange(10))
    if not isinstance(found, Dataset):
        return Wrong("no_dataset", type=type(found).__name__)
    rows = [np.asarray(batch).tolist() for batch in found]
    if len(rows) == 3:
        return Wrong("last_batch", found=rows[-1])
    if rows == [[0, 1, 2, 3], [4, 5, 6, 7]]:
        return Wrong("not_doubled")
    expected = [[0, 2, 4, 6], [8, 10, 12, 14]]
    return None if rows == expected else Wrong("value", expected=expected, found=rows)


EXERCISES: dict[str, Judge] = {"1": masked_sum, "2": tape_step, "3": batches}
