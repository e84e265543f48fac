"""A network learns which letter comes next in a text; then it writes a text of its own. docs/text.md goes through it.

python examples/text.py gru tinyshakespeare.txt.gz
python examples/text.py transformer tinyshakespeare.txt.gz
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import tarazu as tz
from tarazu.nn import (
    GRU,
    Dense,
    Embedding,
    LayerNorm,
    Module,
    PositionalEmbedding,
    TextVectorization,
    TransformerEncoderLayer,
)

LENGTH = 64  # letters that a network sees at once in training


class Recurrent(Module):
    """A GRU over letters: its memory is the state, which sums up all letters before."""

    network, longest, batch = "gru", math.inf, 32

    def __init__(self, letters, units=256):
        self.letters = letters
        self.embedding = Embedding(letters.vocabulary_size, 64)
        self.gru = GRU(units, return_sequences=True, return_state=True, in_features=64)
        self.scores = Dense(letters.vocabulary_size, in_features=units)

    def empty_memory(self):
        return tz.zeros((1, self.gru.state_size))

    def forward(self, codes, memory=None):
        """The scores of the letter after each; with a memory also the memory of what comes after."""
        x, state = self.gru(self.embedding(codes), initial_state=memory)
        return self.scores(x) if memory is None else (self.scores(x), state)


class Transformer(Module):
    """Causal attention over letters: its memory holds the keys and values of up to `LENGTH` letters in each layer."""

    network, longest, batch = "transformer", LENGTH, 16

    def __init__(self, letters, dim=128, layers=3):
        self.letters = letters
        self.embedding = Embedding(letters.vocabulary_size, dim)
        self.positions = PositionalEmbedding(LENGTH, dim)
        self.layers = [TransformerEncoderLayer(4, dim, feedforward=2 * dim, dropout=0.0, norm_first=True,
                                               causal=True) for _ in range(layers)]
        self.norm = LayerNorm(dim)
        self.scores = Dense(letters.vocabulary_size, in_features=dim)

    def empty_memory(self):
        return [layer.make_cache(1, LENGTH) for layer in self.layers]

    def forward(self, codes, memory=None):
        """The scores of the letter after each; with a memory also the memory of what comes after."""
        if memory is None:
            x = self.positions(self.embedding(codes))
            for layer in self.layers:
                x = layer(x)
            return self.scores(self.norm(x))
        x, following = self.positions(self.embedding(codes), start=memory[0].steps), []
        for layer, cache in zip(self.layers, memory, strict=True):
            x, cache = layer(x, cache=cache)
            following.append(cache)
        return self.scores(self.norm(x)), following


NETWORKS = {"gru": Recurrent, "transformer": Transformer}


def wrong(problem, hint):
    """The end of the command, with a message of one line."""
    return SystemExit(f"text.py: {problem}; {hint}")


def windows(codes, batch):
    """Batches of (letters, the letters that follow each), LENGTH in a row, in any order."""
    rows = tz.data.Dataset(codes).window(LENGTH + 1, shift=LENGTH)
    return rows.shuffle(seed=0).batch(batch).map(lambda row: (row[:, :-1], row[:, 1:]))


def train(network, text, epochs, peak=3e-3, **options):
    """A network that learned the first nine tenths of a text, and what it said of the last one."""
    letters = TextVectorization(split="characters").adapt([text])
    codes = letters(text).numpy()
    cut = len(codes) * 9 // 10
    if len(codes) - cut <= LENGTH:  # the last tenth has no window
        raise wrong(f"the text has {len(codes)} letters", f"it takes {10 * LENGTH + 1} or more")
    tz.random.seed(0)
    model = NETWORKS[network](letters, **options)
    rows = windows(codes[:cut], model.batch)
    rate = tz.optim.one_cycle(peak, epochs * len(rows), warmup=0.1)
    model.compile(tz.optim.AdamW(lr=rate, clip_norm=1.0), loss="cross_entropy", metrics=["accuracy"])
    return model, model.fit(rows, validation_data=windows(codes[cut:], model.batch), epochs=epochs, seed=0)


def write(model, start, count, temperature=0.8, seed=0):
    """`start` and `count` letters after it. The lower the temperature, the nearer to the likeliest letter each time."""
    model.eval()
    tz.random.seed(seed)
    step = tz.jit(model)  # one compiled program: a letter and the memory before it, to scores and the memory after it
    codes = unread = model.letters(start).tolist()
    memory, read = model.empty_memory(), 0
    with tz.no_grad():
        for _ in range(count):
            if read + len(unread) > model.longest:  # the memory is full: begin anew with the last half of it
                unread, memory, read = codes[-model.longest // 2:], model.empty_memory(), 0
            for code in unread:
                scores, memory = step(tz.tensor([[code]]), memory)
            read += len(unread)
            unread = [2 + int(tz.random.categorical(scores[0, -1, 2:] / temperature))]  # 0 and 1 are no letters
            codes = codes + unread
    return model.letters.decode(codes)


def main():
    options = argparse.ArgumentParser(description=__doc__.partition(";")[0])
    options.add_argument("network", choices=NETWORKS)
    options.add_argument("text", type=Path, help="a text file, or one packed by gzip")
    options.add_argument("--epochs", type=int, default=3)
    options.add_argument("--model", type=Path, help="the folder of the trained network: loaded if there, else written")
    options.add_argument("--start", default="ROMEO:", help="how the text begins that the network writes")
    options.add_argument("--count", type=int, default=500, help="how many letters it writes")
    options.add_argument("--temperature", type=float, default=0.8)
    given = options.parse_args()
    if given.epochs < 1:
        options.error(f"--epochs {given.epochs}: it takes 1 or more")
    if given.model and given.model.exists():
        model = tz.load(given.model)
        if (network := getattr(model, "network", type(model).__name__)) != given.network:
            raise wrong(f"{given.model} holds a {network}, no {given.network}", "name that, or another --model")
    else:
        model, _ = train(given.network, "\n".join(tz.data.text_lines(given.text)), given.epochs)
        if given.model:
            model.save(given.model)
    print(write(model, given.start, given.count, given.temperature))


if __name__ == "__main__":
    main()
