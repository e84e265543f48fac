"""A small GPT learns to write, letter by letter: python examples/char_gpt.py TEXT.txt (or .txt.gz)

Result on tinyshakespeare: validation loss 1.82 per letter (equally likely letters: 4.17), in 65 s of processor time;
docs/text.md has longer runs.
"""

import sys

import tarazu as tz

LENGTH = 64  # letters that it sees at once


class Gpt(tz.nn.Module):
    """Token and place embeddings, causal attention blocks, scores of the next letter."""

    def __init__(self, letters, dim, layers=2):
        self.embedding = tz.nn.Embedding(letters, dim)
        self.positions = tz.nn.PositionalEmbedding(LENGTH, dim)
        self.blocks = [tz.nn.TransformerEncoderLayer(4, dim, feedforward=2 * dim, dropout=0.0, norm_first=True,
                                                     causal=True) for _ in range(layers)]
        self.norm, self.scores = tz.nn.LayerNorm(dim), tz.nn.Dense(letters, in_features=dim)

    def forward(self, codes):
        x = self.positions(self.embedding(codes))
        for block in self.blocks:
            x = block(x)
        return self.scores(self.norm(x))


def windows(codes):
    """Batches of letters, and of the letters that follow each."""
    rows = tz.data.Dataset(codes).window(LENGTH + 1, shift=LENGTH)
    return rows.shuffle(seed=0).batch(16).map(lambda row: (row[:, :-1], row[:, 1:]))


def write(model, letters, start, count, temperature=0.8):
    """`start` and `count` letters more, each drawn by the scores that the model gives."""
    codes, step = letters(start).tolist(), tz.jit(model.eval())
    for _ in range(count):
        seen = codes[-LENGTH:]
        scores = step(tz.tensor([seen + [0] * (LENGTH - len(seen))]))[0, len(seen) - 1]
        codes.append(2 + int(tz.random.categorical(scores[2:] / temperature)))  # 0 and 1 stand for no letter
    return letters.decode(codes)


def main(path, epochs=2, dim=96, count=300):
    """The loss per letter on the last tenth of a text."""
    tz.random.seed(0)
    text = "\n".join(tz.data.text_lines(path))
    letters = tz.nn.TextVectorization(split="characters").adapt([text])
    codes = letters(text).numpy()
    cut = len(codes) * 9 // 10
    train, validation = windows(codes[:cut]), windows(codes[cut:])
    model = Gpt(letters.vocabulary_size, dim)
    rate = tz.optim.one_cycle(4e-3, epochs * len(train), warmup=0.1)
    model.compile(tz.optim.AdamW(lr=rate, clip_norm=1.0), "cross_entropy", ["accuracy"])
    history = model.fit(train, validation_data=validation, epochs=epochs, seed=0)
    print(write(model, letters, text[:LENGTH // 4], count))
    print(f"validation loss {history[-1]['val_loss']:.3f} per letter")
    return history[-1]["val_loss"]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
