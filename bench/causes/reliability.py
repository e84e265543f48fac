"""Whether the probabilities of a diagnosis are what they say: a reliability plot over the cases of `score.py`.

    python reliability.py scores.json ... [--plot reliability.svg]

The cause that is said is right in about the share of cases that its probability says, if diagnoses are calibrated.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from tarazu.diagnose import calibration_bins, expected_calibration_error
from tarazu.diagnose.reporting.score_charts import calibration

BINS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scores", nargs="+", type=Path, help="files that score.py --out wrote")
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    records = [record for path in options.scores for record in json.loads(path.read_text())["records"]]
    records = [record for record in records if "probabilities" in record]
    sure = np.array([record["probabilities"][record["said"]] for record in records])
    bins = calibration_bins(sure, np.array([record["right"] for record in records]), BINS)
    print(f"{len(records)} cases; mean probability of the cause that is said {sure.mean():.3f}, right "
          f"{np.mean([record['right'] for record in records]):.3f}; "
          f"expected calibration error {expected_calibration_error(bins):.3f}")
    for each in bins:
        print(f"  said with {each.predicted:.2f}: right in {each.observed:.2f} ({each.low:.2f} to {each.high:.2f}) of "
              f"{each.rows}")
    if options.plot:
        calibration(bins, "the cause that is said").save(options.plot)


if __name__ == "__main__":
    main()
