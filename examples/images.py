"""A small convolutional network learns MNIST or Fashion-MNIST: python examples/images.py fashion_mnist 12"""

import sys

import tarazu as tz

if len(sys.argv) != 3 or not sys.argv[2].isdecimal() or int(sys.argv[2]) < 1:
    sys.exit(f"images.py takes a data set and how many epochs, 1 or more. {__doc__}")
name, epochs = sys.argv[1], int(sys.argv[2])
train, test = tz.data.load(name)

def scaled(images, labels):
    return tz.astype(images, "float32")[..., None] / 255, labels

def augmented(images, labels):
    images = tz.data.augment.flip(images) if name == "fashion_mnist" else images  # a 3 in a mirror is no digit
    return tz.data.augment.crop(images, 28, 28, padding=1), labels

model = tz.nn.Sequential(
    tz.nn.Conv2D(32, 3, padding="same", activation="relu"), tz.nn.MaxPool2D(2), tz.nn.BatchNorm(),
    tz.nn.Conv2D(64, 3, padding="same", activation="relu"), tz.nn.MaxPool2D(2), tz.nn.BatchNorm(),
    tz.nn.Conv2D(96, 3, activation="relu"), tz.nn.Flatten(), tz.nn.Dropout(0.3),
    tz.nn.Dense(128, "relu"), tz.nn.Dropout(0.3), tz.nn.Dense(10))
batches = train.shuffle(seed=0).batch(100).map(scaled).map(augmented)
model.compile(tz.optim.AdamW(lr=tz.optim.one_cycle(4e-3, epochs * len(batches))), "cross_entropy", ["accuracy"])
model.fit(batches, epochs=epochs, seed=0)
print(name, model.evaluate(test.batch(500).map(scaled)))
