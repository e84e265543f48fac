"""The use of a model in evaluation mode: predictions in batches, and the loss and metrics of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from tarazu.base.checks import positive_int
from tarazu.base.errors import TrainingError
from tarazu.base.pytree import flatten, map_leaves
from tarazu.data import Dataset
from tarazu.ir.interpreter import state
from tarazu.nn.module.module import Module
from tarazu.nn.module.trainable import Batches, Inputs
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.jit.jit import Jit, jit
from tarazu.runtime.jit.repeated import RepeatedCall, repeated
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.train.calling import call, outputs_and_masks, require_inputs_fit, takes_several
from tarazu.train.extremes import Seen, require_known_integers
from tarazu.train.inventory import Inventory
from tarazu.train.looks import look
from tarazu.train.metrics import valid_steps
from tarazu.train.padding import can_pad, padded, padded_size
from tarazu.train.placement import Placement, placement_by
from tarazu.train.sources.arrays import Arrays, joined
from tarazu.train.sources.datasets import batches_of as batches_of_dataset
from tarazu.train.sources.datasets import require_no_targets
from tarazu.train.sources.reading import Reading
from tarazu.train.sources.stream import arrays_of, inputs_of, is_stream
from tarazu.train.trainer.compile import trainer_of
from tarazu.train.trainer.of_outputs import OutputTrainer
from tarazu.train.trainer.own_steps import OwnLossTrainer, OwnStepTrainer
from tarazu.train.trainer.precision import FULL, FullPrecision
from tarazu.train.trainer.trainer import Trainer, Values, named_results, same_objects

PREDICTED_ROWS = 1024  # in a batch of predictions, unless the caller says otherwise
FEW_ROWS, FEW_NUMBERS = 8, 2**16  # of rows: so many are not padded; of numbers in them
MOST_SHAPES = 32  # of inputs of few rows for which calls are held
MOST_BYTES = 16 * 2**20  # of predictions that losses and metrics are computed of at once
PIECES = 4  # in so many parts of that they are cut where there are more: a loss needs several arrays of their size
MOST_WHOLE_BYTES = 256 * 2**20  # of predictions of which exact metrics are computed

Predicted = tuple[Arrays, Arrays]  # outputs with their masks, and the rows that they are for


def predict(model: Module, x: Inputs | Batches, *, batch_size: int = PREDICTED_ROWS) -> Any:
    """The outputs for `x`, (rows, ...), in evaluation mode, computed in batches; also `model.predict(x)`.

    `x` is one array, or several in a tuple, list or dict where `forward` takes several. In place of rows `x` may be
    batches (x, y), as for `fit`, or an iterator of x alone; targets do not matter. The result is a tensor, or what
    holds several where the model gives several. ShapeError, DTypeError or ArgumentError for rows that are no finite
    numbers of one shape, or other inputs than the model's.

    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(3)])
    >>> tz.train.predict(model, [[1.0, 2.0]]).shape
    (1, 3)
    """
    size = positive_int("batch_size", batch_size)
    at_once = _predicted_at_once(model, x) if type(x) is np.ndarray and len(x) <= FEW_ROWS <= size else None
    if at_once is not None:
        return at_once
    reading = Reading(takes_several(model), False, False)
    if isinstance(x, Dataset):
        x = batches_of_dataset(x, size)
    is_rows = not is_stream(x, None) or _is_list_of_lists(x)
    parts = [reading.inputs(x)] if is_rows else inputs_of(x, reading)  # type: ignore[arg-type]
    return map_leaves(asarray, joined([made for part in parts for made in predictions(model, part, size)]).tree)


def _predicted_at_once(model: Module, x: np.ndarray) -> Tensor | None:
    """The only output for few rows of a model that has predicted before, by the shortest way; None where that is not
    all there is to do."""
    known: _Predictor | None = model._predictor
    if known is None or x.dtype != np.float32 or not _is_usable(known, model):
        return None
    again = known.again.get(x.shape)
    if again is not None and not again.has_guards and (arrays := again.arrays()) is not None and _is_finite(x):
        return Tensor(again(x, arrays))
    if (x.ndim < 2 or x.size > FEW_NUMBERS or not _is_finite(x)
            or not placement_by(known.inventory.first_tensor).is_plain):
        return None
    with known.inventory.in_evaluation_mode(), no_grad():
        if again is not None and (arrays := again.arrays()) is not None:
            return Tensor(again(x, arrays))
        output = known.compiled(Tensor(x))[0]
        if not isinstance(output, Tensor):
            return None
        known.repeat(x)
        return output


def _is_finite(x: np.ndarray) -> bool:
    """Whether all numbers are; quicker where the sum of their squares is."""
    return math.isfinite(np.vdot(x, x)) or bool(np.isfinite(x).all())


def _is_list_of_lists(x: object) -> bool:
    """Whether it is one, which then are rows: of two arrays, too."""
    return isinstance(x, list) and isinstance(x[0], list)


def predictions(model: Module, inputs: Arrays, batch_size: int = PREDICTED_ROWS) -> Iterator[Arrays]:
    """The outputs for `inputs`, which were checked before, one batch after the other."""
    return (Arrays.of(made.tree[0]) for made in with_masks(model, inputs, batch_size))


def with_masks(model: Module, inputs: Arrays, batch_size: int = PREDICTED_ROWS) -> Iterator[Arrays]:
    """Pairs of the outputs and their masks, nested likewise, None where an output has none."""
    predictor = _predictor_of(model, inputs)
    require_known_integers(model, inputs, predictor.seen)
    placement = placement_by(predictor.inventory.first_tensor)
    return batches_of(lambda tree: call(predictor.compiled, tree), placement, predictor.inventory, inputs, batch_size)


def batches_of(forward: Callable[[Any], Any], placement: Placement, inventory: Inventory, inputs: Arrays,
               batch_size: int) -> Iterator[Arrays]:
    """What `forward`, which calls the model of the inventory, gives for each batch of the inputs in evaluation mode."""
    def outputs_for(first: int) -> Arrays:
        count = min(batch_size, inputs.rows - first)
        size = padded_size(count, batch_size)
        if size > count and not can_pad(inventory.modules, inputs.leaves, placement):
            size = count
        before = min(first, size - count)  # rows of the last batch, which are here already, rather than copies
        rows = inputs.at(slice(first - before, first + count))
        with inventory.in_evaluation_mode(), no_grad():
            output = forward(map_leaves(lambda leaf: placement.inputs(padded(leaf, size)), rows.tree))
        leaves, structure = flatten(output)
        made = Arrays([leaf.numpy() for leaf in leaves], structure)
        return made.at(slice(before, before + count)) if size > count else made

    return map(outputs_for, range(0, inputs.rows, batch_size))  # no name holds a batch while the next one is computed


def pieces(parts: Iterable[Predicted]) -> Iterator[Predicted]:
    """Predictions that come batch by batch, with their rows: all at once where they take at most MOST_BYTES.

    Batches that are padded to other lengths come apart.
    """
    gathered: list[Predicted] = []
    size = 0
    for part in parts:
        if gathered and (size + part[0].nbytes > MOST_BYTES or _kinds(part) != _kinds(gathered[-1])):
            yield from _cut(gathered)
            size = 0
        gathered.append(part)
        size += part[0].nbytes
        del part
        if size > MOST_BYTES:
            yield from _cut(gathered)
            size = 0
    if gathered:
        yield from _cut(gathered)


def _kinds(part: Predicted) -> list[tuple]:
    return [one.row_type for one in part]


def _cut(parts: list[Predicted]) -> Iterator[Predicted]:
    """Predictions and their rows; in pieces where they take more than MOST_BYTES."""
    whole, batch = (joined(some) for some in zip(*parts, strict=True))
    parts.clear()
    if whole.nbytes <= MOST_BYTES:
        yield whole, batch
        return
    rows = max(1, MOST_BYTES // PIECES * whole.rows // whole.nbytes)
    yield from zip(whole.batches(rows), batch.batches(rows), strict=True)


def predicted(batches: Iterable[Arrays], part: Arrays) -> Iterator[Predicted]:
    """Predictions for a part, batch by batch, with the rows that they are for; of inputs there are none in these."""
    first, part = 0, part.without_inputs()
    for batch in batches:
        yield batch, part.at(slice(first, first + batch.rows))
        first += batch.rows
        del batch


class _Predictor(NamedTuple):
    """A model compiled for prediction, for the modules that it had and the precision that it was in."""

    policy: FullPrecision
    inventory: Inventory
    compiled: Jit
    seen: Seen  # the integers that it was called with
    again: dict[tuple[int, ...], RepeatedCall]  # for few rows, by the shape of the input

    def repeat(self, x: np.ndarray) -> None:
        """Let further calls with such an input take the shortest way."""
        call = None if state.interpreter.is_tracing else repeated(self.compiled.match((Tensor(x),), {}))
        if len(self.again) == MOST_SHAPES:
            self.again.clear()
        if call is not None:
            self.again[x.shape] = call


def _policy_of(model: Module) -> FullPrecision:
    return FULL if model._trainer is None else model._trainer.policy


def _is_usable(known: _Predictor, model: Module) -> bool:
    return known.policy is _policy_of(model) and known.inventory.is_current()


def _predictor_of(model: Module, inputs: Arrays) -> _Predictor:
    """The compiled model, made anew when the model has other layers, or another precision, than before."""
    known: _Predictor | None = model._predictor
    if known is not None and _is_usable(known, model):
        return known
    used = _policy_of(model)
    inventory = Inventory(model)
    if known is None or known.policy is not used or not same_objects(inventory.modules, known.inventory.modules):
        require_inputs_fit(model, inputs.tree)
        first = map_leaves(asarray, inputs.at(slice(1)).tree)
        look(model, lambda: _require_rows(model, call(model, first)))  # layers may have to see an input
        forward = used.compilable(model)

        def outputs_with_masks(*tensors: Tensor, **named: Tensor) -> tuple[Any, Any]:
            return outputs_and_masks(lambda: forward(*tensors, **named))

        known = _Predictor(used, inventory, jit(outputs_with_masks), {}, {})
    known = known._replace(inventory=Inventory(model))  # which may be built only now
    vars(model)["_predictor"] = known  # not as an attribute: that would be a change
    return known


def _require_rows(model: Module, output: Any) -> None:
    """TrainingError unless the output of a model for one row is a tensor, or tensors, with a row each."""
    leaves, _ = flatten(output)
    if not leaves or not all(isinstance(leaf, Tensor) and leaf.shape[:1] == (1,) for leaf in leaves):
        given = [f"a tensor of shape {leaf.shape}" if isinstance(leaf, Tensor) else repr(leaf) for leaf in leaves]
        raise TrainingError(f"{type(model).__name__} gives {', '.join(given) or output} as output for one row",
                            expected="a tensor with a row for each sample, or several in a tuple, list or dict",
                            fix="return the output from forward" if output is None else "keep the first axis")


def batch_for(trainer: Trainer, batch_size: int) -> int:
    """How many rows are evaluated at once after an epoch: fewer where outputs are large, or are a model's own doing."""
    is_small = isinstance(trainer, OutputTrainer) and PREDICTED_ROWS * trainer.output_size <= MOST_BYTES
    return PREDICTED_ROWS if is_small else batch_size


def evaluate(model: Module, x: Inputs | Batches, y: Inputs | None = None, *, sample_weight: Inputs | None = None,
             batch_size: int = PREDICTED_ROWS) -> dict[str, float]:
    """The loss and the metrics on `x` and `y`, which have equally many rows, by name; also `model.evaluate(x, y)`.

    In place of rows `x` may be batches (x, y), as for `fit`. Losses are weighted with `sample_weight`, metrics are not.
    A model with a `compute_loss` of its own is evaluated by that, and `batch_size` rows at once. TrainingError for a
    model that is not compiled; ShapeError, DTypeError or ArgumentError for unfit rows.

    >>> import tarazu as tz
    >>> model = tz.nn.Sequential([tz.nn.Dense(1, kernel_initializer="zeros")]).compile(loss="mse", metrics=["mae"])
    >>> tz.train.evaluate(model, [[1.0], [2.0]], [2.0, 4.0])
    {'loss': 10.0, 'mae': 3.0}
    """
    trainer, size = trainer_of(model), positive_int("batch_size", batch_size)
    if isinstance(x, Dataset):
        require_no_targets(y)
        x = batches_of_dataset(x, size)
    if is_stream(x, y):
        return scores(trainer, arrays_of(iter(x), trainer.reading), size, is_checked=False)
    return scores(trainer, [trainer.reading.rows(x, y, sample_weight)], size, is_checked=False)


def scores(trainer: Trainer, parts: Iterable[Arrays], batch_size: int, *, is_checked: bool = True) -> dict[str, float]:
    """The loss and all else that is recorded, of rows in one or several parts, by name.

    Without `is_checked` class numbers are compared with the number of outputs before.
    """
    if isinstance(trainer, OwnLossTrainer):
        return _own_scores(trainer, parts, batch_size)
    assert isinstance(trainer, OutputTrainer)
    made = (piece for part in parts
            for piece in predicted(with_masks(trainer.model, Arrays.of(part.x), batch_size), part))
    return scores_of_predictions(trainer, made, is_checked=is_checked)


def scores_of_predictions(trainer: OutputTrainer, made: Iterable[Predicted], *,
                          is_checked: bool = True) -> dict[str, float]:
    """The same from outputs with their masks, and the rows that they are for."""
    total: Values = {}
    whole = _WholePredictions(trainer)
    for prediction, part in pieces(made):
        if not is_checked and not total:
            trainer.require_outputs(map_leaves(asarray, prediction.at(slice(1)).tree[0]), part)
        with no_grad():
            outputs, masks = map_leaves(asarray, prediction.tree)
            values = trainer.scores_of(outputs, masks, map_leaves(asarray, part.tree), part.rows)
        total = _added(total, values)
        whole.add(prediction, part)
    return trainer.results(total) | whole.results()


def _own_scores(trainer: OwnLossTrainer, parts: Iterable[Arrays], batch_size: int) -> dict[str, float]:
    if isinstance(trainer, OwnStepTrainer):
        trainer.require_loss("evaluation")
    total: Values = {}
    for part in parts:
        for batch in part.batches(batch_size):
            total = _added(total, trainer.sums_of(batch))
    return trainer.results(total)


def _added(total: Values, values: Values) -> Values:
    exact = map_leaves(lambda x: np.asarray(x, np.float64), values)
    return map_leaves(np.add, total, exact) if total else exact


class _WholePredictions:
    """Gathers predictions for metrics that are exact where all rows are in memory."""

    def __init__(self, trainer: OutputTrainer) -> None:
        self._outputs = [output for output in trainer.outputs
                         if any(metric.whole is not None for metric in output.metrics.values())]
        self._parts: list[Predicted] = []
        self._bytes = 0

    def add(self, prediction: Arrays, part: Arrays) -> None:
        """Keep them, as long as they take little memory."""
        if self._outputs and self._bytes <= MOST_WHOLE_BYTES:
            self._parts.append((prediction, Arrays.of(part.y)))  # inputs may be padded to several lengths
            self._bytes += prediction.nbytes

    def results(self) -> dict[str, float]:
        """The exact values of such metrics; none where the predictions are too many."""
        if not self._parts or self._bytes > MOST_WHOLE_BYTES:
            return {}
        if any(_kinds(part) != _kinds(self._parts[0]) for part in self._parts):
            return {}
        (prediction, masks), target = (joined(some).tree for some in zip(*self._parts, strict=True))
        numbers: dict[str, float] = {}
        for output in self._outputs:
            for name, metric in output.metrics.items():
                if metric.whole is not None:
                    given = output.of(prediction), output.of(target)
                    mask = output.of(masks) if metric.counts_steps else None
                    exact = metric.whole(*(given if mask is None else valid_steps(*given, mask)))
                    numbers |= named_results(name, exact)
        return numbers
