"""Lab: MNIST. Perceptrons of one, two and three layers, what happens in deep ones, and a convolution.

Fill in the functions, and ask for your points as often as you want:

    tarazu lab grade mnist mnist.py

Images are uint8 (rows, 28, 28), from `tz.data.load("mnist_small")`: 8,000 to train with, 2,000 to validate. The grader
trains what you build; that takes about a minute.
"""

import numpy as np

import tarazu as tz


def prepare(images):
    """10 points. Images as rows for a perceptron: float32 (rows, 784), from 0 (black) to 1 (white).

    The same number always stands for the same brightness, also in a batch of dark images.
    """
    return images.reshape(len(images), -1).astype("float32") / 255


def perceptron(hidden, activation):
    """15 points. A compiled model: hidden layers of these sizes, each with the activation, then 10 logits.

    All layers are dense; () is the perceptron of a single layer. Compile it with cross-entropy and accuracy.
    """
    model = tz.nn.Sequential([*(tz.nn.Dense(size, activation) for size in hidden), tz.nn.Dense(10)])
    return model.compile(tz.optim.Adam(lr=0.002), "cross_entropy", ["accuracy"])


def train(model, x, y, x_validation, y_validation, epochs):
    """25 points. Train a model, and return the history, with accuracy and val_accuracy of each epoch.

    One layer: 10 points; two and three layers: 15 points.
    """
    return model.fit(x, y, validation_data=(x_validation, y_validation), epochs=epochs, batch_size=64, seed=0,
                     verbose=0)


def accuracy_by_activation(x, y, x_validation, y_validation):
    """10 points. Does the activation between the layers matter? Measure it.

    Train perceptrons of two layers that differ in the activation only: "linear" (none), "sigmoid", "tanh" and "relu".
    Return a dict: the validation accuracy of the last epoch by the name of the activation.
    """
    found = {}
    for activation in ("linear", "sigmoid", "tanh", "relu"):
        history = train(perceptron((64,), activation), x, y, x_validation, y_validation, epochs=8)
        found[activation] = history.history["val_accuracy"][-1]
    return found


def gradient_norms(model, x, y):
    """10 points. Why deep networks are hard to train: how large is the gradient in each layer?

    Return a list: for each layer of the model, from the first, the norm (the square root of the sum of squares) of the
    gradient of the mean cross-entropy of these rows with respect to its weight: `layer.weight` of a dense layer.
    """
    loss = tz.nn.cross_entropy(model(tz.tensor(x)), tz.tensor(y))
    loss.backward()
    return [float(np.linalg.norm(layer.weight.grad.numpy())) for layer in model]


def largest_weights(model, x, y, epochs):
    """10 points. How do weights grow? Train for so many epochs, and list the largest absolute weight after each.

    Look at the weights of all layers. Calling `fit` again goes on with training.
    """
    found = []
    for epoch in range(epochs):
        model.fit(x, y, epochs=1, batch_size=64, seed=epoch, verbose=0)
        found.append(max(float(abs(layer.weight.numpy()).max()) for layer in model))
    return found


def convolution():
    """10 points. A compiled model for images (rows, 28, 28, 1) from 0 to 1 that sees what lies beside what.

    Use layers `Conv2D` and `MaxPool2D`, then `Flatten`, then a dense layer to 10 logits: at most 100,000 parameters.
    After three epochs it must have an accuracy of 92 % on the validation images.
    """
    model = tz.nn.Sequential([tz.nn.Conv2D(8, 3, activation="relu"), tz.nn.MaxPool2D(2),
                              tz.nn.Conv2D(16, 3, activation="relu"), tz.nn.MaxPool2D(2),
                              tz.nn.Flatten(), tz.nn.Dense(10)])
    return model.compile(tz.optim.Adam(lr=0.003), "cross_entropy", ["accuracy"])


def answers():
    """10 points. What have you measured? Put a value from the brackets behind each question.

    activation: do two layers without an activation between them do better than one layer? ("yes", "no")
    depth: what does a third layer bring on these images? ("much": over 5 points of accuracy, "little")
    gradients: in a perceptron of 8 layers with sigmoid, which layer has the smallest gradient? ("first", "last")
    weights: the largest absolute weight, while training goes on? ("grows", "shrinks")
    """
    return {"activation": "no", "depth": "little", "gradients": "first", "weights": "grows"}
