"""What a replica costs: 64 networks 784-32-32-10 as one program, beside torch trainings of single ones.

Run `python bench/replicas.py`; BENCH_TORCH_PYTHON names an interpreter that has torch where this one has none. Each
training makes the same number of Adam steps on batches of 32 of 10,000 drawn rows, on two threads. Prints medians of
interleaved rounds, and how many torch trainings the replicas take the time of.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np

ROWS, STEPS, BATCH, COUNT, ROUNDS = 10_000, 600, 32, 64, 5

TORCH = f"""
import time, torch
torch.set_num_threads(2)
x, y = torch.randn({ROWS}, 784), torch.randint(10, ({ROWS},))
def train():
    model = torch.nn.Sequential(torch.nn.Linear(784, 32), torch.nn.ReLU(), torch.nn.Linear(32, 32), torch.nn.ReLU(),
                                torch.nn.Linear(32, 10))
    optimizer, loss = torch.optim.Adam(model.parameters()), torch.nn.CrossEntropyLoss()
    start = time.perf_counter()
    for i in range({STEPS}):
        rows = torch.randint({ROWS}, ({BATCH},))
        optimizer.zero_grad()
        loss(model(x[rows]), y[rows]).backward()
        optimizer.step()
    return time.perf_counter() - start
train()
for _ in range(5):
    input()
    print(train(), flush=True)
"""


def replicas() -> float:
    """Seconds for all steps of all replicas, compiled before."""
    import tarazu as tz

    draw = np.random.default_rng(0)
    x = tz.tensor(draw.normal(size=(ROWS, 784)).astype("float32"))
    y = tz.tensor(draw.integers(10, size=ROWS))

    def build() -> tuple:
        model = tz.nn.Sequential(tz.nn.Dense(32, "relu", in_features=784), tz.nn.Dense(32, "relu", in_features=32),
                                 tz.nn.Dense(10, in_features=32))
        return model, tz.optim.Adam(model.parameters())

    def steps(pair: tuple, count: object) -> object:
        model, optimizer = pair

        def step(i: object) -> object:
            rows = tz.random.randint(0, ROWS, (BATCH,))
            loss = tz.nn.cross_entropy(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            return i + 1
        return tz.while_loop(lambda i: i < count, step, 0)

    train = tz.jit(tz.replicate(build, COUNT).map(steps))
    train(1)
    start = time.perf_counter()
    train(STEPS)
    return time.perf_counter() - start


def main() -> None:
    torch = subprocess.Popen([os.environ.get("BENCH_TORCH_PYTHON", sys.executable), "-c", TORCH], text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(replicas())
        torch.stdin.write("go\n")
        torch.stdin.flush()
        theirs.append(float(torch.stdout.readline()))
    own, other = np.median(ours), np.median(theirs)
    print(f"{COUNT} replicas: {own:.2f} s; one torch training: {other:.2f} s; so {own / other:.1f} torch trainings")


if __name__ == "__main__":
    main()
