"""`diagnose`: why a model generalizes as it does, and what would help, measured by small experiments."""

from __future__ import annotations

from tarazu.study.diagnosis.investigation import Investigation
from tarazu.study.experiment.experiment import Experiment
from tarazu.study.trials.trials import Budget


def diagnose(build, x, y, *, validation_data=None, validation_split=0.2, epochs, batch_size=32, callbacks=(), seed=0, budget=25.0):
    experiment = Experiment.of(build, x, y, validation_data=validation_data, validation_split=validation_split,
                               epochs=epochs, batch_size=batch_size, callbacks=callbacks, seed=seed)
    found = Investigation(experiment, seed, Budget(budget))
    found.run()
    return found
