"""What `compile` prepares: the optimizer, and the steps of a chunk as one traced function.

Trainer is the base of three kinds, which differ in what a step does: `OutputTrainer` (of_outputs.py) compares outputs
with targets; models with a `compute_loss` or a `train_step` of their own have those of own_steps.py.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tarazu.base.device import CPU
from tarazu.base.errors import ArgumentError, TrainingError
from tarazu.base.pytree import map_leaves
from tarazu.data import Dataset
from tarazu.ir.interpreter import state
from tarazu.nn.module.module import Module
from tarazu.ops.control_flow.loops import while_loop
from tarazu.ops.create import arange, zeros_like
from tarazu.ops.elementwise import astype, isfinite
from tarazu.ops.indexing.index import take
from tarazu.optim.named import find_optimizer
from tarazu.optim.optimizer import Optimizer
from tarazu.optim.regularizers import Regularizers, penalty, require_regularizers
from tarazu.runtime import random
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.compile import runs_native
from tarazu.runtime.device import move, whole
from tarazu.runtime.jit.jit import Jit, jit
from tarazu.runtime.tensor.creation import asarray
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.runtime.trace.attributes import GuardedAttributes
from tarazu.runtime.trace.captures import KEPT
from tarazu.runtime.trace.trace import Trace
from tarazu.train.metrics import MEAN, Metric, Sums
from tarazu.train.placement import Placement
from tarazu.train.sources.arrays import Arrays
from tarazu.train.sources.reading import Reading
from tarazu.train.trainer.outputs import Losses, Output, OutputMetrics, outputs_of
from tarazu.train.trainer.precision import policy
from tarazu.train.trainer.snapshot import Beside, keeping_random_state, snapshot

_COPIED = ("model", "optimizer", "given_loss", "given_metrics", "precision", "regularizer", "split_seed", "loss_scale")

MOST_COPIED = 64 * 2**20  # bytes that optimizers remember, of which `fit` keeps copies to go back to
LARGE_WEIGHT = 2**20  # bytes of a weight from which on steps leave its new values beside it

Values = dict[str, Sums]  # by the names of the history: sums over rows


class Trainer(GuardedAttributes):
    """How one model is trained."""

    is_batch_loss = False  # whether a loss was found to be no mean over rows
    # The first is part of signatures.
    UNGUARDED = frozenset({"placement", "is_batch_loss", "train_chunk", "steps_of_chunks", "_optimizers"})

    def __init__(self, model: Module, optimizer: str | Optimizer | None, loss: Losses, metrics: OutputMetrics = (),
                 precision: str = "float32", regularizer: Regularizers | None = None) -> None:
        self.model = model
        self.optimizer = None if optimizer is None else find_optimizer(optimizer)
        # As they were given, for saved models and copies; metrics may be an iterator, which is read once.
        self.given_loss, self.precision = loss, precision
        self.given_metrics: Any = [*metrics] if isinstance(metrics, Iterable) and not isinstance(
            metrics, str | Mapping) else metrics
        require_regularizers(regularizer)
        self.regularizer = regularizer
        self.split_seed: int | None = None  # kept, so that later fits do not train on rows held out before
        self._prepare_functions()
        self.loss_scale = self.policy.loss_scale()

    def _prepare_functions(self) -> None:
        """Make all that follows from what was given, and what each trainer has for itself."""
        self.outputs: list[Output] = []
        if self.given_loss is not None:
            self.outputs = outputs_of(self.given_loss, self.given_metrics)
        self.policy = policy(self.precision)
        self.placement = Placement(CPU)
        self.on_batch: Callable[[Any], Any] | None = None  # the maps of batches of the dataset that is trained on
        self.train_chunk: Jit = jit(self._train_chunk)
        self.beside: Beside | None = None  # of a run of a large model: where its steps leave new weights
        self.steps_of_chunks: dict[int, int] = {}  # by the size of batches: how many fit into the time of a chunk
        self.input_shape: tuple[int, ...] | None = None  # of a sample of the last fit, for `model.summary`
        self.zero_inputs: Any = None  # of one row, nested and of types as in the last fit; None for own steps
        self.notes: list[str] = []  # of what the next chunk warns, found while it was traced
        self._optimizers: dict[str, Optimizer] | None = None  # those that steps use, since the last `prepare`
        self._zeros: Values = {}  # such sums of no rows
        self._trained: list[Tensor] = []
        self._modules: list[Module] = []
        self._parameters: list[Tensor] = []  # of the model at the last fit, for an optimizer that was made with some

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickles: what was given, and what training changes."""
        return {name: vars(self)[name] for name in _COPIED}

    def __setstate__(self, content: dict[str, Any]) -> None:
        vars(self).update(content)
        self._prepare_functions()

    def of(self, model: Module) -> Trainer:
        """A trainer of `model`, which shares the parameters, with this one's optimizer."""
        twin = copy.copy(self)
        twin.model = model
        return twin

    # What the kinds of trainers differ in

    @property
    def reading(self) -> Reading:
        """How what users pass becomes the arrays of a batch."""
        raise NotImplementedError

    def begin(self, train: Arrays, validation: Arrays | None, batch_size: int) -> None:
        """Let layers that wait for an input see one, check the data, `prepare`, and say what each step records."""
        raise NotImplementedError

    def require_stream_fits(self, batch: Arrays) -> None:
        """ArgumentError for rows of a stream that the model cannot be trained on."""

    def _train_step(self, batch: Any, rows: int) -> tuple[Tensor, Values]:
        """One step on a batch of so many rows; gives the number that must stay finite, and sums over the rows."""
        raise NotImplementedError

    def loss_of(self, batch: Any) -> Tensor | None:
        """The loss of a batch, with its gradients; None for a model that does not say what it is."""
        raise NotImplementedError

    def set_maps(self, dataset: Dataset | None) -> None:
        """Take over the maps of batches of a dataset, which stay the same object as long as they are the same maps."""
        maps = None if dataset is None else dataset.on_batch
        if maps != self.on_batch:
            self.on_batch = maps

    def mapped(self, batch: Any) -> Any:
        """A batch after the maps of the dataset that is trained on."""
        return batch if self.on_batch is None else self.on_batch(batch)

    def first_rows(self, train: Arrays, count: int) -> Any:
        """A batch of the first rows, mapped, as tensors; draws of the global generator are as they were before."""
        with keeping_random_state(), no_grad():
            return self.mapped(map_leaves(asarray, train.at(slice(count)).tree))

    def regularized(self, loss: Tensor) -> Tensor:
        """The loss with the penalty of the weights, where `compile` was told a regularizer."""
        added = penalty(self.regularizer, self.model.named_parameters())
        return loss if added is None else loss + added

    def labels_of(self, arrays: Arrays) -> np.ndarray | None:
        """The classes that parts of the rows get in proportion."""
        return None

    # The steps of a chunk

    def _train_chunk(self, data: Any, order: Tensor | None, first: Tensor, count: Tensor, sums: Values,
                     batch: int) -> tuple[Tensor, Values]:
        """`count` steps of `batch` rows each, from order[first] on; `count` may change without a new trace.

        Gives the last loss, and `sums` with the sums over rows of all that is recorded added, all in float64.
        """
        def step(carry: tuple[Tensor, Tensor, Values]) -> tuple[Tensor, Tensor, Values]:
            i, _, totals = carry
            rows = first + i if order is None else take(order, first + i * batch + arange(batch))
            taken = map_leaves(lambda part: self.placement.batch(take(part, rows)), data)
            loss, values = self._step(self.mapped(taken), batch)
            return i + 1, astype(loss.detach().reshape(()), "float64"), map_leaves(_added, totals, values)

        start = zeros_like(count), asarray(np.zeros(())), sums
        if state.interpreter.notes_lines:  # debug_nans looks at single operations; to it a loop is one
            return step(start)[1:]
        with no_grad():  # for what goes round the loop: inside it gradients are recorded all the same
            return while_loop(lambda carry: carry[0] < count, step, start)[1:]

    def _step(self, batch: Any, rows: int) -> tuple[Tensor, Values]:
        """A step, which leaves the new values of large weights beside these, and none where a number is not finite."""
        if self.beside is None:
            return self._train_step(batch, rows)
        before = snapshot([x for x, _ in self.beside.pairs])
        loss, values = self._train_step(batch, rows)
        watched = [astype(asarray(x).detach().reshape(()), "float64") for x in [loss, *watched_of(values)]]
        self.beside.take(before, isfinite(sum(watched[1:], watched[0])))
        return loss, values

    def zero_sums(self) -> Values:
        """What the sums of an epoch start from."""
        return self._zeros

    def record(self, example: Values) -> None:
        """Say what each step gives sums of: `example` has sums of the same names and shapes."""
        self._zeros = map_leaves(lambda x: asarray(np.zeros(getattr(x, "shape", ()))), example)

    @property
    def metrics(self) -> dict[str, Metric]:
        """What is more than a mean, by its name in the history."""
        return {}

    def results(self, sums: Values) -> dict[str, float]:
        """The numbers that sums over rows stand for, by their names in the history."""
        metrics = self.metrics
        numbers: dict[str, float] = {}
        for name, each in sums.items():
            numbers |= named_results(name, metrics.get(name, MEAN).result(map_leaves(np.asarray, each)))
        return numbers

    # What is trained

    def optimizers(self) -> dict[str, Optimizer]:
        """Those that steps use, by their names: "" is that of `compile`."""
        if self._optimizers is None:
            own = self.model.own_optimizers()
            self._optimizers = own if self.optimizer is None else {"": self.optimizer, **own}
        return self._optimizers

    def begin_optimizers(self, steps: int | None) -> Callable[[], None]:
        """Tell the optimizers of how many steps an epoch is; gives what undoes that."""
        undo = [optimizer.begin(steps) for optimizer in self.optimizers().values()]

        def undo_all() -> None:
            for each in undo:
                each()

        return undo_all

    @contextlib.contextmanager
    def evaluating(self) -> Iterator[None]:
        """A block in which parameters have the weights that optimizers keep for evaluation, such as running means."""
        with contextlib.ExitStack() as stack:
            for optimizer in self.optimizers().values():
                stack.enter_context(optimizer.evaluating())
            yield

    def use_evaluation_weights(self) -> None:
        """Let the parameters have these weights from now on."""
        for optimizer in self.optimizers().values():
            optimizer.use_evaluation_weights()

    def use_training_weights(self) -> None:
        """Let the parameters have the weights that training goes on from."""
        for optimizer in self.optimizers().values():
            optimizer.use_training_weights()

    def rates(self) -> dict[str, float]:
        """The learning rates of the next step, by their names in the history."""
        return {f"{name}_learning_rate" if name else "learning_rate": float(optimizer.lr)
                for name, optimizer in self.optimizers().items()}

    def choose_split_seed(self, saved: int | None) -> int:
        """The seed by which rows are held out: the `saved` one of a checkpoint, else that of earlier fits."""
        if saved is not None:
            return saved
        if self.split_seed is None:
            self.split_seed = int(random.randint(2**31))
        return self.split_seed

    def drop_gradients(self) -> None:
        """Set `.grad` of all that is trained to None."""
        for x in self._trained:
            x.grad = None

    def prepare(self) -> None:
        """Take in what the model has become since the last fit: its layers, and its parameters for the optimizer."""
        modules, wanted, self._optimizers = modules_of(self.model), self.model.parameters(), None
        if not any(x.requires_grad for x in wanted):
            raise TrainingError(f"a model without anything to train: {len(wanted)} parameters, all of them frozen",
                                expected="at least one parameter with requires_grad=True",
                                fix="add a layer with weights, or thaw them: model.freeze(False)")
        if not same_objects(modules, self._modules):
            self._modules, self.train_chunk = modules, jit(self._train_chunk)
        if self.optimizer is not None:
            self._prepare_optimizer(self.optimizer, wanted)
        self._trained = [*wanted, *self.optimized()]

    def _prepare_optimizer(self, optimizer: Optimizer, wanted: list[Tensor]) -> None:
        """Let the optimizer have the model's parameters, or, where it was made with some, check that they fit."""
        if not optimizer.was_given_parameters:
            if not same_objects(wanted, optimizer.parameters):
                optimizer.attach(self.model.named_parameters())
            return
        given, before, now = [{*map(id, x)} for x in (optimizer.parameters, self._parameters, wanted)]
        if not now & given:
            raise ArgumentError("an optimizer that was made with parameters of another model",
                                expected="parameters of this model, or none",
                                fix='leave them out: model.compile(optimizer=tz.optim.Adam(lr=0.001), ...)')
        if before and before <= given and not now <= given:
            new = [path for path, x in self.model.named_parameters() if id(x) not in given]
            raise ArgumentError(f"an optimizer without {', '.join(new)}, which came into the model after the last fit",
                                expected="an optimizer of all parameters, as before",
                                fix="call optimizer.attach(model.parameters()), whose state then starts anew")
        self._parameters = wanted

    def optimized(self) -> list[Tensor]:
        """The parameters of all optimizers."""
        return [x for optimizer in self.optimizers().values() for x in optimizer.parameters]

    def move_to_parameters(self) -> None:
        """Put all that is kept for the parameters where they are, after the model was moved."""
        self._optimizers = None
        for optimizer in self.optimizers().values():
            optimizer.move_to_parameters()
        parameters = self.optimized()
        for x in self.loss_scale.state():
            move(x, whole(parameters[0].device if parameters else CPU))

    def state(self) -> list[Tensor]:
        """All tensors that a step changes."""
        return [*self.weights(), *self.loss_scale.state()]

    def named_optimizer_state(self) -> list[tuple[str, Tensor]]:
        """The tensors of all optimizers, by names."""
        return [(f"{name}.{key}" if name else key, x) for name, optimizer in self.optimizers().items()
                for key, x in optimizer.named_state()]

    def is_large(self) -> bool:
        """Whether its optimizers remember so much that `fit` has no copy of it, where steps renew it in place."""
        size = sum(x.raw.nbytes for _, x in self.named_optimizer_state()) if self.placement.is_plain else 0
        return size > MOST_COPIED and runs_native()

    def keep_room_beside_weights(self, is_kept: bool) -> None:
        """Have room beside large weights for what they become in a step, or have none."""
        large = [x for x in self.optimized() if x.requires_grad and x.raw.nbytes >= LARGE_WEIGHT] if is_kept else []
        if not large:
            self.beside = None
        elif self.beside is None or not self.beside.are_of(large):
            self.beside = Beside(large)

    def free_room_beside_weights(self) -> None:
        """Give back the memory of that room, which the next run has again."""
        if self.beside is not None:
            self.beside.clear()

    def changes(self) -> list[Tensor]:
        """All tensors that a step is known to change."""
        room = set() if self.beside is None else {id(x) for _, x in self.beside.pairs}
        every = [*self.state(), *[x for x in self.train_chunk.changes if id(x) not in room]]
        return list({id(x): x for x in every}.values())

    def weights(self) -> list[Tensor]:
        """The tensors of model and optimizers."""
        return [x for _, x in [*self.model.named_tensors(), *self.named_optimizer_state()]]


def _added(total: Tensor, value: Tensor | int) -> Tensor:
    return total + (astype(value, "float64") if isinstance(value, Tensor) else value)


def watched_of(values: Values) -> list[Any]:
    """What of all sums has to be finite: that of the losses, or, of steps that record none, each."""
    watched = [values["loss"]] if "loss" in values else values.values()
    return [each["total"] for each in watched]


def named_results(name: str, result: Any) -> dict[str, float]:
    """A number under its name, or several by the names that they have behind it."""
    if isinstance(result, dict):
        return {f"{name}_{key}": float(value) for key, value in result.items()}
    return {name: float(result)}


def drop_new_gradients() -> None:
    """In a trace: set every gradient that it has made to None, so that gradients are no outputs of the program."""
    assert isinstance(state.interpreter, Trace)
    for change in state.interpreter.changes():
        if change.grad is not KEPT:
            change.handle.grad = None


def modules_of(model: Module) -> list[Module]:
    """The model and all modules below it."""
    return [module for _, module in model.named_modules()]


def tensors_of(model: Module) -> list[Tensor]:
    """The weights of the model and all other tensors of its state."""
    return [x for _, x in model.named_tensors()]


def same_objects(first: Sequence[Any], second: Sequence[Any]) -> bool:
    """Whether two sequences hold the same objects in the same order."""
    return list(map(id, first)) == list(map(id, second))
