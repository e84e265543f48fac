"""What the tests of studies share."""

import pytest

from tarazu.study.experiment.experiment import Experiment


@pytest.fixture
def interrupt_after(monkeypatch):
    """A function that lets so many fits of experiments be made before the next one is interrupted."""
    fit = Experiment.fit

    def interrupt(count):
        calls = []

        def interrupted(self, **options):
            calls.append(options)
            if len(calls) > count:
                raise KeyboardInterrupt
            return fit(self, **options)

        monkeypatch.setattr(Experiment, "fit", interrupted)

    return interrupt
