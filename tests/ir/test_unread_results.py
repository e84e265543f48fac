"""Scans lose the results, carries and inputs that nothing reads; what is read stays to the last bit."""

import numpy as np

import tarazu as tz

X, Y = tz.asarray(np.sin(np.arange(6.0)).reshape(3, 2)), tz.ones(3, 2, dtype="float64")


def scans(function, *args):
    graph = tz.trace(function)(*args)
    return [node for node in graph.nodes if getattr(node.op, "name", "") == "scan"]


def both(function, *args):
    """The one scan that is left, after a comparison of eager and compiled results."""
    np.testing.assert_array_equal(tz.jit(function)(*args), function(*args))
    (scan,) = scans(function, *args)
    return scan


def three(x, y):
    """Carries: a sum of x, a sum of y that reads the first, a product that reads nothing else. Stacks: two."""
    def step(carry, row):
        (a, b, c), (p, q) = carry, row
        return (a + p, b + q * a, c * q), (a * 2, tz.exp(b))
    return tz.scan(step, (x[0], x[0], x[0]), (x, y))


def test_stacks_that_nothing_reads_are_not_stacked():
    scan = both(lambda x, y: three(x, y)[1][0], X, Y)
    assert [t.shape for t in scan.type] == [(2,), (3, 2)] and scan.attributes["carries"] == 1
    assert len(scan.inputs) == 2  # the first carry and x
    assert "exp" not in scan.attributes["body"].counts().nodes


def test_a_carry_stays_with_all_that_it_reads():
    scan = both(lambda x, y: three(x, y)[0][1], X, Y)
    assert scan.attributes["carries"] == 2 and len(scan.type) == 2 and len(scan.inputs) == 4
    assert len(both(lambda x, y: three(x, y)[0][2], X, Y).inputs) == 2


def test_a_scan_that_feeds_only_what_is_unread_shrinks_too():
    def function(x, y):
        (a, _, _), (doubled, raised) = three(x, y)
        _, (first, _) = tz.scan(lambda c, row: (c, (row[0] + c, row[1] * c)), a, (doubled, raised))
        return first
    one, other = scans(function, X, Y)
    assert "exp" not in one.attributes["body"].counts().nodes
    assert len(other.type) == 2 and len(other.inputs) == 2
    np.testing.assert_array_equal(tz.jit(function)(X, Y), function(X, Y))


def test_nested_scans_shrink_from_outside():
    def function(x, y):
        def outer(carry, row):
            last, stacked = tz.scan(lambda c, p: (c + p, tz.exp(c)), carry, row)
            return last, stacked
        return tz.scan(outer, tz.zeros((), dtype="float64"), x)[0]
    scan = both(function, X, Y)
    assert "exp" not in scan.attributes["body"].counts().nodes


def test_constants_that_serve_only_the_unread_go():
    def function(x, y):
        return tz.scan(lambda c, row: (c + row, row * y[0] * c), x[0], x)[0]
    scan = both(function, X, Y)
    assert scan.attributes["constants"] == 0 and len(scan.inputs) == 2


def test_what_is_read_stays():
    scan = both(lambda x, y: tz.concat([z.flatten() for part in three(x, y) for z in part]), X, Y)
    assert len(scan.type) == 5 and len(scan.inputs) == 5


def test_reversed_loops_in_loops_and_branches():
    def function(x, y):
        return tz.cond(x[0, 0] > 1, lambda: three(x, y)[0][0],
                       lambda: tz.scan(lambda c, row: (c * row, tz.exp(row)), x[0], y, reverse=True)[0])
    np.testing.assert_array_equal(tz.jit(function)(X, Y), function(X, Y))
    graph = tz.trace(function)(X, Y)
    assert "exp" not in graph.counts().nodes
