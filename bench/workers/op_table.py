"""The op table of the tests on a device: values and gradients in float32, compared with NumPy's; asked as in serve.py.

`op_table.py 1/4` takes the second of four shares of the lines. Each question has the next lines checked, as many in one
program as it says; an answer has how many lines are checked, of how many, and what is wrong, by names of lines.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

sys.path += [str(Path(__file__).parents[2] / "tests" / folder) for folder in (".", "backend/native/support")]

import numpy as np
from comparing import difference, expected
from memory import peak
from optable import RECORDS, Record
from optable_programs import graphs, joined, largest
from serve import answering

import tarazu as tz
from tarazu.ir.graph import Graph
from tarazu.runtime.compile import compile_graph

DEVICE = tz.device(os.environ.get("BENCH_DEVICE", "xla"))
OF_LARGEST = 1e-6  # allowed for transforms, which NumPy does in float64
Case = tuple[Record, Graph, list[np.ndarray]]


def cases_of(records: Sequence[Record]) -> list[Case]:
    """The graphs of values and gradients of some lines."""
    drawn = [(record, [np.asarray(x) for x in record.draw(0, np.float32)]) for record in records]
    return [(record, graph, arrays) for record, arrays in drawn for graph in graphs(record, arrays)]


def wrong(cases: Sequence[Case]) -> Iterator[str]:
    """What is wrong in the results of one program of all cases; raises what the device raises."""
    program = compile_graph(joined([graph for _, graph, _ in cases]), "xla").at(DEVICE)
    found = map(np.asarray, program(*[x for *_, arrays in cases for x in arrays]))
    for record, graph, arrays in cases:
        for limits in expected(graph, arrays):
            if record.name.startswith("fft."):
                limits = limits._replace(tolerance=limits.tolerance + OF_LARGEST * largest(limits.values))
            if problem := difference(next(found), limits):
                yield f"{record.name}: {problem}"


def checked(records: Sequence[Record]) -> list[str]:
    """What is wrong with some lines; where their program fails, each has one of its own."""
    try:
        return list(wrong(cases_of(records)))
    except Exception as error:
        if len(records) == 1:
            return [f"{records[0].name}: {type(error).__name__}: {error}"]
        return [problem for record in records for problem in checked([record])]


def main(share: str) -> None:
    index, shares = map(int, share.split("/"))
    records = RECORDS[index::shares]
    done, problems = 0, []
    with answering() as answer:
        for line in sys.stdin:
            some = records[done:done + int(line)]
            problems += checked(some)
            done += len(some)
            answer({"checked": done, "of": len(records), "wrong": problems, "memory": peak()})


if __name__ == "__main__":
    main(sys.argv[1])
