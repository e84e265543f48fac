"""Runs chunks of steps; where a loss was not finite it finds the step by running the chunk again, step by step."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from tarazu.runtime.interrupts import interrupts_at_the_end
from tarazu.runtime.tensor.tensor import Tensor
from tarazu.train.sources.arrays import Arrays, joined
from tarazu.train.sources.chunk import Chunk
from tarazu.train.sources.stream import Stream
from tarazu.train.trainer.divergence import abort
from tarazu.train.trainer.position import checksum
from tarazu.train.trainer.run import CompletedChunk, Run
from tarazu.train.trainer.snapshot import Snapshot, restore, snapshot
from tarazu.train.trainer.trainer import Values, watched_of


def run_chunk(run: Run, chunk: Chunk) -> bool:
    """Train on a chunk. False when a loss was not finite: the run is then given up and the good weights are back."""
    if not run.is_large:
        return _run_chunk(run, chunk)
    for i in range(chunk.steps):
        compile_for(run, chunk)  # which Ctrl-C may break off
        with interrupts_at_the_end():
            if not _run_chunk(run, chunk.step(i)):
                return False
    return True


def _run_chunk(run: Run, chunk: Chunk) -> bool:
    before = run.before()
    traces, start = run.trainer.train_chunk.traces, time.perf_counter()
    try:
        loss, sums = train_on(run, chunk, run.sums)
        run.loss = float(loss)
        is_finite = math.isfinite(run.loss) and _are_finite(sums)
    except KeyboardInterrupt:
        restore(before)  # an update that was cut short must leave nothing half done
        raise
    if not is_finite:
        _abort_at_failed_step(run, chunk, before, sums)
        return False
    if chunk.batch == run.batch_size and run.trainer.train_chunk.traces == traces:
        run.source.pace.note(chunk.steps, time.perf_counter() - start)
        run.trainer.steps_of_chunks[chunk.batch] = run.source.pace.steps
    if not run.step and isinstance(run.source, Stream):
        run.first_batch = checksum(chunk)
    if run.trainer.beside:
        run.trainer.beside.exchange()
    run.sums, run.step, run.rows = sums, run.step + chunk.steps, run.rows + chunk.steps * chunk.batch
    run.total_steps += chunk.steps
    run.last = CompletedChunk(chunk, before, run.step)
    run.start = []  # a run that has had a chunk goes back to what was before that: large models keep one state less
    return True


def train_on(run: Run, chunk: Chunk, sums: Values) -> tuple[Tensor, Values]:
    """The last loss of the chunk, and the sums over rows of loss and metrics, added to those given."""
    run.trainer.drop_gradients()  # of callbacks: the program neither reads nor leaves any
    return run.trainer.train_chunk(*_arguments(chunk, sums))


def compile_for(run: Run, chunk: Chunk) -> None:
    """Trace and compile the program for such chunks, if it is new."""
    run.trainer.drop_gradients()
    run.trainer.train_chunk.match(_arguments(chunk, run.trainer.zero_sums()), {})


def _arguments(chunk: Chunk, sums: Values) -> tuple[Any, ...]:
    data, order, first, steps, batch = chunk
    return data, order, np.array(first), np.array(steps), sums, batch


def _are_finite(sums: Values) -> bool:
    """Whether the loss of each step was finite: its sum is, or, of steps that record none, all numbers' sums are."""
    return all(math.isfinite(float(total)) for total in watched_of(sums))


def require_finite_weights(run: Run) -> bool:
    """End the run, and give False, where the epoch's last update made a weight infinite or NaN, or was not possible."""
    what = failed_update(run)
    if not what:
        return True
    assert run.last is not None  # an epoch that ended has had a chunk
    abort(run, what, _last_good(run), run.last.chunk.last().arrays())
    return False


def failed_update(run: Run) -> str:
    """What is wrong with the weights or the scale of the loss after the last update; "" for nothing."""
    if not all(np.isfinite(x.numpy()).all() for x in run.trainer.optimized()):
        return "a weight became infinite or NaN"
    return run.trainer.loss_scale.failure()


def _abort_at_failed_step(run: Run, chunk: Chunk, before: Snapshot, sums: Values) -> None:
    """Give the run up at the step of the chunk whose loss was not finite; the run's sums are then those up to it."""
    good, failed, batches = _last_good(run), chunk, _last_batch(run)
    if chunk.steps > 1:
        restore(before)
        sums = run.sums
        for i in range(chunk.steps):
            now, failed = snapshot(run.changed()), chunk.step(i)
            loss, sums = train_on(run, failed, sums)
            run.step, run.loss = run.step + 1, float(loss)
            if not math.isfinite(run.loss):
                break
            good, batches = now, [failed]
    else:
        run.step += 1
    abort(run, f"the loss was {run.loss}", good, _joined([*batches, failed]))
    run.sums = sums


def _last_good(run: Run) -> Snapshot:
    """The values before the last step that gave a finite loss; those of now stay as they are."""
    if run.last is None:
        return run.start
    chunk, before, _ = run.last
    if chunk.steps == 1:
        return [*before, *(run.trainer.beside.values() if run.trainer.beside else [])]
    now = snapshot(run.changed())
    restore(before)
    train_on(run, chunk._replace(steps=chunk.steps - 1), run.sums)
    good = snapshot(run.changed())
    restore(now)
    return good


def _last_batch(run: Run) -> list[Chunk]:
    """The step before, where it is of the same epoch."""
    is_of_epoch = run.last is not None and 0 < run.last.step == run.step
    return [run.last.chunk.last()] if is_of_epoch and run.last else []


def _joined(chunks: list[Chunk]) -> Arrays:
    return joined([chunk.arrays() for chunk in chunks])
