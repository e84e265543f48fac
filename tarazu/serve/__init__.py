"""`tz.serve`: a saved model behind HTTP, as `tarazu serve` starts it.

app.py is the application, an ASGI callable that any server for such may run, and run.py runs it by uvicorn until a
signal ends it. On the way of a request: limits.py bounds what is taken in, reading.py reads as far as that, batches.py
lets requests that come together share a prediction, answering.py computes it: for tables by table_service.py (cells.py
reads their rows, table_schema.py describes them), for other models by model_service.py; bodies.py reads and writes
JSON. metrics.py counts; openapi.py describes what is taken and given; pages.py shows that to people, by templates.
"""

from tarazu.serve.app import app
from tarazu.serve.limits import Limits
from tarazu.serve.run import serve

__all__ = ["Limits", "app", "serve"]


def __dir__() -> list[str]:
    return __all__
