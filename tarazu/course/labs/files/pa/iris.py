"""ਪ੍ਰਯੋਗਸ਼ਾਲਾ (lab): ਆਇਰਿਸ (iris)। ਛੋਟੀ ਸਾਰਣੀ ਉੱਤੇ ਨਿਊਰਲ ਨੈੱਟਵਰਕ: ਸਿਖਾਓ, ਰੱਟਾ ਲਾਉਣਾ (overfitting) ਵੇਖੋ, ਤੇ ਉਸ ਤੋਂ ਬਚੋ।

ਫੰਕਸ਼ਨ ਭਰੋ, ਤੇ ਜਿੰਨੀ ਵਾਰ ਚਾਹੋ ਆਪਣੇ ਅੰਕ ਪੁੱਛੋ:

    tarazu lab grade iris iris.py --language pa

ਹਰ ਫੰਕਸ਼ਨ ਨੂੰ ਪਰਖਣ ਵਾਲਾ ਆਪ ਐਰੇ ਦਿੰਦਾ ਹੈ, ਇਸ ਲਈ ਇੱਕ ਫੰਕਸ਼ਨ ਦੀ ਗਲਤੀ ਨਾਲ ਦੂਜੇ ਦੇ ਅੰਕ ਨਹੀਂ ਕੱਟਦੇ।
x ਵਿੱਚ ਹਰ ਫੁੱਲ ਦੇ ਚਾਰ ਮਾਪ ਹਨ, float32 (rows, 4); y ਵਿੱਚ ਉਸ ਦੀ ਕਿਸਮ ਦਾ ਨੰਬਰ: 0, 1 ਜਾਂ 2, int64 (rows,)।
"""

import numpy as np

import tarazu as tz


def columns(dataset):
    """5 ਅੰਕ। ਡਾਟਾ ਇੱਕ ਸਾਰਣੀ ਵਜੋਂ: ਪੰਜ ਕਾਲਮਾਂ ਦੀ dict (ਜਾਂ pandas ਦੀ DataFrame), ਹਰ ਕਾਲਮ ਵਿੱਚ 150 ਮੁੱਲ।

    ਚਾਰ ਕਾਲਮ `dataset.feature_names` ਵਾਲੇ ਹਨ, ਪੰਜਵਾਂ "species", ਜਿਸ ਵਿੱਚ ਕਿਸਮਾਂ ਦੇ ਨੰਬਰ ਨਹੀਂ, ਨਾਂ ਹਨ: ਉਹ
    `dataset.class_names` ਵਿੱਚ ਹਨ। ਐਰੇ `x, y = dataset.in_memory()` ਤੋਂ ਮਿਲਦੇ ਹਨ।
    """
    x, y = dataset.in_memory()
    table = dict(zip(dataset.feature_names, x.T, strict=True))
    table["species"] = np.array(dataset.class_names)[y]
    return table


def from_pair_plot():
    """10 ਅੰਕ। ਮਾਪਾਂ ਦੇ ਹਰ ਜੋੜੇ ਨੂੰ ਬਿੰਦੀਆਂ ਨਾਲ ਵਾਹੋ, ਹਰ ਕਿਸਮ ਦਾ ਆਪਣਾ ਰੰਗ (pair plot)। ਕੀ ਦਿਸਦਾ ਹੈ?

    ਇੱਕ ਕਿਸਮ ਸਿਰਫ਼ ਇੱਕ ਮਾਪ ਨਾਲ ਬਾਕੀ ਦੋਹਾਂ ਤੋਂ ਵੱਖ ਪਛਾਣੀ ਜਾਂਦੀ ਹੈ। ਉਸ ਦਾ ਨਾਂ, ਕਾਲਮ ਦਾ ਨਾਂ, ਅਤੇ ਵਿਚਕਾਰ ਦਾ ਕੋਈ
    ਮੁੱਲ ਦਿਓ: (species, column, value)।
    """
    return "setosa", "petal length (cm)", 2.5


def split(x, y, seed):
    """15 ਅੰਕ। ਕਤਾਰਾਂ ਬੇਤਰਤੀਬ ਵੰਡੋ: 80 % ਸਿਖਲਾਈ ਲਈ, 20 % ਪਰਖ ਲਈ। x_train, y_train, x_test, y_test ਦਿਓ।

    ਹਰ ਕਤਾਰ ਆਪਣੇ ਸਹੀ ਜਵਾਬ ਨਾਲ ਇੱਕੋ ਹਿੱਸੇ ਵਿੱਚ ਜਾਂਦੀ ਹੈ, ਤੇ ਹਰ ਹਿੱਸੇ ਵਿੱਚ ਤਿੰਨਾਂ ਕਿਸਮਾਂ ਦਾ ਇੱਕੋ ਅਨੁਪਾਤ ਹੈ। ਉਹੀ
    ਬੀਜ (seed) ਉਹੀ ਹਿੱਸੇ ਦਿੰਦਾ ਹੈ, ਹੋਰ ਬੀਜ ਹੋਰ।
    """
    parts = tz.data.split_rows(len(x), validation=0, test=0.2, seed=seed, labels=y)
    return x[parts.train], y[parts.train], x[parts.test], y[parts.test]


def scale(train, test):
    """15 ਅੰਕ। ਹਰ ਕਾਲਮ ਨੂੰ 0 ਤੋਂ 1 ਦੇ ਪੈਮਾਨੇ ਉੱਤੇ ਲਿਆਓ, ਤੇ ਦੋਵੇਂ ਹਿੱਸੇ ਦਿਓ: train, test।

    ਦੋਹਾਂ ਹਿੱਸਿਆਂ ਲਈ *ਸਿਖਲਾਈ* ਦੀਆਂ ਕਤਾਰਾਂ ਦਾ ਸਭ ਤੋਂ ਛੋਟਾ ਮੁੱਲ ਅਤੇ ਫੈਲਾਅ ਵਰਤੋ: ਪਰਖ ਦੀਆਂ ਕਤਾਰਾਂ ਉਨ੍ਹਾਂ ਫੁੱਲਾਂ ਦੀ ਥਾਂ
    ਹਨ ਜੋ ਅਜੇ ਕਿਸੇ ਨੇ ਨਹੀਂ ਵੇਖੇ। ਇਸ ਲਈ ਉਹ 0 ਤੋਂ ਥੋੜ੍ਹਾ ਘੱਟ ਜਾਂ 1 ਤੋਂ ਵੱਧ ਵੀ ਹੋ ਸਕਦੀਆਂ ਹਨ। ਜੋ ਐਰੇ ਆਏ ਹਨ, ਉਨ੍ਹਾਂ ਨੂੰ ਨਾ ਬਦਲੋ।
    """
    least = train.min(axis=0)
    size = train.max(axis=0) - least
    return (train - least) / size, (test - least) / size


def targets(y, form):
    """10 ਅੰਕ। ਸਹੀ ਜਵਾਬ (labels) "integers" ਜਾਂ "one-hot" ਦੇ ਰੂਪ ਵਿੱਚ; ਘਾਟਾ "cross_entropy" ਦੋਵੇਂ ਲੈਂਦਾ ਹੈ।

    one-hot ਵਿੱਚ ਤਿੰਨਾਂ ਕਿਸਮਾਂ ਦਾ ਇੱਕ-ਇੱਕ ਕਾਲਮ ਹੈ, ਭਾਵੇਂ ਬੈਚ ਵਿੱਚ ਕੋਈ ਕਿਸਮ ਨਾ ਵੀ ਹੋਵੇ; ਹਰ ਕਤਾਰ ਵਿੱਚ ਆਪਣੀ ਕਿਸਮ ਦੇ
    ਕਾਲਮ ਵਿੱਚ 1 ਹੈ, ਬਾਕੀ ਥਾਂ 0।
    """
    return y if form == "integers" else np.eye(3, dtype="float32")[y]


def build(hidden):
    """compile ਕੀਤਾ ਮਾਡਲ, ਜਿਸ ਦੀ ਸਿਖਲਾਈ ਅਜੇ ਨਹੀਂ ਹੋਈ। ਅਗਲੇ ਤਿੰਨ ਹਿੱਸੇ ਇਸ ਨੂੰ ਵਰਤਦੇ ਹਨ: ਇੱਕ, ਦੋ ਅਤੇ ਵੱਧ ਪਰਤਾਂ ਨਾਲ।

    `hidden` ਅੰਦਰਲੀਆਂ ਪਰਤਾਂ ਦੇ ਆਕਾਰ ਹਨ: () ਭਾਵ 3 ਨਿਊਰੌਨਾਂ ਦੀ ਇੱਕੋ ਪਰਤ, (16,) ਭਾਵ ਦੋ ਪਰਤਾਂ, (32, 32) ਭਾਵ ਤਿੰਨ।
    ਅੰਦਰਲੀਆਂ ਪਰਤਾਂ ਨੂੰ ਐਕਟੀਵੇਸ਼ਨ ਚਾਹੀਦੀ ਹੈ। ਆਖ਼ਰੀ ਪਰਤ ਲੌਜਿਟ ਦਿੰਦੀ ਹੈ, softmax ਤੋਂ ਬਿਨਾਂ; ਸ਼ੁੱਧਤਾ (accuracy) ਵੀ ਮਾਪੋ।
    """
    model = tz.nn.Sequential([*(tz.nn.Dense(size, "relu") for size in hidden), tz.nn.Dense(3)])
    return model.compile(tz.optim.Adam(lr=0.02), "cross_entropy", ["accuracy"])


def train(model, x, y, x_validation, y_validation, seed):
    """25 ਅੰਕ। `build` ਦੇ ਬਣਾਏ ਮਾਡਲ ਨੂੰ ਸਿਖਾਓ, ਤੇ history ਦਿਓ, ਜਿਸ ਵਿੱਚ accuracy ਅਤੇ val_accuracy ਹੋਣ।

    ਇੱਕ ਪਰਤ: 10 ਅੰਕ; ਦੋ ਪਰਤਾਂ, ਛੋਟੀ, ਦਰਮਿਆਨੀ ਅਤੇ ਵੱਡੀ: 10 ਅੰਕ; ਵੱਧ ਪਰਤਾਂ: 5 ਅੰਕ।
    """
    return model.fit(x, y, validation_data=(x_validation, y_validation), epochs=150, batch_size=16, seed=seed,
                     verbose=0)


def overfit(x, y, x_validation, y_validation):
    """10 ਅੰਕ। ਲੋੜ ਤੋਂ ਕਿਤੇ ਵੱਡਾ ਮਾਡਲ ਬਣਾਓ, ਉਸ ਨੂੰ ਲੰਮਾ ਸਮਾਂ ਸਿਖਾਓ, ਤੇ history ਦਿਓ।

    x ਵਿੱਚ 60 ਕਤਾਰਾਂ ਹਨ, ਤੇ ਸਿਰਫ਼ sepal ਦੇ ਦੋ ਮਾਪ, ਜਿਨ੍ਹਾਂ ਵਿੱਚ ਦੋ ਕਿਸਮਾਂ ਰਲਦੀਆਂ ਹਨ। ਸਿਖਲਾਈ ਦਾ ਘਾਟਾ ਜਾਂਚ ਦੇ ਘਾਟੇ ਦੇ
    ਅੱਧ ਤੋਂ ਘੱਟ ਹੋਣਾ ਚਾਹੀਦਾ ਹੈ, ਤੇ ਜਾਂਚ ਦਾ ਘਾਟਾ ਆਪਣੇ ਸਭ ਤੋਂ ਛੋਟੇ ਮੁੱਲ ਤੋਂ ਚੌਥਾ ਹਿੱਸਾ ਵਧਿਆ ਹੋਣਾ ਚਾਹੀਦਾ ਹੈ।
    `callbacks=tz.train.KeepBest(restore=False)` ਵਰਤੋ: ਨਹੀਂ ਤਾਂ `fit` ਆਪ ਹੀ ਸਭ ਤੋਂ ਚੰਗੇ ਦੌਰ ਉੱਤੇ ਮੁੜ ਜਾਂਦਾ ਹੈ।
    """
    model = build((128, 128))
    return model.fit(x, y, validation_data=(x_validation, y_validation), epochs=300, batch_size=16, seed=0, verbose=0,
                     callbacks=tz.train.KeepBest(restore=False))


def avoid(x, y, x_validation, y_validation):
    """5 ਅੰਕ। ਉਨ੍ਹਾਂ ਹੀ ਕਤਾਰਾਂ ਉੱਤੇ ਰੱਟਾ ਲਾਏ ਬਿਨਾਂ ਸਿਖਾਓ, ਤੇ ਮਾਡਲ ਦਿਓ।

    ਜਾਂਚ ਦੀਆਂ ਕਤਾਰਾਂ ਉੱਤੇ ਉਸ ਦਾ ਘਾਟਾ 0.55 ਤੋਂ ਘੱਟ ਹੋਣਾ ਚਾਹੀਦਾ ਹੈ। ਛੋਟਾ ਮਾਡਲ, ਸਮੇਂ ਸਿਰ ਰੋਕਣਾ (early stopping), ਸਭ ਤੋਂ
    ਚੰਗਾ ਦੌਰ, ਡਰਾਪਆਊਟ ਜਾਂ ਭਾਰ ਘਟਾਉਣਾ (weight decay): ਕਿਸ ਨਾਲ ਸਭ ਤੋਂ ਵੱਧ ਲਾਭ ਹੁੰਦਾ ਹੈ?
    """
    model = build((8,))
    model.fit(x, y, validation_data=(x_validation, y_validation), epochs=60, batch_size=16, seed=0, verbose=0)
    return model


def name_of(losses, validation_losses):
    """5 ਅੰਕ। ਸਿਖਲਾਈ ਦੇ ਦੋਵੇਂ ਵਕਰ ਕੀ ਦੱਸਦੇ ਹਨ: "underfitting", "overfitting" ਜਾਂ "about right"।

    ਦੋਵੇਂ ਕਰਾਸ-ਐਂਟਰੋਪੀ ਦੀਆਂ ਸੂਚੀਆਂ ਹਨ, ਹਰ ਦੌਰ ਦਾ ਇੱਕ ਮੁੱਲ। ਤਿੰਨ ਬਰਾਬਰ ਸੰਭਾਵਨਾਵਾਂ ਦੇ ਅੰਦਾਜ਼ੇ ਦਾ ਘਾਟਾ ln 3 = 1.1 ਹੈ।
    """
    if losses[-1] > 0.8:
        return "underfitting"
    return "overfitting" if validation_losses[-1] > 1.2 * min(validation_losses) else "about right"
