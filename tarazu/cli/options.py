"""The options that commands share: what a table is, how it is split and learned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from tarazu.optim import OPTIMIZERS
from tarazu.tabular.options import TableOptions

Command = TypeVar("Command", bound=Callable[..., Any])


class Sizes(click.ParamType):
    """Layer sizes such as 64,64; 0 means no hidden layer."""

    name = "sizes"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        try:
            sizes = tuple(int(part) for part in str(value).split(","))
        except ValueError:
            sizes = (-1,)
        if sizes != (0,) and min(sizes) < 1:
            self.fail(f"{value!r} is not a list of layer sizes; write for example 64,64 (or 0 for no hidden layer)",
                      param, ctx)
        return () if sizes == (0,) else sizes


class Kind(click.ParamType):
    """A column and its kind, as NAME=number."""

    name = "name=kind"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, equals, kind = str(value).rpartition("=")
        if not equals or not name:
            self.fail(f"{value!r} is not NAME=KIND; write for example year=category", param, ctx)
        return name, kind


class Words(click.ParamType):
    """Words with commas between them."""

    name = "words"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        return tuple(word for word in map(str.strip, str(value).split(",")) if word)


def table_options(command: Command) -> Command:
    """A command with the table as its argument, and the options of a fit to it."""
    for add in reversed(TABLE_OPTIONS):
        command = add(command)
    return command


TABLE_OPTIONS = (
    click.argument("table", type=click.Path()),
    click.option("--target", required=True, help="The column to predict."),
    click.option("--epochs", type=click.IntRange(min=1), default=TableOptions.epochs, show_default=True,
                 help="Passes over the training rows at most; training ends earlier when validation stops improving."),
    click.option("--batch-size", type=click.IntRange(min=1),
                 help="Rows per step.  [default: by the number of rows, 32 to 256]"),
    click.option("--hidden", type=Sizes(), default=",".join(map(str, TableOptions.hidden)), show_default=True,
                 help="Sizes of the hidden layers; 0 for none."),
    click.option("--dropout", type=click.FloatRange(0, 1, max_open=True), default=TableOptions.dropout,
                 show_default=True, help="Share of each hidden layer that is dropped while training."),
    click.option("--learning-rate", type=click.FloatRange(0, min_open=True), default=TableOptions.learning_rate,
                 show_default=True, help="How far each step goes."),
    click.option("--optimizer", type=click.Choice(sorted(OPTIMIZERS)), default=TableOptions.optimizer,
                 show_default=True, help="How steps follow from gradients."),
    click.option("--seed", type=click.IntRange(min=0), default=TableOptions.seed, show_default=True,
                 help="The same seed gives the same split, weights and history."),
    click.option("--validation", type=click.FloatRange(0, 1, max_open=True), default=TableOptions.validation,
                 show_default=True, help="Share of the rows to choose the best epoch by."),
    click.option("--test", type=click.FloatRange(0, 1, max_open=True), default=TableOptions.test, show_default=True,
                 help="Share of the rows to measure the final model by."),
    click.option("--kind", "kinds", type=Kind(), multiple=True,
                 help="What a column is, when the guess is wrong: number, category, date or ignore. May be given "
                 "several times."),
    click.option("--missing", type=Words(), default=",".join(TableOptions.missing), show_default=True,
                 help="The words that mean missing, in any case, with commas between them; empty cells always do."),
    click.option("--split", default=TableOptions.split, show_default=True, metavar="random|time|COLUMN",
                 help="Which rows measure the model: random ones, or the last by date, or by the order of a column."),
    click.option("--device", default="cpu", show_default=True, help="Where to train."),
)
