"""What the rows themselves tell of causes: leaks, another kind of rows in validation, wrong targets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tarazu.study.experiment.experiment import Experiment
from tarazu.study.trials.parts import PartFit
from tarazu.study.trials.trials import Gain, Judged, Trials
from tarazu.train.trainer.compile import trainer_of
from tarazu.train.verdict import _trivial_losses


@dataclass
class RowEvidence:
    experiment: Experiment
    judged: Judged

    @classmethod
    def of(cls, experiment: Experiment, seed: int) -> RowEvidence:
        trainer = trainer_of(experiment.build())
        trivial = _trivial_losses(trainer, experiment.validation, experiment.validation)
        return cls(experiment, Judged.of(experiment.validation, trivial))

    def gains(self, trials: Trials, halves: list[PartFit]) -> list[Gain]:
        return []
