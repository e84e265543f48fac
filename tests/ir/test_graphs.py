"""Graphs: sharing, equality, verification, rewrites that keep every bit, and the text form."""

import numpy as np
import pytest
from helpers import assert_same
from hypothesis import given, settings
from hypothesis import strategies as st

import tarazu as tz
from tarazu.backend.numpy.program import Program
from tarazu.base.dtypes import complex64, float32, float64, int32
from tarazu.base.errors import GraphError
from tarazu.ir import op as ops
from tarazu.ir.graph import Graph
from tarazu.ir.node import Builder, Constant, Node
from tarazu.ir.rewrite import simplify
from tarazu.ir.types import TensorType
from tarazu.ir.verify import verify
from tarazu.runtime.compile import _compute

VECTOR = TensorType((3,), float32)


def graph_of(build, *types):
    """The graph of `build(builder, *parameters)`, which gives a node or a list of them."""
    builder = Builder()
    parameters = [builder.parameter(type_) for type_ in types]
    out = build(builder, *parameters)
    return Graph(parameters, out if isinstance(out, list) else [out])


def unary(op):
    return lambda b, x: b.add(op, [x], {})


# Sharing and equality

def test_equal_nodes_are_one():
    b = Builder()
    x = b.parameter(VECTOR)
    assert b.add(ops.SIN, [x], {}) is b.add(ops.SIN, [x], {})
    assert b.add(ops.SIN, [x], {}) is not b.add(ops.COS, [x], {})
    assert b.add(ops.SUM, [x], {"axes": (0,)}) is not b.add(ops.SUM, [x], {"axes": ()})
    assert b.add(ops.SORT, [x], {"axis": 0}) == b.add(ops.SORT, [x], {"axis": 0})
    assert b.parameter(VECTOR) is not b.parameter(VECTOR)


@pytest.mark.parametrize(("first", "second", "equal"), [
    (0.0, -0.0, False), (np.nan, np.nan, True), (np.float32(1), np.float64(1), False),
    (np.ones(2), np.ones((2, 1)), False)])
def test_constants_are_compared_bit_by_bit(first, second, equal):
    one, other = Constant(np.asarray(first)), Constant(np.asarray(second))
    assert (one == other) is equal
    assert (hash(one) == hash(other)) or not equal


def test_graphs_are_compared_by_structure():
    def f(b, x, y):
        return b.add(ops.MUL, [b.add(ops.ADD, [x, y], {}), b.constant(np.full(3, 2, np.float32))], {})

    one, other = graph_of(f, VECTOR, VECTOR), graph_of(f, VECTOR, VECTOR)
    assert one == other
    assert hash(one) == hash(other)
    wide = TensorType((3,), float64)
    assert graph_of(unary(ops.SIN), VECTOR) != graph_of(unary(ops.SIN), wide)
    assert graph_of(unary(ops.SIN), VECTOR) != graph_of(unary(ops.COS), VECTOR)
    assert graph_of(lambda b, x, y: x, VECTOR, VECTOR) != graph_of(lambda b, x, y: y, VECTOR, VECTOR)
    assert one != "graph"


def test_a_deep_graph_is_walked_without_recursion():
    def chain(b, x):
        for _ in range(5000):
            x = b.add(ops.SIN, [x], {})
        return x
    assert len(graph_of(chain, VECTOR).nodes) == 5001


# Verification

def test_verify_finds_a_wrong_type():
    def wrong(b, x):
        return Node(ops.SIN, (x,), {}, TensorType((4,), float32), b.mark)
    with pytest.raises(GraphError, match=r"after folding: node 1 \(sin\) has type float32\[4\]\n.*float32\[3\]"):
        verify(graph_of(wrong, VECTOR), "folding")


def test_verify_finds_an_ill_typed_node():
    def wrong(b, x):
        return Node(ops.SIN, (x,), {}, x.type, b.mark)
    with pytest.raises(GraphError, match=r"node 1 \(sin\) is ill typed: sin does not take int32"):
        verify(graph_of(wrong, TensorType((3,), int32)))


def test_verify_finds_a_parameter_of_another_graph():
    foreign = Builder().parameter(VECTOR)
    with pytest.raises(GraphError, match=r"parameter of another graph(.|\n)*an input of its own"):
        verify(graph_of(lambda b, x: b.add(ops.ADD, [x, foreign], {}), VECTOR))
    with pytest.raises(GraphError, match="stands twice"):
        verify(Graph([foreign, foreign], [foreign]))
    with pytest.raises(GraphError, match="unknown operation 'dance'"):
        verify(Graph([], [Node("dance", (), {}, VECTOR, None)]))


# Rewrites

def simplified(graph):
    return simplify(graph, _compute)


def constant(value, dtype=np.float32):
    return lambda b: b.constant(np.full(3, value, dtype))


@pytest.mark.parametrize(("op", "value", "side", "goes"), [
    (ops.MUL, 1, 1, True), (ops.MUL, 1, 0, True), (ops.MUL, 0, 1, False), (ops.DIV, 1, 1, True), (ops.DIV, 1, 0, False),
    (ops.SUB, 0.0, 1, True), (ops.SUB, -0.0, 1, False), (ops.SUB, 0.0, 0, False), (ops.ADD, 0.0, 1, False),
    (ops.POW, 1, 1, True), (ops.POW, 1, 0, False)])
@pytest.mark.parametrize("dtype", [float32, tz.bfloat16])
def test_neutral_constants(op, value, side, goes, dtype):
    def f(b, x):
        c = constant(value, dtype.numpy)(b)
        return b.add(op, [x, c] if side else [c, x], {})
    nodes = simplified(graph_of(f, TensorType((3,), dtype))).nodes
    assert (len(nodes) == 1) is goes


def test_complex_numbers_have_no_neutral_constant():
    def f(b, x):
        return b.add(ops.MUL, [x, constant(1, np.complex64)(b)], {})
    assert len(simplified(graph_of(f, TensorType((3,), complex64))).nodes) == 3


def test_a_constant_that_broadcasts_is_not_neutral():
    def f(b, x):
        return b.add(ops.MUL, [x, b.constant(np.ones((2, 1), np.float32))], {})
    assert len(simplified(graph_of(f, VECTOR)).nodes) == 3


@pytest.mark.parametrize("function", [
    lambda x: tz.negative(-x), lambda x: x.T.T, lambda x: x.reshape(6).reshape(2, 3), lambda x: x.detach(),
    lambda x: x.clone(),
    lambda x: x[:], lambda x: tz.concat([x]), lambda x: tz.flip(x, ()), lambda x: x.sum(axis=()),
    lambda x: x.max(axis=()),
    lambda x: tz.broadcast_to(x, (2, 3)), lambda x: tz.pad(x, [(0, 0), (0, 0)]), lambda x: x * 1, lambda x: x - 0.0,
    lambda x: -0.0 + x])
def test_identities_go(function):
    assert len(tz.trace(function)(tz.ones(2, 3)).nodes) == 1
    for x in (tz.tensor([[-0.0, np.nan, np.inf], [1, 2, 3]]), tz.full((2, 3), -0.0)):
        assert_same(function(x), x)


def test_zero_is_neutral_for_integers_only():
    assert len(tz.trace(lambda x: x + 0)(tz.arange(3)).nodes) == 1
    assert len(tz.trace(lambda x: x + 0.0)(tz.ones(3)).nodes) == 3


def test_constants_are_folded_but_not_into_large_ones():
    assert str(tz.trace(lambda x: x + tz.exp(tz.zeros(2)))(tz.ones(2))).count("exp") == 0
    assert str(tz.trace(lambda x: x + tz.exp(tz.zeros(5000)))(tz.ones(5000))).count("exp") == 1


def test_what_nothing_needs_is_left_out():
    assert len(tz.trace(lambda x: (tz.exp(x), x * 2)[1])(tz.ones(2)).nodes) == 3


def test_calls_are_inlined_and_may_be_kept():
    graph = tz.jit(tz.softmax)
    graph(tz.ones(3))
    ((compiled,),) = graph._compiled.values()
    assert "call" not in str(simplify(compiled.graph, _compute))
    assert "call %0 label=softmax" in str(simplify(compiled.graph, _compute, frozenset({"softmax"})))


UNARY = [ops.NEG, ops.ABS, ops.SIGN, ops.FLOOR, ops.SQRT, ops.EXP, ops.TANH, ops.STOP_GRADIENT]
BINARY = [ops.ADD, ops.SUB, ops.MUL, ops.DIV, ops.MAXIMUM, ops.MINIMUM, ops.POW]
STEPS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=12)
FLOATS = st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.5, np.nan, np.inf, -np.inf])


@settings(max_examples=80, deadline=None)
@given(STEPS, st.lists(FLOATS, min_size=4, max_size=4), st.lists(FLOATS, min_size=4, max_size=4))
def test_simplified_graphs_give_the_same_bits(steps, values, others):
    def build(b, x):
        nodes = [x, b.constant(np.array(others, np.float32).reshape(2, 2)), *(
            b.constant(np.full((2, 2), value, np.float32)) for value in (1.0, 0.0, -0.0))]
        for which, i, j in steps:
            first, second = nodes[i % len(nodes)], nodes[j % len(nodes)]
            if which < len(UNARY):
                nodes.append(b.add(UNARY[which], [first], {}))
            elif which < len(UNARY) + len(BINARY):
                nodes.append(b.add(BINARY[which - len(UNARY)], [first, second], {}))
            elif which % 2:
                nodes.append(b.add(ops.TRANSPOSE, [first], {"permutation": (1, 0)}))
            else:
                flat = b.add(ops.RESHAPE, [first], {"shape": (4,)})
                nodes.append(b.add(ops.RESHAPE, [flat], {"shape": (2, 2)}))
        return nodes[-3:]

    graph = graph_of(build, TensorType((2, 2), float32))
    x = np.array(values, np.float32).reshape(2, 2)
    smaller = verify(simplified(graph), "simplify")
    assert len(smaller.nodes) <= len(graph.nodes)
    for one, other in zip(Program(graph)(x), Program(smaller)(x), strict=True):
        assert_same(other, one)


# Text

def test_text():
    def f(x):
        total, _ = tz.scan(lambda c, row: (tz.scan(lambda d, e: (d + e, None), c, row)[0], None), tz.tensor(0.0), x)
        return tz.where(total > 3, total, tz.tensor([1.0, 2.0]))

    assert str(tz.trace(f)(tz.ones(3, 2))) == """\
graph(%0: float32[3,2]):
  %1: float32[] = scan 0.0 %0 body=body1 length=3 reverse=False constants=0 carries=1
  %2: float32[] = result 0 of %1
  %3: bool[] = greater %2 3.0
  %4: float32[2] = where %3 %2 [1.0, 2.0]
  return %4

body1(%0: float32[], %1: float32[2]):
  %2: float32[] = scan %0 %1 body=body2 length=2 reverse=False constants=0 carries=1
  %3: float32[] = result 0 of %2
  return %3

body2(%0: float32[], %1: float32[]):
  %2: float32[] = add %0 %1
  return %2"""


def test_text_names_equal_bodies_once():
    def f(x):
        return [tz.scan(lambda c, row: (c + row, None), tz.tensor(0.0), x)[0] for _ in range(2)][1]
    assert str(tz.trace(lambda x: f(x) + f(-x))(tz.ones(3))).count("body1(") == 1


def test_a_graph_wants_all_its_inputs():
    with pytest.raises(GraphError, match="1 inputs for a graph of 2 parameters"):
        graph_of(lambda b, x, y: x, VECTOR, VECTOR).evaluate([1], None, None)
