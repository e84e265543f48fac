"""Graphs that people look at: counts, drawings, names; and what jit says of itself."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

import tarazu as tz
from tarazu.ir.cost import CONTRACTIONS, FLOPS
from tarazu.ir.draw.layout import Box, layout
from tarazu.ir.draw.picture import picture
from tarazu.ir.op import ALL


def network():
    model = tz.nn.Sequential([tz.nn.Dense(8), tz.nn.Activation(tz.relu), tz.nn.Dense(4), tz.nn.Activation(tz.tanh),
                              tz.nn.Dense(2)])
    model(tz.ones(3, 5))
    return model


def train_step(model):
    optimizer = tz.optim.SGD(model.parameters(), lr=0.1)

    @tz.jit
    def step(x, y):
        optimizer.zero_grad()
        loss = ((model(x) - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss
    return step


@pytest.fixture(scope="module")
def step_graph():
    step = train_step(network())
    step(tz.ones(3, 5), tz.ones(3, 2))
    return step.graph


def boxes(box: Box) -> list[Box]:
    return [box, *(inner for child in box.children for inner in boxes(child))]


# Counts

def test_every_category_has_a_cost_rule():
    assert {op.category for op in ALL} <= FLOPS.keys()
    assert {op.name for op in ALL if op.category == "contract"} == CONTRACTIONS.keys()


@pytest.mark.parametrize(("function", "nodes", "flops", "read", "written"), [
    (lambda x: x + x, {"add": 1}, 6, 48, 24),
    (lambda x: x.sum(), {"sum": 1}, 6, 24, 4),
    (lambda x: x @ x.T, {"transpose": 1, "dot": 1}, 2 * 2 * 2 * 3, 24 + 48, 24 + 16),
    (lambda x: tz.sort(x), {"sort": 1}, 6 * 2, 24, 24 + 48),
    (lambda x: tz.scan(lambda c, row: (c + row, None), tz.zeros(3), x)[0], {"scan": 1, "add": 1}, 6, 48, 24),
])
def test_counts(function, nodes, flops, read, written):
    counts = tz.trace(function)(tz.ones(2, 3)).counts()
    assert counts.nodes == nodes
    assert counts.total == (sum(nodes.values()), flops, read, written)


def test_counts_are_a_table(step_graph):
    table = str(step_graph.counts()).splitlines()
    assert re.match(r"primitive +nodes +flops +bytes read +bytes written", table[0])
    assert table[1].startswith("dot") and table[-1].startswith("total")


# Origins

def test_nodes_know_the_module_that_made_them():
    model = network()
    graph = tz.trace(lambda x: model(x).sum(), backward=True)(tz.ones(3, 5))
    dots = [node for node in graph.nodes if getattr(node.op, "name", "") == "dot"]
    forward = [node.origin.scope for node in dots if not node.origin.is_backward]
    assert forward == [("Sequential", f"{i} Dense") for i in (0, 2, 4)]
    assert {node.origin.scope for node in dots if node.origin.is_backward} == set(forward)
    assert [node.origin.name for node in graph.parameters][:3] == ["x", "model.0.weight", "model.0.bias"]


def test_the_place_of_a_node_is_no_part_of_a_graph():
    model = tz.nn.Sequential([tz.nn.Activation(tz.tanh)])
    inside = tz.trace(lambda x: model(x))(tz.ones(2))
    assert inside == tz.trace(lambda x: tz.tanh(x))(tz.ones(2))
    assert inside.nodes[-1].origin.scope == ("Sequential", "0 Activation")


def test_a_module_that_is_called_twice_has_two_boxes():
    layer = tz.nn.Activation(tz.tanh)
    graph = tz.trace(lambda x: layer(layer(x)))(tz.ones(2))
    assert [node.origin.scope for node in graph.nodes[1:]] == [("Activation",), ("Activation (call 2)",)]


def test_backward_adds_the_gradients_of_arguments_and_parameters():
    w = tz.ones(3, requires_grad=True)
    graph = tz.trace(lambda x: (w * x).sum(), backward=True)(tz.ones(3))
    assert [str(t) for t in graph.output_types] == ["float32[]", "float32[3]", "float32[3]"]
    assert w.grad is None


# Drawings

def test_lanes_of_a_train_step(step_graph):
    shown = picture(step_graph)
    assert shown.lanes == ["forward", "backward", "update"]
    assert len(shown.vertices) > 50
    updates = [v for v in shown.vertices if v.lane == "update" and v.kind == "output"]
    assert len(updates) == 6


def test_no_two_things_lie_on_each_other(step_graph):
    for lane in layout(picture(step_graph)):
        for box in boxes(lane):
            for i, one in enumerate(box.children):
                assert box.x <= one.x and one.x + one.width <= box.x + box.width
                assert box.y <= one.y and one.y + one.height <= box.y + box.height
                for other in box.children[:i]:
                    assert (one.x + one.width <= other.x or other.x + other.width <= one.x
                            or one.y + one.height <= other.y or other.y + other.height <= one.y)


def test_edges_lead_downwards_forward_and_upwards_backward(step_graph):
    shown = picture(step_graph)
    places = {box.vertex: box for lane in layout(shown) for box in lane.vertices()}
    for u, v in shown.edges:
        if shown.vertices[u].lane == shown.vertices[v].lane and shown.vertices[u].kind != "parameter":
            sign = -1 if shown.vertices[u].lane == "backward" else 1
            assert sign * (places[v].y - places[u].y) > 0


def test_svg_is_well_formed_and_stands_alone(step_graph):
    svg = step_graph.to_svg()
    root = ElementTree.fromstring(svg)
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"0 Dense", "2 Dense", "forward", "backward", "update", "model.0.weight", "float32[3,8]"} <= set(texts)
    assert "prefers-color-scheme:dark" in svg
    assert not re.search(r"(href|src)=|@import|url\((?!#)", svg)


def test_html_page(step_graph, tmp_path):
    path = step_graph.to_html(tmp_path / "step.html", "one <step>")
    page = path.read_text(encoding="utf-8")
    assert "one &lt;step&gt;" in page and "bytes written" in page and "<svg" in page
    assert "return" in page


def test_boxes_fold_up(step_graph):
    folded = picture(step_graph, depth=1)
    titles = [(v.lane, v.title) for v in folded.vertices if v.kind == "group"]
    assert ("forward", "0 Dense") in titles and ("backward", "0 Dense") in titles
    assert len(folded.vertices) < len(picture(step_graph).vertices)
    ElementTree.fromstring(step_graph.to_svg(depth=0))


def test_mermaid_and_dot(step_graph):
    mermaid, dot = step_graph.to_mermaid(), step_graph.to_dot()
    assert mermaid.startswith("flowchart TD") and '["0 Dense"]' in mermaid
    lines = [line.strip() for line in mermaid.splitlines()]
    assert sum(line.startswith("subgraph") for line in lines) == lines.count("end")
    assert dot.startswith("digraph") and dot.count("{") == dot.count("}")
    shown = picture(step_graph)
    assert mermaid.count(" --> ") == dot.count(" -> ") == len(shown.edges)


@pytest.mark.parametrize("function", [
    lambda x: x, lambda x: tz.ones(2), lambda x: tz.sort(x), lambda x: (x, x * 2, x), lambda x: None,
    lambda x: tz.scan(lambda c, row: (c + row, c), tz.tensor(0.0), x), lambda x: tz.softmax(x)])
def test_every_graph_can_be_drawn(function):
    graph = tz.trace(function)(tz.ones(3))
    ElementTree.fromstring(graph.to_svg())
    assert graph.to_dot() and graph.to_mermaid() and str(graph.counts())


# jit about itself

def test_retraces_name_the_argument():
    f = tz.jit(lambda x, options, scale=1.0: x * scale)
    f(tz.ones(64, 784), {"a": tz.ones(2)})
    f(tz.ones(32, 784), {"a": tz.ones(2)})
    f(tz.ones(32, 784, requires_grad=True), {"a": tz.ones(2)})
    f(tz.ones(32, 784), {"a": tz.ones(2, dtype="int64")})
    f(tz.ones(32, 784), {"a": tz.ones(2)}, scale=2.0)
    f(tz.ones(32, 784), None)
    assert f.retraces().splitlines() == [
        "argument x: float32[64,784] became float32[32,784]",
        "argument x: float32[32,784] became float32[32,784] that requires grad",
        "argument options.a: float32[2] became int64[2]",
        "argument scale: 2.0 came in",
        "argument options.a: int64[2] is gone; argument the structure of options: dict with keys a became None"]


def test_retraces_name_guards_and_captured_tensors():
    layer = tz.nn.Dropout(0.5)
    w = tz.ones(2)
    f = tz.jit(lambda x: layer(x) * w)
    f(tz.ones(2))
    layer.eval()
    f(tz.ones(2))
    w.requires_grad_()
    f(tz.ones(2))
    assert f.retraces().splitlines() == ["training mode of Dropout: True became False",
                                         "captured tensor w (float32[2]): it now requires grad"]


def test_no_grad_is_another_signature():
    f = tz.jit(lambda x: x * 2)
    f(tz.ones(2))
    with tz.no_grad():
        f(tz.ones(2))
    assert f.retraces().startswith("gradients are recorded now")


def test_cache_info():
    f = tz.jit(lambda x: x * 2)
    assert f.cache_info().traces == 0
    for n in (2, 3, 2):
        f(tz.ones(n))
    info = f.cache_info()
    assert (info.traces, info.calls) == (2, 3)
    assert info.signatures == (("x float32[2]", 2), ("x float32[3]", 1))
    assert str(info).splitlines()[0] == "<lambda>: 3 calls, 2 traced"


def test_methods_show_theirs():
    class Scale:
        def __init__(self):
            self.factor = tz.tensor(2.0)

        @tz.jit
        def apply(self, x):
            return x * self.factor

    scale = Scale()
    scale.apply(tz.ones(2))
    scale.apply(tz.ones(3))
    assert scale.apply.retraces() == "argument x: float32[2] became float32[3]"
    assert scale.apply.cache_info().calls == 2
    assert [node.origin.name for node in scale.apply.graph.parameters] == ["x", "self.factor"]


def test_log(monkeypatch, capsys):
    monkeypatch.setenv("TARAZU_LOG", "other,jit")
    f = tz.jit(lambda x: x * 2)
    f(tz.ones(2))
    f(tz.ones(3))
    assert capsys.readouterr().err.splitlines() == [
        "tarazu jit: <lambda> is traced for x float32[2]",
        "tarazu jit: <lambda> is traced again: argument x: float32[2] became float32[3]"]
    monkeypatch.delenv("TARAZU_LOG")
    f(tz.ones(4))
    assert capsys.readouterr().err == ""


def test_numbers_have_the_digits_of_their_type():
    assert "0.35355338<" in tz.trace(lambda x: x * (0.5 / 2**0.5))(tz.ones(2)).to_svg()


def test_weights_of_a_module_have_their_paths():
    svg = tz.trace(tz.nn.Sequential([tz.nn.Dense(3, in_features=2)]))(tz.ones((4, 2))).to_svg()
    assert ">x<" in svg and ">0.weight<" in svg and ">0.bias<" in svg and "outside" not in svg
