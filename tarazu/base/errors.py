"""The errors that Tarazu raises, all in three parts: the problem, what was expected, how to mend it."""


class TarazuError(Exception):
    """Base of every error that Tarazu raises on purpose.

    `problem` says what was passed or found, `expected` what would have been right, `fix` how to get there.

    >>> import tarazu as tz
    >>> try:
    ...     tz.zeros(2) + tz.zeros(3)
    ... except tz.TarazuError as error:
    ...     error.expected
    'sizes, aligned at the right, that are equal or 1'
    """

    def __init__(self, problem: str, *, expected: str = "", fix: str = "") -> None:
        self.problem, self.expected, self.fix = problem, expected, fix
        parts = [problem]
        if expected:
            parts.append(f"expected: {expected}")
        if fix:
            parts.append(f"to mend it: {fix}")
        super().__init__("\n  ".join(parts))


class ShapeError(TarazuError, ValueError):
    """Shapes, axes or sizes that do not fit together."""


class AxisError(ShapeError, IndexError):
    """An axis that a tensor does not have, or a key that does not fit its axes."""


class ScalarError(ShapeError, TypeError):
    """A tensor without axes where Python asks for a length: a TypeError too, as Python's own numbers raise."""


class DTypeError(TarazuError, TypeError):
    """A dtype that an operation does not take, or two without a common type."""


class ArgumentError(TarazuError, ValueError):
    """An argument of the wrong kind or out of its range."""


class OutOfRangeError(TarazuError, IndexError):
    """An index that lies outside the axis that it indexes."""


class GradientError(TarazuError, RuntimeError):
    """A gradient that was asked for and does not exist."""


class NanError(TarazuError, FloatingPointError):
    """A NaN (or an infinity) that came out of finite numbers while `debug_nans` watches."""


class TraceError(TarazuError, RuntimeError):
    """Something done in or with a traced function that a graph cannot hold."""


class TraceWarning(UserWarning):
    """The warning of a Python value that is a constant of a compiled function, and probably was not meant to be one.

    >>> import warnings
    >>> import numpy as np
    >>> import tarazu as tz
    >>> noisy = tz.jit(lambda x: x + np.random.normal())
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always", tz.TraceWarning)
    ...     first, second = noisy(tz.zeros(2)), noisy(tz.zeros(2))
    >>> caught[0].category.__name__, bool((first == second).all())
    ('TraceWarning', True)
    """


class GraphError(TarazuError, RuntimeError):
    """A graph that is not well formed, as `verify` finds it: a defect of Tarazu, not of the user's program."""


class DeviceError(TarazuError, RuntimeError):
    """A device, or a library that drives it, that is not there, or that does not fit what was asked of it."""


class TrainingError(TarazuError, RuntimeError):
    """A training run that cannot start or cannot go on."""


class DataError(TarazuError, ValueError):
    """Data that cannot be used as they are; `path`, `line`, `column` and `row`, counted from 0, say where, as far as
    that is known.
    """

    def __init__(self, problem: str, *, expected: str = "", fix: str = "", path: object = None,
                 line: int | None = None, column: str | None = None, row: int | None = None) -> None:
        self.path, self.line, self.column, self.row = path, line, column, row
        if row is not None and line is None:
            problem = f"row {row} (counted from 0): {problem}"
        location = [str(path)] if path is not None else []
        if line is not None:
            location.append(f"line {line}")
        if column is not None:
            location.append(f"column {column!r}")
        super().__init__(f"{', '.join(location)}: {problem}" if location else problem, expected=expected, fix=fix)


class DataWarning(UserWarning):
    """Data that can be used, though results may not be what was wanted."""


class FileFormatError(DataError):
    """A file or folder that is not what it should be, or is damaged."""


class CompileError(TarazuError, RuntimeError):
    """The compiler behind a backend refused a program."""
