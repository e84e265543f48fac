"""ਪ੍ਰਯੋਗਸ਼ਾਲਾ (lab): MNIST। ਇੱਕ, ਦੋ ਅਤੇ ਤਿੰਨ ਪਰਤਾਂ ਦੇ ਪਰਸੈਪਟ੍ਰੌਨ, ਡੂੰਘੇ ਨੈੱਟਵਰਕਾਂ ਵਿੱਚ ਕੀ ਹੁੰਦਾ ਹੈ, ਤੇ ਇੱਕ ਕਨਵੋਲਿਊਸ਼ਨ।

ਫੰਕਸ਼ਨ ਭਰੋ, ਤੇ ਜਿੰਨੀ ਵਾਰ ਚਾਹੋ ਆਪਣੇ ਅੰਕ ਪੁੱਛੋ:

    tarazu lab grade mnist mnist.py --language pa

ਤਸਵੀਰਾਂ uint8 (rows, 28, 28) ਹਨ, `tz.data.load("mnist_small")` ਤੋਂ: 8,000 ਸਿਖਲਾਈ ਲਈ, 2,000 ਜਾਂਚ ਲਈ। ਜੋ ਤੁਸੀਂ ਬਣਾਉਂਦੇ
ਹੋ, ਪਰਖਣ ਵਾਲਾ ਉਸ ਨੂੰ ਸਿਖਾਉਂਦਾ ਹੈ; ਇਸ ਵਿੱਚ ਕਰੀਬ ਇੱਕ ਮਿੰਟ ਲੱਗਦਾ ਹੈ।
"""

import numpy as np

import tarazu as tz


def prepare(images):
    """10 ਅੰਕ। ਪਰਸੈਪਟ੍ਰੌਨ ਲਈ ਤਸਵੀਰਾਂ ਕਤਾਰਾਂ ਵਜੋਂ: float32 (rows, 784), 0 (ਕਾਲਾ) ਤੋਂ 1 (ਚਿੱਟਾ) ਤੱਕ।

    ਇੱਕੋ ਅੰਕ ਹਮੇਸ਼ਾ ਇੱਕੋ ਚਮਕ ਲਈ ਹੈ, ਹਨੇਰੀਆਂ ਤਸਵੀਰਾਂ ਦੇ ਬੈਚ ਵਿੱਚ ਵੀ।
    """
    return images.reshape(len(images), -1).astype("float32") / 255


def perceptron(hidden, activation):
    """15 ਅੰਕ। compile ਕੀਤਾ ਮਾਡਲ: ਇਨ੍ਹਾਂ ਆਕਾਰਾਂ ਦੀਆਂ ਅੰਦਰਲੀਆਂ ਪਰਤਾਂ, ਹਰ ਇੱਕ ਐਕਟੀਵੇਸ਼ਨ ਨਾਲ, ਫਿਰ 10 ਲੌਜਿਟ।

    ਸਾਰੀਆਂ ਪਰਤਾਂ Dense ਹਨ; () ਇੱਕੋ ਪਰਤ ਦਾ ਪਰਸੈਪਟ੍ਰੌਨ ਹੈ। ਕਰਾਸ-ਐਂਟਰੋਪੀ ਅਤੇ ਸ਼ੁੱਧਤਾ ਨਾਲ compile ਕਰੋ।
    """
    model = tz.nn.Sequential([*(tz.nn.Dense(size, activation) for size in hidden), tz.nn.Dense(10)])
    return model.compile(tz.optim.Adam(lr=0.002), "cross_entropy", ["accuracy"])


def train(model, x, y, x_validation, y_validation, epochs):
    """25 ਅੰਕ। ਮਾਡਲ ਨੂੰ ਸਿਖਾਓ, ਤੇ history ਦਿਓ, ਜਿਸ ਵਿੱਚ ਹਰ ਦੌਰ ਦੀ accuracy ਅਤੇ val_accuracy ਹੋਵੇ।

    ਇੱਕ ਪਰਤ: 10 ਅੰਕ; ਦੋ ਅਤੇ ਤਿੰਨ ਪਰਤਾਂ: 15 ਅੰਕ।
    """
    return model.fit(x, y, validation_data=(x_validation, y_validation), epochs=epochs, batch_size=64, seed=0,
                     verbose=0)


def accuracy_by_activation(x, y, x_validation, y_validation):
    """10 ਅੰਕ। ਕੀ ਪਰਤਾਂ ਵਿਚਕਾਰਲੀ ਐਕਟੀਵੇਸ਼ਨ ਨਾਲ ਫ਼ਰਕ ਪੈਂਦਾ ਹੈ? ਮਾਪੋ।

    ਦੋ ਪਰਤਾਂ ਦੇ ਉਹ ਪਰਸੈਪਟ੍ਰੌਨ ਸਿਖਾਓ ਜੋ ਸਿਰਫ਼ ਐਕਟੀਵੇਸ਼ਨ ਵਿੱਚ ਵੱਖਰੇ ਹਨ: "linear" (ਕੋਈ ਨਹੀਂ), "sigmoid", "tanh" ਅਤੇ
    "relu"। ਇੱਕ dict ਦਿਓ: ਐਕਟੀਵੇਸ਼ਨ ਦੇ ਨਾਂ ਨਾਲ ਆਖ਼ਰੀ ਦੌਰ ਦੀ ਜਾਂਚ-ਸ਼ੁੱਧਤਾ।
    """
    found = {}
    for activation in ("linear", "sigmoid", "tanh", "relu"):
        history = train(perceptron((64,), activation), x, y, x_validation, y_validation, epochs=8)
        found[activation] = history.history["val_accuracy"][-1]
    return found


def gradient_norms(model, x, y):
    """10 ਅੰਕ। ਡੂੰਘੇ ਨੈੱਟਵਰਕ ਸਿਖਾਉਣੇ ਔਖੇ ਕਿਉਂ ਹਨ: ਹਰ ਪਰਤ ਵਿੱਚ ਗ੍ਰੇਡੀਐਂਟ ਕਿੰਨਾ ਵੱਡਾ ਹੈ?

    ਇੱਕ ਸੂਚੀ ਦਿਓ: ਮਾਡਲ ਦੀ ਹਰ ਪਰਤ ਲਈ, ਪਹਿਲੀ ਤੋਂ ਸ਼ੁਰੂ ਕਰ ਕੇ, ਇਨ੍ਹਾਂ ਕਤਾਰਾਂ ਦੀ ਔਸਤ ਕਰਾਸ-ਐਂਟਰੋਪੀ ਦੇ ਉਸ ਪਰਤ ਦੇ ਭਾਰਾਂ
    ਵੱਲ ਗ੍ਰੇਡੀਐਂਟ ਦੀ ਲੰਬਾਈ (norm, ਵਰਗਾਂ ਦੇ ਜੋੜ ਦਾ ਵਰਗਮੂਲ)। Dense ਪਰਤ ਦੇ ਭਾਰ `layer.weight` ਹਨ।
    """
    loss = tz.nn.cross_entropy(model(tz.tensor(x)), tz.tensor(y))
    loss.backward()
    return [float(np.linalg.norm(layer.weight.grad.numpy())) for layer in model]


def largest_weights(model, x, y, epochs):
    """10 ਅੰਕ। ਭਾਰ (weights) ਕਿਵੇਂ ਵਧਦੇ ਹਨ? ਇੰਨੇ ਦੌਰ ਸਿਖਾਓ, ਤੇ ਹਰ ਦੌਰ ਤੋਂ ਬਾਅਦ ਦਾ ਸਭ ਤੋਂ ਵੱਡਾ ਭਾਰ (ਬਿਨਾਂ ਨਿਸ਼ਾਨ) ਦਿਓ।

    ਸਾਰੀਆਂ ਪਰਤਾਂ ਦੇ ਭਾਰ ਵੇਖੋ। `fit` ਦੁਬਾਰਾ ਚਲਾਉਣ ਨਾਲ ਸਿਖਲਾਈ ਅੱਗੇ ਤੁਰਦੀ ਹੈ।
    """
    found = []
    for epoch in range(epochs):
        model.fit(x, y, epochs=1, batch_size=64, seed=epoch, verbose=0)
        found.append(max(float(abs(layer.weight.numpy()).max()) for layer in model))
    return found


def convolution():
    """10 ਅੰਕ। 0 ਤੋਂ 1 ਤੱਕ ਦੀਆਂ ਤਸਵੀਰਾਂ (rows, 28, 28, 1) ਲਈ compile ਕੀਤਾ ਮਾਡਲ, ਜੋ ਵੇਖੇ ਕਿ ਕੀ ਕਿਸ ਦੇ ਨਾਲ ਹੈ।

    `Conv2D` ਅਤੇ `MaxPool2D` ਪਰਤਾਂ, ਫਿਰ `Flatten`, ਫਿਰ 10 ਲੌਜਿਟਾਂ ਵਾਲੀ Dense ਪਰਤ: ਵੱਧ ਤੋਂ ਵੱਧ 100,000 ਪੈਰਾਮੀਟਰ।
    ਤਿੰਨ ਦੌਰਾਂ ਬਾਅਦ ਜਾਂਚ ਦੀਆਂ ਤਸਵੀਰਾਂ ਉੱਤੇ ਸ਼ੁੱਧਤਾ 92 % ਹੋਣੀ ਚਾਹੀਦੀ ਹੈ।
    """
    model = tz.nn.Sequential([tz.nn.Conv2D(8, 3, activation="relu"), tz.nn.MaxPool2D(2),
                              tz.nn.Conv2D(16, 3, activation="relu"), tz.nn.MaxPool2D(2),
                              tz.nn.Flatten(), tz.nn.Dense(10)])
    return model.compile(tz.optim.Adam(lr=0.003), "cross_entropy", ["accuracy"])


def answers():
    """10 ਅੰਕ। ਤੁਸੀਂ ਕੀ ਮਾਪਿਆ? ਹਰ ਸਵਾਲ ਲਈ ਬਰੈਕਟਾਂ ਵਿੱਚੋਂ ਇੱਕ ਮੁੱਲ ਦਿਓ।

    activation: ਕੀ ਬਿਨਾਂ ਐਕਟੀਵੇਸ਼ਨ ਵਾਲੀਆਂ ਦੋ ਪਰਤਾਂ ਇੱਕ ਪਰਤ ਤੋਂ ਚੰਗੀਆਂ ਹਨ? ("yes", "no")
    depth: ਇਨ੍ਹਾਂ ਤਸਵੀਰਾਂ ਉੱਤੇ ਤੀਜੀ ਪਰਤ ਨਾਲ ਕਿੰਨਾ ਲਾਭ ਹੁੰਦਾ ਹੈ? ("much": ਸ਼ੁੱਧਤਾ ਵਿੱਚ 5 ਅੰਕਾਂ ਤੋਂ ਵੱਧ, "little")
    gradients: 8 ਪਰਤਾਂ ਵਾਲੇ sigmoid ਪਰਸੈਪਟ੍ਰੌਨ ਵਿੱਚ ਕਿਸ ਪਰਤ ਦਾ ਗ੍ਰੇਡੀਐਂਟ ਸਭ ਤੋਂ ਛੋਟਾ ਹੈ? ("first", "last")
    weights: ਸਿਖਲਾਈ ਅੱਗੇ ਤੁਰਨ ਨਾਲ ਸਭ ਤੋਂ ਵੱਡਾ ਭਾਰ? ("grows", "shrinks")
    """
    return {"activation": "no", "depth": "little", "gradients": "first", "weights": "grows"}
