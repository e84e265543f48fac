"""Events of TensorBoard that are more than numbers: the graph of a model, and what was trained how to which end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tarazu.base.extras import require
from tarazu.nn.module.mode import in_mode
from tarazu.nn.module.module import Module
from tarazu.runtime.autograd.autograd import no_grad
from tarazu.runtime.jit.jit import trace
from tarazu.train.calling import call


def add_graph(writer: Any, model: Module, inputs: Any) -> None:
    """Add the graph of `model` to a writer of tensorboardX, for `inputs` nested as `fit` takes them.

    It has a node for each primitive, in the scopes of its modules.
    """
    graphs, nodes, versions, events = (
        require(f"tensorboardX.proto.{name}_pb2", "tz.train.TensorBoard", "tensorboard")
        for name in ("graph", "node_def", "versions", "event"))
    with in_mode(model, training=False), no_grad():
        graph = call(trace(model), inputs)
    names: dict[Any, str] = {}
    made = []
    for number, node in enumerate(graph.nodes):
        kind = getattr(node.op, "name", node.op)  # parameters and constants are texts
        names[node] = "/".join([*node.origin.scope, f"{node.origin.name or kind}_{number}"]).replace(" ", "_")
        made.append(nodes.NodeDef(name=names[node], op=kind, input=[names[each] for each in node.inputs]))
    content = graphs.GraphDef(node=made, versions=versions.VersionDef(producer=22))
    writer.file_writer.add_event(events.Event(graph_def=content.SerializeToString()))


def add_settings(writer: Any, settings: Mapping[str, float | str], results: Mapping[str, float]) -> None:
    """Add a row to the table "HParams" of a writer of tensorboardX; `results` are of tags that have numbers there."""
    summary = require("tensorboardX.summary", "tz.train.TensorBoard", "tensorboard")
    for event in summary.hparams(dict(settings), dict(results)):
        writer.file_writer.add_summary(event)
