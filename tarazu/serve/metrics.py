"""What a server has done: requests by status, rows, predictions together, and how long answers took."""

from __future__ import annotations

import collections

import numpy as np

from tarazu.base.messages import plural

KEPT = 10_000  # times of the last answers, of which quantiles are computed
QUANTILES = (0.5, 0.99)


class Metrics:
    """Counts of requests to /predict.

    >>> metrics = Metrics()
    >>> metrics.batch(2)
    >>> metrics.answered(200, 0.002)
    >>> str(metrics)
    '1 request answered (1 x 200), 2.0 in a prediction; mean 2.0 ms, p50 2.0 ms, p99 2.0 ms'
    """

    def __init__(self) -> None:
        self.statuses: collections.Counter[int] = collections.Counter()
        self.seconds = 0.0
        self.batches = self.joined = 0
        self._times: collections.deque[float] = collections.deque(maxlen=KEPT)

    def batch(self, requests: int) -> None:
        """Count so many requests that were predicted for together."""
        self.batches, self.joined = self.batches + 1, self.joined + requests

    def answered(self, status: int, seconds: float) -> None:
        """Count an answer, and the seconds since its request came."""
        self.statuses[status] += 1
        self.seconds += seconds
        self._times.append(seconds)

    def quantiles(self) -> list[float]:
        """The QUANTILES of the seconds of the last answers; NaN before the first."""
        return np.quantile(self._times, QUANTILES).tolist() if self._times else [np.nan] * len(QUANTILES)

    def __str__(self) -> str:
        count = self.statuses.total()
        if not count:
            return "no requests answered"
        by_status = ", ".join(f"{number:,} x {status}" for status, number in sorted(self.statuses.items()))
        middle, high = (f"{1000 * value:.1f} ms" for value in self.quantiles())
        return (f"{plural(count, 'request')} answered ({by_status}), {self.joined / max(self.batches, 1):.1f} in a "
                f"prediction; mean {1000 * self.seconds / count:.1f} ms, p50 {middle}, p99 {high}")

    def text(self, waiting: int) -> str:
        """All of it in the text format of Prometheus."""
        quantiles = zip(QUANTILES, self.quantiles(), strict=True)
        families: list[tuple[str, str, str, list[tuple[str, float]]]] = [
            ("requests_total", "counter", "Answered requests to /predict, by HTTP status.",
             [(f'{{status="{status}"}}', count) for status, count in sorted(self.statuses.items())]),
            ("request_seconds", "summary", f"From a request to its answer, quantiles of the last {KEPT:,}.",
             [*((f'{{quantile="{share}"}}', value) for share, value in quantiles),
              ("_sum", self.seconds), ("_count", self.statuses.total())]),
            ("batches_total", "counter", "Predictions, each for the requests that waited.", [("", self.batches)]),
            ("batched_requests_total", "counter", "Requests in these predictions.", [("", self.joined)]),
            ("waiting_requests", "gauge", "Requests that wait for the next prediction.", [("", waiting)])]
        lines = []
        for name, kind, meaning, samples in families:
            lines += [f"# HELP tarazu_{name} {meaning}", f"# TYPE tarazu_{name} {kind}"]
            lines += [f"tarazu_{name}{label} {value:g}" if isinstance(value, float) else f"tarazu_{name}{label} {value}"
                      for label, value in samples]
        return "\n".join(lines) + "\n"
