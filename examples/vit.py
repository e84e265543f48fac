"""A vision transformer, as Hugging Face keeps it, names what a picture shows: python examples/vit.py FOLDER PICTURE

FOLDER has config.json and model.safetensors. Result with the sizes of ViT-B/16 (87 million weights, here random) on
two busy cores: 2.1 s for a picture, once the program is compiled.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

import tarazu as tz

NAMES = {"projection": "embeddings.patch_embeddings.projection", "layers": "encoder.layer", "norm": "layernorm",
         "attention_norm": "layernorm_before", "hidden": "intermediate.dense", "output": "output.dense",
         "output_norm": "layernorm_after"}  # what layers here are called in the file


class VisionTransformer(tz.nn.Module):
    """Patches of a picture as steps of a sequence behind a learned one, attention, the scores of classes."""

    def __init__(self, config):
        dim, size, epsilon = config["hidden_size"], config["patch_size"], config["layer_norm_eps"]
        patches, classes = (config["image_size"] // size) ** 2, len(config.get("id2label") or [0, 1])
        self.projection = tz.nn.Conv2D(dim, size, strides=size, in_channels=config["num_channels"])
        self.cls_token = tz.nn.Parameter(tz.zeros((1, 1, dim)))
        self.position_embeddings = tz.nn.PositionalEmbedding(1 + patches, dim)
        self.layers = [tz.nn.TransformerEncoderLayer(
            config["num_attention_heads"], dim, feedforward=config["intermediate_size"], norm_first=True,
            dropout=config["hidden_dropout_prob"], activation=config["hidden_act"], epsilon=epsilon)
            for _ in range(config["num_hidden_layers"])]
        self.norm = tz.nn.LayerNorm(dim, epsilon=epsilon)
        self.classifier = tz.nn.Dense(classes, in_features=dim)

    def forward(self, images):
        patches = self.projection(images)
        batch, _, _, dim = patches.shape
        steps = [tz.broadcast_to(self.cls_token, (batch, 1, dim)), patches.reshape((batch, -1, dim))]
        x = self.position_embeddings(tz.concat(steps, 1))
        for layer in self.layers:
            x = layer(x)
        return self.classifier(self.norm(x)[:, 0])


def pixels(path, config):
    """A picture of the size that the model takes, with numbers from -1 to 1."""
    image = Image.open(path).convert("RGB").resize((config["image_size"], config["image_size"]))
    return np.asarray(image, np.float32)[None] / 127.5 - 1


def main(folder, picture):
    """The likeliest class of a picture; prints it with its probability."""
    config = json.loads((Path(folder) / "config.json").read_text())
    model = VisionTransformer(config).eval()
    tz.interop.load_torch_weights(model, folder, names=NAMES)
    scores, start = model.predict(pixels(picture, config)), time.perf_counter()
    scores = model.predict(pixels(picture, config))
    seconds = time.perf_counter() - start
    best = int(tz.argmax(scores[0]))
    name = (config.get("id2label") or {}).get(str(best), f"class {best}")
    print(f"{name}, {float(tz.softmax(scores, -1)[0, best]):.1%}; {seconds:.2f} s")
    return best


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
