"""The held-out half: its sources of rows and the recipes of its cases. Nothing of a diagnoser was chosen by it."""

from __future__ import annotations

import gzip
import sys
from functools import cache
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from cases import DATA, numbers, one_hot, read_table, standardised
from generator import Recipe, Source, needed


@cache
def _of_scikit_learn(name: str) -> Source:
    """One of the data sets that come with scikit-learn."""
    import sklearn.datasets
    found = getattr(sklearn.datasets, f"load_{name}")()
    if name == "diabetes":  # the progress of the disease after a year
        return Source(standardised(found.data), standardised(found.target), domain=found.data[:, 0])
    if name == "digits":
        x = (found.data - found.data.mean()) / found.data.std()
        return Source(x.astype(np.float32), found.target.astype(np.int64), image=(8, 8))
    return Source(np.clip(standardised(found.data), -5, 5), found.target.astype(np.int64), domain=found.data[:, 0])


@cache
def _penguins() -> tuple[dict[str, list[str]], np.ndarray]:
    table = read_table("tables/penguins.csv")
    return table, numbers(table, "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "year")


@cache
def penguins_species() -> Source:
    """Which of three species, from the sizes without the mass."""
    table, sizes = _penguins()
    known = ~np.isnan(sizes).any(axis=1)
    species = np.unique(table["species"], return_inverse=True)[1]
    return Source(standardised(sizes[known][:, [0, 1, 2, 4]]), species[known].astype(np.int64))


@cache
def penguins_mass() -> Source:
    """The body mass from the other sizes, species, island and sex."""
    table, sizes = _penguins()
    known = ~np.isnan(sizes).any(axis=1)
    x = np.hstack([sizes[:, :3], *(one_hot(table[name]) for name in ("species", "island", "sex"))])[known]
    return Source(np.clip(standardised(x), -4, 4), standardised(sizes[known, 3]))


@cache
def sunspots() -> Source:
    """The next month's sunspots, as a root, from the last twelve months; domain: the time."""
    with gzip.open(DATA / "series/sunspots.txt.gz", "rt") as file:
        series = np.sqrt(np.array(file.read().split(), dtype=float))
    windows = np.lib.stride_tricks.sliding_window_view(series, 13)
    return Source(standardised(windows[:, :12]), standardised(windows[:, 12]), domain=np.arange(len(windows)))


@cache
def _text() -> np.ndarray:
    """tinyshakespeare as numbers: 0 to 25 for the letters of either case, 26 for all else."""
    with gzip.open(DATA / "text/tinyshakespeare.txt.gz") as file:
        codes = np.frombuffer(file.read().lower(), dtype=np.uint8).astype(np.int64) - ord("a")
    return np.where((codes >= 0) & (codes < 26), codes, 26)


@cache
def text_next() -> Source:
    """Whether a vowel, a consonant or no letter follows the last three characters; domain: the place in the text."""
    windows = np.lib.stride_tricks.sliding_window_view(_text(), 4)[::53]
    kind = np.where(windows[:, 3] == 26, 2, ~np.isin(windows[:, 3], [0, 4, 8, 14, 20]))
    x = np.eye(27)[windows[:, :3]].reshape(len(windows), -1)
    return Source(np.clip(standardised(x), -2, 4), kind.astype(np.int64), domain=np.arange(len(x)))


@cache
def text_third() -> Source:
    """Which third of the text, from how often each letter occurs in 100 characters."""
    pieces = _text()[:1115300].reshape(-1, 100)
    x = (pieces[:, :, None] == np.arange(27)).sum(axis=1)
    return Source(np.clip(standardised(x), -4, 4), np.arange(len(x)) * 3 // len(x))


@cache
def _flights() -> tuple[dict[str, list[str]], np.ndarray, np.ndarray]:
    table = read_table("tables/flights.csv.gz", every=17)
    known = ~np.isnan(numbers(table, "arr_delay", "air_time", "dep_delay")).any(axis=1)
    month, hour = numbers(table, "month", "hour").T
    when = np.column_stack([np.cos(month / 6 * np.pi), np.sin(month / 6 * np.pi), hour])
    return table, known, when


@cache
def flights_speed() -> Source:
    """The distance divided by the time in the air; domain: the month."""
    table, known, when = _flights()
    x = np.hstack([numbers(table, "distance", "flight"), when, one_hot(table["carrier"]), one_hot(table["origin"])])
    distance, time, month = numbers(table, "distance", "air_time", "month")[known].T
    return Source(np.clip(standardised(x[known]), -5, 5), standardised(distance / time), domain=month)


@cache
def flights_origin() -> Source:
    """Which of three airports a flight is from; domain: the hour."""
    table, known, when = _flights()
    x = np.hstack([numbers(table, "distance", "air_time", "sched_dep_time", "minute"), when, one_hot(table["carrier"])])
    origin = np.unique(table["origin"], return_inverse=True)[1]
    return Source(np.clip(standardised(x[known]), -5, 5), origin[known].astype(np.int64), domain=when[known, 2])


@cache
def _weather() -> dict[str, np.ndarray]:
    table = read_table("series/weather.csv.gz", every=2)
    names = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "pressure", "visib", "hour", "month")
    columns = numbers(table, *names)
    return dict(zip(names, columns[~np.isnan(columns).any(axis=1)].T, strict=True))


def _weather_features(*names: str) -> np.ndarray:
    of = _weather()
    season, day, wind = of["month"] / 6 * np.pi, of["hour"] / 12 * np.pi, np.radians(of["wind_dir"])
    return standardised(np.column_stack([turn(angle) for angle in (season, day, wind) for turn in (np.cos, np.sin)]
                                        + [of[name] for name in names]))


@cache
def weather_dew() -> Source:
    """The dew point from the season, the hour, wind, pressure and sight; domain: the month."""
    return Source(_weather_features("wind_speed", "pressure", "visib"), standardised(_weather()["dewp"]),
                  domain=_weather()["month"])


@cache
def weather_wind() -> Source:
    """Which third of the wind speeds, from the rest of the weather: mostly chance; domain: the temperature."""
    speed = _weather()["wind_speed"]
    return Source(_weather_features("temp", "humid", "pressure", "visib"),
                  np.digitize(speed, np.quantile(speed, [1 / 3, 2 / 3])).astype(np.int64), domain=_weather()["temp"])


def _friedman_2_features(random: np.random.Generator, rows: int) -> np.ndarray:
    low, high = np.array([[0, 100], [40 * np.pi, 560 * np.pi], [0, 1], [1, 11]]).T
    return random.uniform(low, high, size=(rows, 4))


def friedman_2(rows: int, seed: int) -> Source:
    """The impedance of a circuit, with noise of a tenth of its standard deviation; domain: the resistance."""
    random = np.random.default_rng(seed)
    x = _friedman_2_features(random, rows)
    y = np.hypot(x[:, 0], x[:, 1] * x[:, 2] - 1 / (x[:, 1] * x[:, 3]))
    return Source(standardised(x), standardised(y + 0.1 * y.std() * random.normal(size=rows)), domain=x[:, 1])


def friedman_3(rows: int, seed: int) -> Source:
    """The phase of the circuit, with noise of a third of its standard deviation; domain: the resistance."""
    random = np.random.default_rng(seed)
    x = _friedman_2_features(random, rows)
    y = np.arctan((x[:, 1] * x[:, 2] - 1 / (x[:, 1] * x[:, 3])) / x[:, 0])
    return Source(standardised(x), standardised(y + y.std() / 3 * random.normal(size=rows)), domain=x[:, 0])


def circles(rows: int, seed: int) -> Source:
    """Three rings, blurred, and two features of noise; domain: the angle."""
    random = np.random.default_rng(seed)
    label, angle = random.integers(3, size=rows), 2 * np.pi * random.random(rows)
    x = np.column_stack([np.cos(angle), np.sin(angle)]) * (1 + label)[:, None] + 0.25 * random.normal(size=(rows, 2))
    return Source(standardised(np.hstack([x, random.normal(size=(rows, 2))])), label.astype(np.int64), domain=angle)


def checkerboard(rows: int, seed: int) -> Source:
    """The color of a square on a board of four by four, a twentieth of them drawn; domain: the column."""
    random = np.random.default_rng(seed)
    x = random.uniform(0, 4, size=(rows, 2))
    label = np.where(random.random(rows) < 0.05, random.integers(2, size=rows), np.floor(x).sum(axis=1) % 2)
    return Source(standardised(x), label.astype(np.int64), domain=x[:, 0])


def xor(rows: int, seed: int) -> Source:
    """Whether three of ten features have a product above zero; domain: the first one."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 10))
    return Source(x.astype(np.float32), (x[:, :3].prod(axis=1) + 0.1 * random.normal(size=rows) > 0).astype(np.int64),
                  domain=x[:, 0])


def sparse_linear(rows: int, seed: int) -> Source:
    """A linear model of five out of thirty features, with noise of half its standard deviation; domain: one of them."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 30))
    y = x[:, :5] @ random.choice([-1, 1], size=5)
    return Source(x.astype(np.float32), standardised(y + y.std() / 2 * random.normal(size=rows)), domain=x[:, 0])


def sparse_logistic(rows: int, seed: int) -> Source:
    """A logistic model of four out of twenty features; domain: one of them."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 20))
    chance = 1 / (1 + np.exp(-2 * x[:, :4] @ random.choice([-1, 1], size=4)))
    return Source(x.astype(np.float32), (random.random(rows) < chance).astype(np.int64), domain=x[:, 0])


def sines(rows: int, seed: int) -> Source:
    """A sum of sines of four features, each of another frequency, with a little noise; domain: the first feature."""
    random = np.random.default_rng(seed)
    x = random.uniform(-1, 1, size=(rows, 4))
    y = np.sin(np.pi * x * [1, 1.5, 2, 3]).sum(axis=1) + 0.2 * random.normal(size=rows)
    return Source(standardised(x), standardised(y), domain=x[:, 0])


def quadratic(rows: int, seed: int) -> Source:
    """A random quadratic form of eight features, with a little noise; domain: the first feature."""
    random = np.random.default_rng(seed)
    x, form = random.normal(size=(rows, 8)), random.normal(size=(8, 8))
    y = np.einsum("ni,ij,nj->n", x, form, x)
    return Source(x.astype(np.float32), standardised(np.clip(y, *np.quantile(y, [0.01, 0.99]))
                                                     + 0.2 * y.std() * random.normal(size=rows)), domain=x[:, 0])


def hastie(rows: int, seed: int) -> Source:
    """Example 10.2 of Hastie and others (2009): whether ten squares add up to more than 9.34; domain: one feature."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 10))
    return Source(x.astype(np.float32), ((x**2).sum(axis=1) > 9.34).astype(np.int64), domain=x[:, 0])


REAL = {name: lambda name=name: _of_scikit_learn(name)
        for name in ("digits", "wine", "breast_cancer", "diabetes", "iris")}
REAL |= {"penguins_species": penguins_species, "penguins_mass": penguins_mass, "sunspots": sunspots,
         "text_next": text_next, "text_third": text_third, "flights_speed": flights_speed,
         "flights_origin": flights_origin, "weather_dew": weather_dew, "weather_wind": weather_wind}
DRAWN = {"friedman_2": friedman_2, "friedman_3": friedman_3, "circles": circles, "checkerboard": checkerboard,
         "xor": xor, "sparse_linear": sparse_linear, "sparse_logistic": sparse_logistic, "sines": sines,
         "quadratic": quadratic, "hastie": hastie}


def load(recipe: Recipe) -> Source:
    """The rows that a case is made from; rare classes are picked from four times as many as are used."""
    if recipe.source in DRAWN:
        times = 4 if recipe.shift and recipe.shift[0] == "classes" else 1
        return DRAWN[recipe.source](times * needed(recipe), recipe.seed)
    return REAL[recipe.source]()


RECIPES = [  # name, source, seed, training rows, validation rows; then what differs from the defaults
    Recipe("breast_cancer-1", "breast_cancer", 574456, 112, 48, widths=(32, 32), activation="tanh", lr=0.06, epochs=50,
           keep="last"),
    Recipe("circles-1", "circles", 546717, 992, 320, shift=("domain", 0.7), widths=(4,), weight_decay=0.01,
           optimizer="adamw", lr=0.003, epochs=16, keep="last"),
    Recipe("circles-2", "circles", 583767, 288, 320, shift=("domain", 0.5), widths=(128,), activation="tanh", lr=0.003,
           epochs=44, batch_size=16, keep="last"),
    Recipe("circles-3", "circles", 705582, 64, 320, widths=(64,), optimizer="rmsprop", lr=0.005, epochs=50,
           batch_size=16),
    Recipe("circles-6", "circles", 879638, 800, 320, widths=(32, 32), dropout=0.5, optimizer="rmsprop", lr=0.005,
           epochs=16, batch_size=16),
    Recipe("diabetes-1", "diabetes", 288847, 80, 48, widths=(128, 64), lr=0.003, epochs=50, keep="last"),
    Recipe("flights_origin-1", "flights_origin", 64288, 288, 320, leak=("code", 0.8, "blank"), widths=(128,),
           weight_decay=0.01, optimizer="adamw", lr=0.002, epochs=17, batch_size=16),
    Recipe("flights_origin-2", "flights_origin", 149798, 800, 320, widths=(32,), dropout=0.5, lr=0.005, epochs=12),
    Recipe("flights_origin-3", "flights_origin", 831587, 1472, 320, widths=(6,), activation="tanh", weight_decay=0.01,
           optimizer="adamw", lr=0.005, epochs=11, batch_size=16, keep="last"),
    Recipe("flights_speed-1", "flights_speed", 162423, 480, 320, leak=("target", 0.8, "shuffled"), widths=(32, 32),
           activation="tanh", optimizer="sgd", lr=0.1, epochs=50),
    Recipe("flights_speed-2", "flights_speed", 714987, 2400, 320, widths=(32,), activation="tanh", optimizer="sgd",
           lr=0.2, epochs=7, keep="last"),
    Recipe("friedman_2-2", "friedman_2", 454871, 1472, 320, activation="tanh", optimizer="sgd", lr=0.02, epochs=17),
    Recipe("friedman_2-3", "friedman_2", 638501, 800, 320, widths=(3,), activation="tanh", lr=0.005, epochs=20,
           batch_size=16),
    Recipe("friedman_3-1", "friedman_3", 76701, 2400, 320, noise=0.4, weight_decay=0.01, optimizer="adamw", lr=0.005,
           epochs=2, batch_size=16, keep="last"),
    Recipe("friedman_3-3", "friedman_3", 283029, 2400, 320, noise=0.05, weight_decay=0.01, optimizer="adamw", lr=0.003,
           epochs=3, batch_size=16),
    Recipe("friedman_3-4", "friedman_3", 541963, 288, 320, leak=("code", 0.8, "blank"), widths=(64,), activation="tanh",
           optimizer="sgd", lr=0.1, epochs=44, batch_size=16),
    Recipe("friedman_3-5", "friedman_3", 872480, 1472, 320, widths=(64,), dropout=0.5, weight_decay=0.1,
           optimizer="rmsprop", lr=0.003, epochs=5, batch_size=16),
    Recipe("hastie-1", "hastie", 88479, 1472, 320, noise=0.2, lr=0.005, epochs=7, keep="last"),
    Recipe("hastie-3", "hastie", 599110, 288, 320, widths=(4,), lr=0.005, epochs=33, keep="last"),
    Recipe("hastie-4", "hastie", 826051, 192, 320, widths=(256,), lr=0.003, epochs=50, keep="last"),
    Recipe("iris-1", "iris", 91554, 16, 24, widths=(), activation="tanh", lr=0.003, epochs=50, batch_size=16,
           keep="last"),
    Recipe("penguins_mass-1", "penguins_mass", 60912, 64, 24, shift=("drift", 2.5), widths=(256,), dropout=0.5,
           optimizer="sgd", lr=0.1, epochs=50, batch_size=16),
    Recipe("penguins_mass-2", "penguins_mass", 196448, 64, 24, noise=0.3, noise_kind="outliers", widths=(48, 24),
           lr=0.002, epochs=50, keep="last"),
    Recipe("quadratic-1", "quadratic", 140237, 2400, 320, weight_decay=0.001, optimizer="sgd", lr=0.3, epochs=4),
    Recipe("quadratic-5", "quadratic", 861674, 288, 320, noise=0.3, widths=(32,), weight_decay=0.01, optimizer="adamw",
           lr=0.003, epochs=50, keep="last"),
    Recipe("sines-1", "sines", 144817, 800, 320, widths=(32, 32), lr=0.005, epochs=6, batch_size=16, keep="last"),
    Recipe("sines-2", "sines", 182793, 1472, 320, widths=(), lr=0.01, epochs=11, batch_size=16),
    Recipe("sines-3", "sines", 356040, 288, 320, widths=(48, 24), dropout=0.7, optimizer="sgd", lr=0.05, epochs=17,
           batch_size=16, keep="last"),
    Recipe("sines-4", "sines", 591889, 1472, 320, shift=("drift", 1.0), widths=(48, 24), weight_decay=0.01,
           optimizer="adamw", lr=0.003, epochs=3, batch_size=16),
    Recipe("sines-5", "sines", 602981, 480, 320, leak=("copies", 1.0), widths=(128,), lr=0.005, epochs=33),
    Recipe("sparse_linear-1", "sparse_linear", 46613, 480, 320, widths=(128,), dropout=0.7, optimizer="sgd", lr=0.1,
           epochs=50, keep="last"),
    Recipe("sparse_linear-2", "sparse_linear", 144561, 800, 320, leak=("target", 0.8, "blank"), widths=(48, 24),
           weight_decay=0.01, optimizer="adamw", lr=0.003, epochs=10, batch_size=16, keep="last"),
    Recipe("sparse_linear-3", "sparse_linear", 216445, 64, 320, widths=(128,), lr=0.002, epochs=50, batch_size=16),
    Recipe("sparse_linear-4", "sparse_linear", 320431, 1472, 320, leak=("code", 0.8, "shuffled"), widths=(64,),
           optimizer="rmsprop", lr=0.002, epochs=3, batch_size=16, keep="last"),
    Recipe("sparse_linear-5", "sparse_linear", 457386, 992, 320, widths=(128,), dropout=0.5, lr=0.005, epochs=16),
    Recipe("sparse_linear-7", "sparse_linear", 697956, 800, 320, widths=(), lr=0.01, epochs=40),
    Recipe("sparse_logistic-4", "sparse_logistic", 652927, 2400, 320, leak=("code", 0.8, "shuffled"), widths=(32,),
           lr=0.002, epochs=11, keep="last"),
    Recipe("sunspots-1", "sunspots", 264582, 480, 320, widths=(256, 256), activation="tanh", lr=0.0009, epochs=2,
           batch_size=16),
    Recipe("weather_dew-1", "weather_dew", 381835, 2240, 320, noise=0.1, noise_kind="outliers", widths=(48, 24),
           lr=0.003, epochs=4, batch_size=16, keep="last"),
    Recipe("weather_dew-4", "weather_dew", 837593, 480, 320, widths=(3,), activation="tanh", lr=0.01, epochs=33,
           batch_size=16),
    Recipe("weather_wind-1", "weather_wind", 212512, 992, 320, widths=(32,), lr=0.005, epochs=5, batch_size=16),
    Recipe("weather_wind-2", "weather_wind", 278468, 992, 320, widths=(32,), lr=0.003, epochs=10, keep="last"),
    Recipe("weather_wind-3", "weather_wind", 665413, 800, 320, widths=(64,), activation="tanh", optimizer="sgd",
           lr=0.010000000000000002, epochs=4, keep="last"),
]
