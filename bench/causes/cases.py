"""The visible half: its sources of rows and the recipes of its cases."""

from __future__ import annotations

import csv
import gzip
import os
import sys
from functools import cache
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
from generator import Recipe, Source, needed

DATA = Path(os.environ.get("TARAZU_DATA", "data"))  # with the folders mnist, fashion-mnist, tables and series


def standardised(x: np.ndarray) -> np.ndarray:
    x = np.asarray(x, dtype=np.float64)
    return ((x - x.mean(axis=0)) / (x.std(axis=0) + 1e-9)).astype(np.float32)


def one_hot(values: list[str]) -> np.ndarray:
    return np.unique(values, return_inverse=True)[1][:, None] == np.arange(len(set(values)))


@cache
def _pictures(name: str) -> Source:
    """The first 20,000 training pictures, 28 x 28 averaged to 14 x 14."""
    def read(part: str, header: int) -> np.ndarray:
        with gzip.open(DATA / name / f"train-{part}.gz") as file:
            return np.frombuffer(file.read(), dtype=np.uint8, offset=header)
    x = read("images-idx3-ubyte", 16).reshape(-1, 14, 2, 14, 2)[:20000].mean(axis=(2, 4)).reshape(-1, 196)
    return Source(((x - x.mean()) / x.std()).astype(np.float32), read("labels-idx1-ubyte", 8)[:20000].astype(np.int64),
                  image=(14, 14))


@cache
def read_table(name: str, every: int = 1) -> dict[str, list[str]]:
    """The columns of a CSV file, of each `every`-th row."""
    path = DATA / name
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        lines = list(csv.reader(file))
    return dict(zip(lines[0], map(list, zip(*lines[1::every], strict=True)), strict=True))


def numbers(table: dict[str, list[str]], *names: str) -> np.ndarray:
    return np.array([[float(v) if v not in ("NA", "") else np.nan for v in table[name]] for name in names]).T


@cache
def diamonds() -> Source:
    """The logarithm of the price; domain: the weight."""
    table = read_table("tables/diamonds.csv.gz", every=2)
    x = np.hstack([numbers(table, "carat", "depth", "table", "x", "y", "z"),
                   *(one_hot(table[name]) for name in ("cut", "color", "clarity"))])
    return Source(np.clip(standardised(x), -5, 5), standardised(np.log(numbers(table, "price")[:, 0])), domain=x[:, 0])


@cache
def diamonds_cut() -> Source:
    """Which of five cuts; domain: the price."""
    table = read_table("tables/diamonds.csv.gz", every=2)
    x = np.hstack([numbers(table, "carat", "depth", "table", "x", "y", "z", "price"), one_hot(table["clarity"])])
    cuts = ["Fair", "Good", "Very Good", "Premium", "Ideal"]
    return Source(np.clip(standardised(x), -5, 5), np.array([cuts.index(c) for c in table["cut"]]), domain=x[:, 6])


def _flights() -> tuple[dict[str, list[str]], np.ndarray]:
    table = read_table("tables/flights.csv.gz", every=17)
    known = ~np.isnan(numbers(table, "arr_delay", "air_time", "dep_delay")).any(axis=1)
    return table, known


@cache
def flights_delay() -> Source:
    """The delay at arrival (cut at three hours) from that at departure and more; domain: the month."""
    table, known = _flights()
    month, hour = numbers(table, "month", "hour").T
    x = np.hstack([np.clip(numbers(table, "dep_delay", "distance", "air_time", "day"), -60, 3000),
                   np.cos(month / 6 * np.pi)[:, None], np.sin(month / 6 * np.pi)[:, None], hour[:, None],
                   one_hot(table["carrier"]), one_hot(table["origin"])])[known]
    y = np.clip(numbers(table, "arr_delay")[known, 0], -60, 180)
    return Source(np.clip(standardised(x), -5, 5), standardised(y), domain=month[known])


@cache
def flights_carrier() -> Source:
    """Which of the six largest airlines, from the plan; domain: the hour."""
    table, known = _flights()
    carrier = np.array(table["carrier"])
    names, counts = np.unique(carrier, return_counts=True)
    largest = list(names[np.argsort(-counts)][:6])
    known = known & np.isin(carrier, largest)
    x = np.hstack([numbers(table, "distance", "air_time", "sched_dep_time", "flight", "minute"),
                   one_hot(table["origin"])])[known]
    return Source(np.clip(standardised(x), -5, 5), np.array([largest.index(c) for c in carrier[known]]),
                  domain=x[:, 2])


@cache
def flights_late() -> Source:
    """Whether a flight arrives a quarter of an hour late, from the plan alone: mostly chance; domain: the month."""
    table, known = _flights()
    month, hour = numbers(table, "month", "hour").T
    x = np.hstack([numbers(table, "distance", "day", "minute"), np.cos(month / 6 * np.pi)[:, None],
                   np.sin(month / 6 * np.pi)[:, None], hour[:, None], one_hot(table["carrier"]),
                   one_hot(table["origin"])])[known]
    late = numbers(table, "arr_delay")[known, 0] > 15
    return Source(np.clip(standardised(x), -5, 5), late.astype(np.int64), domain=month[known])


@cache
def _weather() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    table = read_table("series/weather.csv.gz", every=2)
    names = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "pressure", "visib", "hour", "month", "precip")
    columns = numbers(table, *names)
    columns = columns[~np.isnan(columns).any(axis=1)]
    return columns, dict(zip(names, columns.T, strict=True))


@cache
def weather_humidity() -> Source:
    """A smooth function of temperature and dew point, with features that do not matter; domain: the temperature."""
    columns, of = _weather()
    return Source(standardised(columns[:, [0, 1, 4, 5, 6, 7]]), standardised(of["humid"]), domain=of["temp"])


@cache
def weather_temperature() -> Source:
    """The temperature from the season, the hour and the rest of the weather; domain: the month."""
    _, of = _weather()
    season, day = of["month"] / 6 * np.pi, of["hour"] / 12 * np.pi
    x = np.column_stack([np.cos(season), np.sin(season), np.cos(day), np.sin(day), np.cos(np.radians(of["wind_dir"])),
                         np.sin(np.radians(of["wind_dir"])), of["wind_speed"], of["pressure"], of["visib"],
                         of["humid"]])
    return Source(standardised(x), standardised(of["temp"]), domain=of["month"])


@cache
def mpg() -> Source:
    """Miles per gallon on the highway of 234 cars."""
    table = read_table("tables/mpg.csv")
    x = np.hstack([numbers(table, "displ", "year", "cyl"), *(one_hot(table[n]) for n in ("drv", "fl", "class"))])
    return Source(np.clip(standardised(x), -4, 4), standardised(numbers(table, "hwy")[:, 0]))


def friedman(rows: int, seed: int) -> Source:
    """Friedman 1: five of ten features matter; noise of variance 1 in about 25."""
    random = np.random.default_rng(seed)
    x = random.random((rows, 10))
    y = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    return Source(standardised(x), standardised(y + random.normal(size=rows)), domain=x[:, 3])


def spirals(rows: int, seed: int) -> Source:
    """Two spirals of one and a half turns, blurred; domain: the distance from the middle."""
    random = np.random.default_rng(seed)
    label, along = random.integers(2, size=rows), np.sqrt(random.random(rows)) * 3 * np.pi
    x = np.column_stack([np.cos(along + np.pi * label) * along, np.sin(along + np.pi * label) * along])
    return Source(standardised(x + random.normal(size=x.shape) * 0.5), label.astype(np.int64), domain=along)


def moons(rows: int, seed: int) -> Source:
    """Two half moons that overlap, and four features of noise; domain: along the moons."""
    random = np.random.default_rng(seed)
    label, along = random.integers(2, size=rows), np.pi * random.random(rows)
    x = np.column_stack([np.cos(along) * (1 - 2 * label) + label, np.sin(along) * (1 - 2 * label) + label / 2])
    x = np.hstack([x + 0.4 * random.normal(size=x.shape), random.normal(size=(rows, 4))])
    return Source(standardised(x), label.astype(np.int64), domain=along)


def teacher(rows: int, seed: int) -> Source:
    """Which of five outputs of a random network is largest; a twentieth of the answers is blurred."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 20))
    hidden = np.tanh(x @ random.normal(size=(20, 12)) / 2)
    scores = hidden @ random.normal(size=(12, 5)) + 0.3 * random.normal(size=(rows, 5))
    return Source(x.astype(np.float32), scores.argmax(axis=1).astype(np.int64), domain=x[:, 0] + x[:, 1])


REAL = {"mnist": lambda: _pictures("mnist"), "fashion": lambda: _pictures("fashion-mnist"), "diamonds": diamonds,
        "diamonds_cut": diamonds_cut, "flights_delay": flights_delay, "flights_carrier": flights_carrier,
        "flights_late": flights_late, "weather_humidity": weather_humidity,
        "weather_temperature": weather_temperature, "mpg": mpg}
DRAWN = {"friedman": friedman, "spirals": spirals, "moons": moons, "teacher": teacher}


def load(recipe: Recipe) -> Source:
    """The rows that a case is made from."""
    if recipe.source in DRAWN:
        return DRAWN[recipe.source](needed(recipe), recipe.seed)
    return REAL[recipe.source]()


RECIPES = [  # name, source, seed, training rows, validation rows; then what differs from the defaults
    Recipe("diamonds-1", "diamonds", 5774, 992, 320, shift=("drift", 2.5), widths=(64,), activation="tanh", epochs=32,
           keep="last"),
    Recipe("diamonds-2", "diamonds", 876914, 992, 160, noise=0.5, widths=(64,), activation="tanh", optimizer="sgd",
           lr=0.02, epochs=32),
    Recipe("diamonds-3", "diamonds", 887302, 1472, 160, widths=(64,), activation="tanh", optimizer="rmsprop",
           epochs=43, keep="last"),
    Recipe("diamonds-4", "diamonds", 224313, 480, 320, widths=(32, 32), lr=0.02, epochs=20, batch_size=16),
    Recipe("diamonds-5", "diamonds", 863143, 1472, 320, widths=(64,), optimizer="rmsprop", lr=0.003, epochs=5,
           batch_size=16, keep="last"),
    Recipe("diamonds-6", "diamonds", 340372, 2400, 320, optimizer="rmsprop", epochs=7, batch_size=16, keep="last"),
    Recipe("diamonds-7", "diamonds", 502146, 1984, 160, widths=(64,), lr=0.003, epochs=3, batch_size=16, keep="last"),
    Recipe("diamonds-8", "diamonds", 29763, 800, 320, widths=(32,), lr=0.05),
    Recipe("diamonds-9", "diamonds", 774235, 992, 320, widths=(256,), dropout=0.7),
    Recipe("diamonds-10", "diamonds", 876221, 600, 160, leak=("code", 0.9, "shuffled"), widths=(128,), dropout=0.7,
           epochs=16),
    Recipe("diamonds-11", "diamonds", 606574, 992, 320, leak=("target", 0.8, "shuffled"), widths=(64,), lr=0.003,
           epochs=2, batch_size=16),
    Recipe("diamonds-12", "diamonds", 467209, 224, 160, leak=("code", 0.9, "shuffled"), widths=(128, 64), epochs=50,
           keep="last"),
    Recipe("diamonds_cut-1", "diamonds_cut", 91428, 288, 320, leak=("copies", 1.0), widths=(128, 128), epochs=120),
    Recipe("diamonds_cut-2", "diamonds_cut", 199345, 992, 160, widths=(32, 32), dropout=0.9, epochs=32, keep="last"),
    Recipe("diamonds_cut-3", "diamonds_cut", 247187, 800, 160, widths=(128,), dropout=0.1, optimizer="sgd", lr=0.3,
           epochs=40),
    Recipe("diamonds_cut-4", "diamonds_cut", 532196, 1472, 320, shift=("domain", 0.4), widths=(64,), optimizer="sgd",
           lr=0.02, epochs=13),
    Recipe("diamonds_cut-5", "diamonds_cut", 987436, 800, 160, widths=(), activation="tanh", epochs=80, keep="last"),
    Recipe("diamonds_cut-6", "diamonds_cut", 954932, 480, 320, leak=("code", 0.97, "shuffled"), activation="tanh",
           lr=0.015, epochs=40, batch_size=16, keep="last"),
    Recipe("diamonds_cut-7", "diamonds_cut", 497291, 2400, 160, leak=("target", 0.35, "shuffled"), widths=(128,),
           epochs=19),
    Recipe("diamonds_cut-8", "diamonds_cut", 402564, 1472, 160, noise=0.3, noise_kind="pairs", widths=(64,), lr=0.01,
           epochs=4, batch_size=16),
    Recipe("fashion-1", "fashion", 113472, 480, 160, widths=(64,), dropout=0.7, weight_decay=0.1, epochs=60,
           keep="last"),
    Recipe("fashion-2", "fashion", 286171, 64, 320, widths=(32, 32), dropout=0.2, epochs=80),
    Recipe("fashion-3", "fashion", 551750, 576, 160, widths=(128,), activation="tanh", weight_decay=0.01,
           optimizer="adamw", lr=0.0001, epochs=5),
    Recipe("fashion-4", "fashion", 603564, 576, 160, shift=("roll", 1), widths=(32, 32), activation="tanh", epochs=53,
           keep="last"),
    Recipe("fashion-5", "fashion", 642195, 992, 160, noise=0.4, epochs=19, keep="last"),
    Recipe("fashion-6", "fashion", 643486, 144, 160, noise=0.05, widths=(256, 256), activation="tanh",
           weight_decay=0.01, optimizer="adamw", epochs=107, batch_size=16, keep="last"),
    Recipe("fashion-7", "fashion", 758650, 1488, 320, leak=("target", 0.7, "shuffled"), widths=(32, 32),
           weight_decay=0.01, optimizer="adamw", epochs=8, batch_size=16),
    Recipe("fashion-8", "fashion", 673651, 480, 320, widths=(64,), activation="tanh", optimizer="sgd", lr=0.2,
           epochs=40),
    Recipe("fashion-9", "fashion", 426651, 480, 160, noise=0.2, dropout=0.6, optimizer="rmsprop", epochs=40,
           batch_size=16, keep="last"),
    Recipe("flights_carrier-1", "flights_carrier", 35854, 992, 160, widths=(64,), weight_decay=0.03, epochs=16,
           batch_size=16),
    Recipe("flights_carrier-2", "flights_carrier", 216641, 1984, 160, widths=(3,), epochs=40),
    Recipe("flights_delay-1", "flights_delay", 330171, 192, 320, widths=(128, 64), optimizer="rmsprop", epochs=250,
           keep="last"),
    Recipe("flights_delay-2", "flights_delay", 728403, 992, 160, leak=("target", 0.99, "shuffled"), activation="tanh",
           optimizer="rmsprop", epochs=10, batch_size=16),
    Recipe("flights_delay-3", "flights_delay", 998734, 1488, 160, epochs=21, batch_size=16, keep="last"),
    Recipe("flights_delay-4", "flights_delay", 705, 96, 40, widths=(256, 256), epochs=40, batch_size=16),
    Recipe("flights_delay-5", "flights_delay", 470013, 480, 320, widths=(32, 32), lr=0.03, epochs=33, batch_size=16,
           keep="last"),
    Recipe("flights_delay-6", "flights_delay", 229287, 800, 320, noise=0.1, noise_kind="outliers", widths=(32, 32),
           activation="tanh", dropout=0.4, epochs=12, batch_size=16),
    Recipe("flights_delay-7", "flights_delay", 350681, 1472, 160, widths=(3,), activation="tanh", lr=0.005, epochs=25,
           batch_size=16),
    Recipe("flights_delay-8", "flights_delay", 7127, 1984, 160, widths=(64,), weight_decay=0.01, optimizer="adamw",
           lr=0.003, epochs=6, batch_size=16, keep="last"),
    Recipe("flights_delay-9", "flights_delay", 252780, 2400, 160, widths=(128,), activation="tanh",
           optimizer="rmsprop", epochs=7, batch_size=16, keep="last"),
    Recipe("flights_delay-10", "flights_delay", 963564, 480, 320, shift=("classes", 1.0), widths=(64,), epochs=40,
           batch_size=16, keep="last"),
    Recipe("flights_delay-11", "flights_delay", 36750, 600, 320, shift=("classes", 4.0), widths=(128,), dropout=0.6,
           epochs=16),
    Recipe("flights_delay-12", "flights_delay", 854107, 600, 160, widths=(32,), lr=0.05, epochs=16),
    Recipe("flights_delay-13", "flights_delay", 927677, 992, 160, leak=("target", 0.8, "shuffled"), widths=(64,),
           lr=0.01, epochs=3, batch_size=16),
    Recipe("flights_late-1", "flights_late", 52, 800, 320, leak=("copies", 1.0), widths=(128, 128), epochs=80),
    Recipe("flights_late-2", "flights_late", 6493, 288, 320, widths=(256, 128), optimizer="sgd", lr=0.06, epochs=250,
           keep="last"),
    Recipe("flights_late-3", "flights_late", 268762, 480, 160, widths=(256, 128), lr=0.003, epochs=224, keep="last"),
    Recipe("flights_late-4", "flights_late", 312108, 48, 320, widths=(512, 256), optimizer="rmsprop", lr=0.005,
           epochs=2, batch_size=8),
    Recipe("flights_late-5", "flights_late", 227304, 1472, 320, shift=("classes", 4.0), widths=(4,), lr=0.005),
    Recipe("friedman-1", "friedman", 132505, 992, 160, widths=(32, 32), activation="tanh", dropout=0.6,
           weight_decay=0.1, optimizer="rmsprop", epochs=48, keep="last"),
    Recipe("friedman-2", "friedman", 627220, 512, 320, widths=(32, 32), activation="tanh", optimizer="sgd", lr=0.006,
           epochs=2, batch_size=128, keep="last"),
    Recipe("friedman-3", "friedman", 656289, 384, 160, widths=(64,), dropout=0.1, optimizer="sgd", lr=0.5, epochs=48),
    Recipe("friedman-4", "friedman", 723092, 288, 320, noise=0.4, widths=(64,), dropout=0.2, epochs=32, batch_size=16,
           keep="last"),
    Recipe("friedman-5", "friedman", 794212, 800, 320, widths=(), optimizer="rmsprop", lr=0.003, epochs=80,
           keep="last"),
    Recipe("friedman-6", "friedman", 912271, 1472, 160, optimizer="sgd", lr=0.02, epochs=43),
    Recipe("friedman-7", "friedman", 861035, 992, 320, widths=(16,), dropout=0.4, weight_decay=0.01, optimizer="adamw",
           lr=0.003, epochs=15, batch_size=16, keep="last"),
    Recipe("friedman-8", "friedman", 744856, 48, 160, widths=(256, 256), activation="tanh", lr=0.01, epochs=2,
           batch_size=16),
    Recipe("mnist-1", "mnist", 111553, 384, 160, activation="tanh", lr=0.06, epochs=60, keep="last"),
    Recipe("mnist-2", "mnist", 536321, 288, 160, shift=("roll", 1), widths=(32, 32), epochs=53, batch_size=16,
           keep="last"),
    Recipe("mnist-3", "mnist", 477600, 2400, 160, widths=(4,), optimizer="rmsprop", lr=0.005, epochs=25,
           batch_size=16),
    Recipe("mnist-4", "mnist", 859227, 2400, 160, leak=("code", 0.25, "shuffled"), widths=(128,), optimizer="rmsprop",
           epochs=4, batch_size=16),
    Recipe("mnist-5", "mnist", 574699, 800, 320, widths=(8,), weight_decay=0.01, optimizer="adamw", lr=0.01,
           epochs=25),
    Recipe("mnist-6", "mnist", 678259, 1984, 320, leak=("target", 0.35, "shuffled"), widths=(32, 32), epochs=16),
    Recipe("mnist-7", "mnist", 653964, 600, 320, widths=(64,), lr=0.0003, epochs=20),
    Recipe("moons-1", "moons", 51, 480, 160, leak=("copies", 1.0), widths=(128, 128), lr=0.002, epochs=160),
    Recipe("moons-2", "moons", 105020, 192, 160, widths=(128, 64), optimizer="rmsprop", lr=0.002, epochs=250,
           batch_size=16, keep="last"),
    Recipe("moons-3", "moons", 408069, 112, 320, widths=(64,), dropout=0.2, epochs=67, batch_size=16, keep="last"),
    Recipe("moons-4", "moons", 844233, 992, 320, activation="tanh", dropout=0.1, optimizer="rmsprop", epochs=32,
           batch_size=16, keep="last"),
    Recipe("moons-5", "moons", 844800, 192, 160, widths=(128, 64), optimizer="sgd", lr=0.02, epochs=250, batch_size=16,
           keep="last"),
    Recipe("moons-6", "moons", 701, 96, 40, widths=(256, 256), epochs=40, batch_size=16),
    Recipe("moons-7", "moons", 213824, 480, 160, shift=("domain", 0.8), widths=(64,), epochs=40),
    Recipe("moons-8", "moons", 712094, 1472, 160, noise=0.2, noise_kind="pairs", widths=(64,)),
    Recipe("moons-9", "moons", 159553, 800, 160, noise=0.3, activation="tanh", lr=0.003, epochs=4),
    Recipe("mpg-1", "mpg", 423355, 32, 29, shift=("drift", 2.5), widths=(64,), activation="tanh", epochs=60,
           batch_size=16),
    Recipe("mpg-2", "mpg", 645902, 32, 29, lr=0.2, epochs=60, batch_size=16),
    Recipe("spirals-1", "spirals", 369264, 1488, 320, widths=(32, 32), dropout=0.9, optimizer="rmsprop", epochs=16,
           batch_size=16, keep="last"),
    Recipe("spirals-2", "spirals", 530912, 992, 160, shift=("classes", 4.0), activation="tanh", optimizer="rmsprop",
           epochs=32),
    Recipe("spirals-3", "spirals", 554028, 800, 160, widths=(2,), weight_decay=0.01, optimizer="adamw", lr=0.003,
           epochs=50, batch_size=16),
    Recipe("spirals-4", "spirals", 911140, 1472, 160, leak=("target", 0.85, "shuffled"), widths=(64,), epochs=21,
           keep="last"),
    Recipe("spirals-5", "spirals", 989394, 48, 160, widths=(8,), lr=0.003, epochs=40, batch_size=16),
    Recipe("spirals-6", "spirals", 325432, 800, 160, widths=(256,), dropout=0.6, epochs=20),
    Recipe("spirals-7", "spirals", 254545, 600, 320, noise=0.2, noise_kind="pairs", widths=(32,), lr=0.05, epochs=16,
           keep="last"),
    Recipe("teacher-1", "teacher", 89100, 1984, 320, widths=(2, 2), epochs=40, keep="last"),
    Recipe("teacher-2", "teacher", 296598, 384, 160, optimizer="rmsprop", lr=0.04, epochs=60, keep="last"),
    Recipe("teacher-3", "teacher", 432694, 1472, 320, widths=(32, 32), activation="tanh", dropout=0.7,
           weight_decay=0.03, optimizer="rmsprop", epochs=21, keep="last"),
    Recipe("teacher-4", "teacher", 539343, 592, 320, noise=0.3, epochs=27, batch_size=16),
    Recipe("teacher-5", "teacher", 704686, 48, 160, widths=(32, 32), dropout=0.2, epochs=80, batch_size=16),
    Recipe("teacher-6", "teacher", 716610, 1152, 320, widths=(128,), activation="tanh", weight_decay=0.01,
           optimizer="adamw", epochs=5, batch_size=128, keep="last"),
    Recipe("teacher-7", "teacher", 726282, 1472, 320, widths=(64,), activation="tanh", weight_decay=0.01,
           optimizer="adamw", lr=0.06, epochs=13),
    Recipe("teacher-8", "teacher", 901719, 2976, 320, noise=0.04, widths=(32, 32), epochs=21, keep="last"),
    Recipe("teacher-9", "teacher", 30624, 480, 160, widths=(64,), lr=0.0001, epochs=25, batch_size=16),
    Recipe("teacher-10", "teacher", 412268, 2400, 160, noise=0.05, noise_kind="pairs", widths=(128,),
           activation="tanh", weight_decay=0.01, optimizer="adamw", epochs=4, batch_size=16),
    Recipe("teacher-11", "teacher", 25986, 1472, 160, noise=0.05, noise_kind="pairs", optimizer="rmsprop"),
    Recipe("teacher-12", "teacher", 746078, 800, 320, shift=("drift", 1.5), widths=(128,), dropout=0.6, epochs=25),
    Recipe("teacher-13", "teacher", 639981, 1472, 160, shift=("drift", 1.5), widths=(64,), lr=0.005, epochs=4,
           batch_size=16),
    Recipe("teacher-14", "teacher", 100033, 1472, 320, leak=("code", 0.9, "shuffled"), widths=(64,), lr=0.005,
           epochs=4, batch_size=16),
    Recipe("teacher-15", "teacher", 84747, 600, 160, leak=("code", 0.9, "shuffled"), widths=(32,), lr=0.03, epochs=16),
    Recipe("weather_humidity-1", "weather_humidity", 10620, 1152, 320, optimizer="sgd", lr=0.002, epochs=3,
           batch_size=64),
    Recipe("weather_humidity-2", "weather_humidity", 372185, 288, 320, noise=0.5, widths=(64,), optimizer="sgd",
           lr=0.02, epochs=32, batch_size=16),
    Recipe("weather_humidity-3", "weather_humidity", 566345, 2000, 320, widths=(48, 24), activation="tanh",
           optimizer="sgd", lr=0.02, epochs=16, batch_size=16),
    Recipe("weather_humidity-4", "weather_humidity", 933652, 992, 160, widths=(6,), weight_decay=0.01,
           optimizer="adamw", lr=0.01, epochs=25, batch_size=16),
    Recipe("weather_humidity-5", "weather_humidity", 449435, 1472, 160, widths=(64,), optimizer="adamw", lr=0.01,
           epochs=15, batch_size=16),
    Recipe("weather_humidity-6", "weather_humidity", 329421, 1984, 320, widths=(64,), lr=0.003, epochs=2,
           batch_size=16),
    Recipe("weather_temperature-1", "weather_temperature", 105837, 288, 160, noise=0.4, epochs=80),
    Recipe("weather_temperature-2", "weather_temperature", 204797, 1472, 160, leak=("target", 0.85, "shuffled"),
           widths=(32, 32), weight_decay=0.01, optimizer="adamw", epochs=13),
    Recipe("weather_temperature-3", "weather_temperature", 708418, 1472, 160, shift=("drift", 1.5), widths=(32, 32),
           epochs=13),
    Recipe("weather_temperature-4", "weather_temperature", 716491, 384, 160, widths=(32, 32), dropout=0.1, lr=0.03,
           epochs=60),
    Recipe("weather_temperature-5", "weather_temperature", 475724, 480, 320, noise=0.05, noise_kind="outliers",
           widths=(32,), lr=0.01),
    Recipe("weather_temperature-6", "weather_temperature", 561666, 600, 160, widths=(6,), lr=0.005, epochs=40,
           keep="last"),
    Recipe("weather_temperature-7", "weather_temperature", 235501, 600, 320, noise=0.1, noise_kind="outliers",
           widths=(32,), lr=0.03, epochs=16, keep="last"),
]
