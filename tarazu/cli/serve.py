"""`tarazu serve`: the model of a folder behind HTTP."""

from __future__ import annotations

from collections.abc import Sequence

import click

from tarazu import serve
from tarazu.serve import Limits

MEGABYTE = 2**20


@click.command(name="serve", short_help="Answer requests over HTTP with predictions.")
@click.argument("run", type=click.Path())
@click.option("--host", default="127.0.0.1", show_default=True,
              help="The address to listen at; by default only this machine reaches it.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes a free one.")
@click.option("--max-body", type=click.FloatRange(min=0.001), default=Limits.body / MEGABYTE, show_default=True,
              help="The most megabytes of a request.")
@click.option("--max-rows", type=click.IntRange(min=1), default=Limits.rows, show_default=True,
              help="The most rows of a request.")
@click.option("--max-waiting", type=click.IntRange(min=1), default=Limits.waiting, show_default=True,
              help="The most requests that wait; further ones are told to come again.")
@click.option("--timeout", type=click.IntRange(min=1), default=Limits.seconds, show_default=True,
              help="Seconds in which the body of a request must come.")
@click.option("--trust", multiple=True, metavar="PACKAGE",
              help="A package whose layers the model may use; it is imported. May be given several times.")
def serve_command(run: str, host: str, port: int, max_body: float, max_rows: int, max_waiting: int, timeout: int,
                  trust: Sequence[str]) -> None:
    """Predict with the model in the folder RUN for rows that are sent to POST /predict, as JSON or CSV.

    The page at / is for trying it, /docs says what is taken and given. Ctrl-C or SIGTERM ends it once the requests in
    flight are answered. Anybody who reaches the address may ask: put a server for access and encryption before it.
    """
    limits = Limits(int(max_body * MEGABYTE), max_rows, max_waiting, timeout)
    serve.serve(run, host=host, port=port, limits=limits, trust=trust, tell=click.echo)
