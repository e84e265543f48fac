"""GPT-2, as Hugging Face keeps it, goes on with a text: python examples/gpt2.py FOLDER "Once upon a time"

FOLDER has config.json, model.safetensors and tokenizer.json. Result with the sizes of the smallest GPT-2 (124 million
weights, here random) on two busy cores: 6.0 tokens per second, and 1.3 without the cache of keys and values.
"""

import json
import sys
import time
from functools import partial
from pathlib import Path

from tokenizers import Tokenizer

import tarazu as tz

NAMES = {"attention_norm": "ln_1", "attention": "attn", "output_norm": "ln_2", "hidden": "mlp.c_fc",
         "output": "mlp.c_proj"}  # what layers here are called in the file


class Gpt2(tz.nn.Module):
    """Embeddings of tokens and places, causal attention, the scores of the next token."""

    def __init__(self, config):
        dim, epsilon = config["n_embd"], config["layer_norm_epsilon"]
        self.wte = tz.nn.Embedding(config["vocab_size"], dim)
        self.wpe = tz.nn.PositionalEmbedding(config["n_positions"], dim)
        self.h = [tz.nn.TransformerEncoderLayer(
            config["n_head"], dim, feedforward=config.get("n_inner") or 4 * dim, dropout=config["resid_pdrop"],
            activation=partial(tz.gelu, approximate=True), norm_first=True, causal=True, epsilon=epsilon)
            for _ in range(config["n_layer"])]
        self.ln_f = tz.nn.LayerNorm(dim, epsilon=epsilon)

    def forward(self, codes, caches=None):
        """The scores (batch, time, words) of what follows each token, and with `caches` the next ones."""
        if caches is None:
            x = self.wpe(self.wte(codes))
            for layer in self.h:
                x = layer(x)
            return self.wte.attend(self.ln_f(x))
        x, following = self.wpe(self.wte(codes), start=caches[0].steps), []
        for layer, cache in zip(self.h, caches, strict=True):
            x, cache = layer(x, cache=cache)
            following.append(cache)
        return self.wte.attend(self.ln_f(x)), following


def by_cache(model, length):
    """A function of all tokens so far that gives the scores of the next, and looks at the new ones only."""
    step, caches, seen = tz.jit(model), [layer.make_cache(1, length) for layer in model.h], 0

    def scores(codes):
        nonlocal caches, seen
        y, caches = step(tz.tensor([codes[seen:]]), caches)
        seen = len(codes)
        return y[0, -1]

    return scores


def main(folder, text, count=50, temperature=0.8):
    """The text with `count` more tokens, each drawn by its score; prints it, and how many came in a second."""
    tz.random.seed(0)
    config = json.loads((Path(folder) / "config.json").read_text())
    tokenizer, model = Tokenizer.from_file(str(Path(folder) / "tokenizer.json")), Gpt2(config).eval()
    tz.interop.load_torch_weights(model, folder, names=NAMES)
    codes, times = tokenizer.encode(text).ids, []
    scores = by_cache(model, len(codes) + count)
    for _ in range(count):
        codes.append(int(tz.random.categorical(scores(codes) / temperature)))
        times.append(time.perf_counter())
    print(tokenizer.decode(codes))
    print(f"{(count - 3) / (times[-1] - times[2]):.1f} tokens per second")  # the first steps compile
    return codes


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
