"""The base of the estimators that learn: their networks, and how these are trained."""

from __future__ import annotations

import contextlib
import copy
import inspect
import threading
from collections.abc import Callable, Iterator
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.validation import check_is_fitted

from tarazu.base.errors import ArgumentError
from tarazu.nn import Module, Sequential
from tarazu.nn.module.mode import in_mode
from tarazu.optim.named import optimizer_class
from tarazu.optim.optimizer import Optimizer
from tarazu.record import Verdict
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.random.generator import Generator, drawing_from
from tarazu.runtime.tensor.creation import zeros
from tarazu.sklearn.inputs import Encoder, Rows, features, fit_encoder, read_rows
from tarazu.sklearn.model_files import from_files, to_files
from tarazu.sklearn.parameters import SEEDS, require_parameters, rows_of_a_batch
from tarazu.sklearn.targets import Targets, require_same_classes
from tarazu.sklearn.weights import Training, checked_weights, merged, training
from tarazu.tabular.network import dense_layers, embedding_layers
from tarazu.tabular.options import layer_sizes
from tarazu.train.callbacks.early_stopping import EarlyStopping
from tarazu.train.evaluate import predict
from tarazu.train.loop import fit
from tarazu.train.trainer.compile import compile

Build: TypeAlias = Callable[[int, int], Module]  # of the numbers of inputs and outputs

_of_thread = threading.local()


class NetworkEstimator(BaseEstimator):
    """A network behind scikit-learn's interface; what is learned has a name that ends in an underscore.

    `network_` is the model, `encoder_` makes its features of X, `history_` has a row for each epoch, and `verdict_`
    says whether it underfits or overfits.
    """

    # The parameters, which subclasses take
    hidden: Any
    activation: str
    dropout: float
    build: Build | None
    epochs: int
    batch_size: int | str
    learning_rate: float
    optimizer: str | Optimizer
    weight_decay: float
    early_stopping: bool
    validation_fraction: float
    n_iter_no_change: int
    kinds: Any
    warm_start: bool
    random_state: Any
    verbose: int

    # What training sets
    network_: Sequential
    encoder_: Encoder
    targets_: Targets

    # What classifiers and regressors differ in

    def _read_targets(self, y: Any) -> np.ndarray:
        """The targets as an array; a ValueError for what is none."""
        raise NotImplementedError

    def _find_targets(self, y: np.ndarray, weight: np.ndarray, classes: Any) -> Targets:
        """What the targets are, by the rows of a first fit."""
        raise NotImplementedError

    def _row_weights(self, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """The weights of rows with those of their classes."""
        return weight

    # Training

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:  # noqa: N803
        """Train a network on the rows of X, (rows, columns), and their targets y; gives the estimator.

        With `warm_start` the network of the last fit is trained on. Rows of weight 0 are left out. Raises ValueError,
        of which ArgumentError, ShapeError and DataError are kinds, for data and parameters that cannot be used.
        """
        require_parameters(self)
        is_new = not (self.warm_start and hasattr(self, "network_"))
        with self._drawing(is_new):
            rows, targets, weight = self._read(X, y, sample_weight, is_new)
            if is_new:
                self._begin(rows, targets, weight)
            self._train(rows, targets, weight, self.epochs, self.early_stopping)
        return self

    def partial_fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:  # noqa: N803
        """Train on the rows for one epoch more; the first call decides on classes, means and scales for all."""
        return self._partial_fit(X, y, sample_weight)

    def _partial_fit(self, x: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None, classes: Any = None) -> Self:
        require_parameters(self)
        is_new = not hasattr(self, "network_")
        if not is_new and classes is not None:
            require_same_classes(self.targets_, classes)
        with self._drawing(is_new):
            rows, targets, weight = self._read(x, y, sample_weight, is_new)
            if is_new:
                self._begin(rows, targets, weight, classes)
            self._train(rows, targets, weight, 1, early_stopping=False)
        return self

    def _read(self, x: Any, y: Any, sample_weight: Any, is_new: bool) -> tuple[Rows, np.ndarray, np.ndarray]:
        """The rows that count, their targets and their weights."""
        if y is None:
            raise ArgumentError(f"requires y to be passed, but the target y is None in fit of {type(self).__name__}",
                                expected="a target for each row", fix="pass y")
        rows = read_rows(self, x, None if is_new else self.encoder_, self.kinds)
        targets = self._read_targets(y)
        check_consistent_length(rows, targets)
        weight = checked_weights(sample_weight, len(targets))
        counting = np.flatnonzero(weight)
        if len(counting) < len(weight):
            rows = rows[counting] if isinstance(rows, np.ndarray) else rows.take(counting)
            targets, weight = targets[counting], weight[counting]
        return rows, targets, self._row_weights(targets, weight)

    def _begin(self, rows: Rows, targets: np.ndarray, weight: np.ndarray, classes: Any = None) -> None:
        """Learn what the rows look like, and make a network for them."""
        self.targets_ = self._find_targets(targets, weight, classes)
        self.encoder_ = fit_encoder(rows, self.kinds, weight)
        self.network_ = self._made()
        if self.build is not None:
            self._require_outputs()
        compile(self.network_, self._made_optimizer(), self.targets_.loss, self.targets_.metrics)

    def _made(self) -> Sequential:
        encoder, outputs = self.encoder_, self.targets_.outputs
        embedding = embedding_layers(encoder.num_dense, encoder.embeddings)
        if self.build is None:
            body = dense_layers(layer_sizes(self.hidden), self.dropout, outputs, self.activation)
        else:
            body = [_built(self.build, encoder.num_dense + sum(size for _, size in encoder.embeddings), outputs)]
        return Sequential([*embedding, *body, *self.targets_.head()])

    def _require_outputs(self) -> None:
        """ArgumentError where what `build` gave has another number of outputs than it was asked for."""
        body = Sequential(self.network_[:len(self.network_) - len(self.targets_.head())])
        with in_mode(body, training=False), no_grad():
            given = body(zeros((1, self.encoder_.num_dense + len(self.encoder_.embeddings))))
        wanted, shape = (1, self.targets_.outputs), getattr(given, "shape", given)
        if shape != wanted:
            del self.network_
            raise ArgumentError(f"build gives a model whose output for one row has shape {shape}",
                                expected=f"shape {wanted}", fix="let its last layer have as many outputs as the second "
                                "argument says: tz.nn.Dense(outputs)")

    def _made_optimizer(self) -> Optimizer:
        if isinstance(self.optimizer, Optimizer):
            return copy.deepcopy(self.optimizer)
        decay = {"weight_decay": self.weight_decay} if self.weight_decay else {}
        return optimizer_class(self.optimizer)(lr=self.learning_rate, **decay)

    def _train(self, rows: Rows, targets: np.ndarray, weight: np.ndarray, epochs: int, early_stopping: bool) -> None:
        given = self._training(rows, targets, weight, early_stopping)
        size = rows_of_a_batch(self.batch_size, len(given.x))
        self.history_ = fit(self.network_, given.x, given.targets, epochs=epochs, batch_size=size,
                            shuffle=size < len(given.x), sample_weight=given.weight, verbose=self.verbose,
                            validation_split=self.validation_fraction if early_stopping else 0.0,
                            callbacks=[EarlyStopping(patience=self.n_iter_no_change)] if early_stopping else [])
        self.n_iter_ = len(self.history_)

    def _training(self, rows: Rows, targets: np.ndarray, weight: np.ndarray, early_stopping: bool) -> Training:
        x, y = features(self.encoder_, rows), self.targets_.encode(targets)
        is_one_batch = rows_of_a_batch(self.batch_size, len(x)) == len(x)
        # Layers of users may look at the rows of a batch together, as batch norm does.
        can_merge = is_one_batch and not early_stopping and self.build is None
        return (merged if can_merge else training)(x, y, weight)

    @contextlib.contextmanager
    def _drawing(self, is_new: bool) -> Iterator[None]:
        """A block that draws from a generator that `random_state` seeds: the global one stays as it is."""
        generator = _of_thread.__dict__.setdefault("generator", Generator())  # one, as programs are traced for each
        if is_new or not isinstance(self.random_state, int | np.integer):
            self._seeds = check_random_state(self.random_state)
        generator.seed(int(self._seeds.randint(SEEDS)))
        with drawing_from(generator):
            yield

    # What was learned

    @property
    def verdict_(self) -> Verdict | None:
        """Whether the network underfits or overfits, on what evidence, and what would help; measured when asked for."""
        check_is_fitted(self)
        return self.history_.verdict

    def _outputs(self, x: Any) -> Any:
        """The outputs of the network for the rows of X."""
        return predict(self.network_, self._features(x))

    def _features(self, x: Any) -> np.ndarray:
        check_is_fitted(self)
        return features(self.encoder_, read_rows(self, x, self.encoder_))

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "network_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = tags.input_tags.allow_nan = True
        tags.target_tags.multi_output = True
        return tags

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        return state | {"network_": to_files(self.network_)} if "network_" in state else state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "network_" in state:
            state = state | {"network_": from_files(state["network_"])}
        super().__setstate__(state)


def _built(build: Any, inputs: int, outputs: int) -> Any:
    """What `build` makes; ArgumentError where it is no function of two numbers, as a model or a layer is none."""
    takes_both = callable(build) and not isinstance(build, Module)
    if takes_both:
        try:
            inspect.signature(build).bind(inputs, outputs)
        except TypeError:
            takes_both = False
    if not takes_both:
        raise ArgumentError(f"build={build!r}", expected="a function of the numbers of inputs and outputs",
                            fix="write for example def build(inputs, outputs): return tz.nn.Sequential(..., "
                                "tz.nn.Dense(outputs))")
    return build(inputs, outputs)
