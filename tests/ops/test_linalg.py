"""tz.linalg beyond the op table: errors, singular and degenerate matrices, half precision, complex numbers."""

import numpy as np
import pytest
from helpers import leaf

import tarazu as tz
from tarazu.base.errors import ArgumentError, DTypeError, GradientError, ShapeError
from tarazu.ops import linalg as namespace
from tarazu.ops.linalg.products import _splits

ONES, SINGULAR, INTS = tz.ones(2, 3), tz.ones(2, 2), tz.eye(2, dtype="int64")
COMPLEX = np.array([[2 + 1j, 1], [1j, 3]])

MISUSES = [
    (lambda: tz.linalg.cholesky(ONES), ShapeError, r"cholesky of matrices of 2 rows and 3 (.|\n)*tz.linalg.pinv"),
    (lambda: tz.linalg.slogdet(ONES), ShapeError, "slogdet of matrices of 2 rows"),
    (lambda: tz.linalg.eigh(ONES), ShapeError, "eigh of matrices of 2 rows"),
    (lambda: tz.linalg.inv(ONES), ShapeError, r"inv of a tensor of shape \(2, 3\)\n.*square"),
    (lambda: tz.linalg.matrix_power(ONES, 2), ShapeError, r"matrix_power of a tensor of shape \(2, 3\)"),
    (lambda: tz.linalg.qr(ONES[0]), ShapeError, r"qr of a tensor of shape \(3,\)\n.*two axes(.|\n)*x\[:, None\]"),
    (lambda: tz.linalg.pinv(ONES[0]), ShapeError, r"svd of a tensor of shape \(3,\)"),
    (lambda: tz.linalg.matrix_norm(ONES[0]), ShapeError, r"matrix_norm of a tensor of shape \(3,\)(.|\n)*vector_norm"),
    (lambda: tz.linalg.diagonal(ONES[0]), ShapeError, r"diagonal of a tensor of shape \(3,\)"),
    (lambda: tz.linalg.solve(SINGULAR, ONES.mT), ShapeError, r"right sides of shape \(3, 2\)(.|\n)*with 2 rows"),
    (lambda: tz.linalg.cross(SINGULAR, SINGULAR), ShapeError, r"cross: shapes .*\n.*3 elements"),
    (lambda: tz.linalg.vecdot(ONES, SINGULAR), ShapeError, r"vecdot: shapes \(2, 3\) and \(2, 2\) along axis -1"),
    (lambda: tz.linalg.inv(INTS), DTypeError, "solve of a tensor of int64(.|\n)*x.astype"),
    (lambda: tz.linalg.det(INTS), DTypeError, "slogdet of a tensor of int64"),
    (lambda: tz.linalg.svd(INTS), DTypeError, "svd of a tensor of int64"),
    (lambda: tz.linalg.inv(SINGULAR), ArgumentError, r"a singular matrix \(shape \(2, 2\)\)(.|\n)*1e-6 \* tz.eye"),
    (lambda: tz.linalg.solve(SINGULAR, tz.ones(2)), ArgumentError, r"a singular matrix(.|\n)*tz.linalg.pinv\(a\) @ b"),
    (lambda: tz.linalg.cholesky(-tz.eye(2)), ArgumentError, "not positive definite(.|\n)*eigenvalues(.|\n)*eigh"),
    (lambda: tz.linalg.svd(ONES * np.nan), ArgumentError, r"svd: an iteration that did not converge(.|\n)*tz.isnan"),
    (lambda: tz.linalg.qr(ONES, mode="raw"), ArgumentError, "qr: mode='raw'"),
    (lambda: tz.linalg.matrix_norm(ONES, ord=3), ArgumentError, "matrix_norm: ord=3\n.*'nuc'"),
    (lambda: tz.linalg.eig(ONES), ShapeError, "eig of matrices of 2 rows"),
    (lambda: tz.linalg.eigvals(INTS), DTypeError, "eig of a tensor of int64"),
    (lambda: tz.linalg.eig(SINGULAR * np.nan), ArgumentError, "eig: an iteration that did not converge"),
    (lambda: tz.linalg.solve_triangular(ONES, ONES), ShapeError, r"solve_triangular of a tensor of shape \(2, 3\)"),
    (lambda: tz.linalg.solve_triangular(SINGULAR, ONES.mT), ShapeError, r"right sides of shape \(3, 2\)"),
    (lambda: tz.linalg.solve_triangular(tz.zeros(2, 2), tz.ones(2)), ArgumentError, "a singular matrix"),
    (lambda: tz.linalg.lu(INTS), DTypeError, "of a tensor of int64"),
    (lambda: tz.linalg.lu_factor(ONES[0]), ShapeError, r"of a tensor of shape \(3,\)"),
    (lambda: tz.linalg.lu_solve((ONES, [0, 1]), ONES), ShapeError, "lu_solve of a tensor"),
    (lambda: tz.linalg.lu_solve((SINGULAR, [0, 1]), tz.ones(3)), ShapeError, "lu_solve: .*\n.*with 2 rows"),
    (lambda: tz.linalg.lstsq(ONES, tz.ones(3)), ShapeError, r"lstsq: .*right sides of shape \(3,\)\n.*with 2 rows"),
    (lambda: tz.linalg.lstsq(INTS, INTS), DTypeError, "svd of a tensor of int64"),
    (lambda: tz.linalg.matrix_exp(ONES), ShapeError, "matrix_exp of a tensor"),
    (lambda: tz.linalg.logdet(ONES), ShapeError, "slogdet of matrices of 2 rows"),
    (lambda: tz.linalg.cond(ONES, 1), ShapeError, r"cond of a tensor of shape \(2, 3\)"),
    (lambda: tz.linalg.cond(SINGULAR, 3), ArgumentError, "matrix_norm: ord=3"),
    (lambda: tz.linalg.norm(tz.ones(2, 2, 2), 1), ShapeError, "norm: ord=1 of a tensor .*\n.*(.|\n)*axis=-1"),
    (lambda: tz.linalg.norm(tz.ones(2, 2, 2), axis=(0, 1, 2)), ArgumentError, "norm: ord=None over axes"),
    (lambda: tz.linalg.norm(ONES, "fro", axis=0), ArgumentError, "norm: ord='fro'"),
    (lambda: tz.linalg.norm(ONES, axis=(0, 0)), ShapeError, "name one axis twice"),
    (lambda: tz.linear(ONES, ONES), ShapeError, r"linear: .*weight of shape \(2, 3\)(.|\n)*weight.mT"),
    (lambda: tz.bilinear(ONES, ONES, ONES), ShapeError, r"bilinear: .*\n.*\(n, m, units\)"),
    (lambda: tz.linalg.multi_dot([ONES]), ArgumentError, "multi_dot of 1 arrays\n.*two or more"),
    (lambda: tz.linalg.multi_dot([ONES, ONES]), ShapeError, r"0 of shape \(2, 3\) times array 1 of shape \(2, 3\)"),
    (lambda: tz.linalg.multi_dot([ONES, ONES[0], ONES]), ShapeError, r"multi_dot: array 1 of shape \(3,\)\n.*matrices"),
    (lambda: tz.linalg.matrix_power(SINGULAR, 0.5), ArgumentError, "matrix_power: n=0.5\n.*an integer"),
]


@pytest.mark.parametrize(("misuse", "error", "match"), MISUSES)
@pytest.mark.parametrize("is_jitted", [False, True])
def test_errors_say_what_is_wrong(misuse, error, match, is_jitted):
    with pytest.raises(error, match=match):
        (tz.jit(misuse) if is_jitted else misuse)()


def test_the_namespace_has_the_names_of_the_standard():
    wanted = ("cholesky cross det diagonal eigh eigvalsh inv matmul matrix_norm matrix_power matrix_rank "
                     "matrix_transpose outer pinv qr slogdet solve svd svdvals tensordot trace vecdot vector_norm")
    assert set(wanted.split()) <= set(namespace.__all__)


@pytest.mark.parametrize("function", [tz.linalg.qr, tz.linalg.svd])
def test_reduced_and_complete_decompositions_give_the_matrix(function):
    x = np.random.default_rng(0).normal(size=(2, 4, 3))
    for parts in (function(tz.asarray(x)), tz.linalg.qr(tz.asarray(x), mode="complete"),
                  tz.linalg.svd(tz.asarray(x), full_matrices=False)):
        if len(parts) == 2:
            made = parts.Q @ parts.R
        else:
            k = parts.S.shape[-1]
            made = (parts.U[..., :k] * parts.S[:, None]) @ parts.Vh[..., :k, :]
        np.testing.assert_allclose(made.numpy(), x, atol=1e-12)


def test_a_product_of_many_is_made_in_the_cheapest_order():
    """Cormen and others, figure 15.5: (A (B C)) ((D E) F), 15125 multiplications."""
    splits = _splits([30, 35, 15, 5, 10, 20, 25])
    assert [splits[part] for part in ((0, 5), (0, 2), (3, 5))] == [2, 0, 4]


def test_gradients_need_determined_columns():
    x = tz.tensor([[1.0, 2], [3, 4], [5, 6]], requires_grad=True)
    with pytest.raises(GradientError, match='QR decomposition of matrices that are not square(.|\n)*mode="reduced"'):
        tz.linalg.qr(x, mode="complete").Q.sum().backward()
    with pytest.raises(GradientError, match="singular value decomposition(.|\n)*full_matrices=False"):
        tz.linalg.svd(x).U.sum().backward()
    tz.linalg.svd(x).S.sum().backward()
    assert x.grad.shape == (3, 2)


def test_equal_eigenvalues_have_gradients_and_their_vectors_have_none():
    x, weights = 2 * tz.eye(3, dtype="float64"), tz.asarray([1.0, 1, 1])
    np.testing.assert_allclose(tz.grad(lambda x: (tz.linalg.eigvalsh(x)**2 * weights).sum())(x).numpy(), 4 * np.eye(3))
    assert not np.isfinite(tz.grad(lambda x: tz.linalg.eigh(x).eigenvectors[0, 0])(x).numpy()).all()


def test_pinv_of_equal_singular_values_and_of_low_rank():
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    tz.grad_check(tz.linalg.pinv, tz.asarray(turn[:, :2]))
    tz.grad_check(tz.grad(lambda x: (tz.linalg.pinv(x)**3).sum()), tz.asarray(2 * turn[:2]))
    low = np.outer([1.0, 2, 3], [1.0, -1])
    np.testing.assert_allclose(tz.linalg.pinv(tz.asarray(low)).numpy(), np.linalg.pinv(low), atol=1e-12)
    tz.grad_check(lambda v: tz.linalg.pinv(v[:, None] * v), tz.asarray([1.0, 2, 3]))  # of rank 1 all along
    assert tz.linalg.matrix_rank(tz.asarray(low)).item() == 1
    assert tz.linalg.matrix_rank(tz.asarray(np.diag([1.0, 0.01])), rtol=0.1).item() == 1


def test_singular_determinant():
    assert tz.linalg.det(SINGULAR).item() == 0
    assert tz.linalg.slogdet(SINGULAR).logabsdet.item() == -np.inf


def test_the_gradient_of_the_determinant_is_the_adjugate_for_singular_matrices_too():
    batch = tz.tensor([[[1.0, 2], [2, 4]], [[2, 1], [0, 3]], [[0, 0], [0, 0]]], "float64")
    wanted = [[[4.0, -2], [-2, 1]], [[3, 0], [-1, 2]], [[0, 0], [0, 0]]]
    gradient = tz.grad(lambda x: tz.linalg.det(x).sum())
    for function in (gradient, tz.jit(gradient)):
        np.testing.assert_allclose(function(batch).numpy(), wanted, atol=1e-14)
    weights = tz.tensor([[1.0, 2], [3, 4]], "float64")
    second = tz.grad(lambda x: (gradient(x) * weights).sum())
    for matrix in (batch[0], tz.eye(2, dtype="float64")):
        np.testing.assert_allclose(second(matrix).numpy(), [[4.0, -3], [-2, 1]], atol=1e-13)
    rank_2 = tz.tensor([[1.0, 2, 3], [2, 4, 6], [1, 0, 1]], "float64")
    np.testing.assert_allclose(gradient(rank_2).numpy(), [[4.0, 4, -4], [-2, -2, 2], [0, 0, 0]], atol=1e-13)
    assert gradient(tz.zeros(1, 1)).tolist() == [[1]] and gradient(tz.zeros(0, 0)).shape == (0, 0)


def test_one_singular_matrix_does_not_end_a_batch():
    found = tz.grad(lambda x: tz.linalg.slogdet(x).logabsdet.sum())(tz.tensor([[[1.0, 2], [2, 4]], [[2, 0], [0, 4]]]))
    assert np.isnan(found[0].numpy()).all() and found[1].tolist() == [[0.5, 0], [0, 0.25]]


def test_norms_have_gradient_0_at_0():
    zero = tz.zeros(3, dtype="float64")
    for order in (2, 3, 1):
        assert tz.grad(lambda x, order=order: tz.linalg.vector_norm(x, ord=order))(zero).numpy().tolist() == [0, 0, 0]
    assert tz.linalg.vector_norm(tz.ones(2, 3)).item() == pytest.approx(6**0.5)
    assert tz.linalg.vector_norm(tz.ones(2, 3), axis=0, keepdims=True).shape == (1, 3)
    assert tz.linalg.matrix_norm(tz.ones(2, 3), ord=2, keepdims=True).shape == (1, 1)


def test_half_precision_is_computed_in_single():
    for dtype in ("float16", "bfloat16"):
        x = tz.tensor([[4.0, 2], [2, 5]], dtype)
        assert tz.linalg.cholesky(x).tolist() == [[2, 0], [1, 2]]
        assert tz.linalg.inv(x).dtype is x.dtype
        assert tz.linalg.svd(x).S.dtype is x.dtype


@pytest.mark.parametrize("name", ["inv", "det", "pinv", "svdvals", "matrix_rank", "matrix_norm", "trace"])
def test_complex_values(name):
    found = getattr(tz.linalg, name)(tz.asarray(COMPLEX)).numpy()
    wanted = getattr(np.linalg, name)(COMPLEX)
    assert found.dtype == np.asarray(wanted).dtype
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_complex_decompositions():
    x = tz.asarray(COMPLEX)
    hermitian = x @ tz.conj(x.mT)
    lower, upper = tz.linalg.cholesky(hermitian), tz.linalg.cholesky(hermitian, upper=True)
    np.testing.assert_allclose((lower @ upper).numpy(), hermitian.numpy(), rtol=1e-12)
    values, vectors = tz.linalg.eigh(hermitian)
    assert values.dtype is tz.float64
    np.testing.assert_allclose((hermitian @ vectors).numpy(), (vectors * values).numpy(), rtol=1e-12)


@pytest.mark.parametrize("function", [lambda x: tz.linalg.eigh(x).eigenvalues, tz.linalg.svdvals, tz.linalg.cholesky])
def test_complex_gradients_are_refused(function):
    x = tz.tensor([[2.0, 1], [1, 3]], requires_grad=True)
    with pytest.raises(GradientError, match="of complex numbers(.|\n)*x.detach"):
        tz.abs(function(x.astype("complex64"))).sum().backward()


def test_third_derivatives():
    x = np.array([[2.0, 0.3], [0.1, 1.5]])
    direction = np.array([[0.5, -0.2], [0.4, 0.3]])

    def along(t, order):
        def f(t):
            return tz.linalg.slogdet(tz.asarray(x) + t * direction).logabsdet
        for _ in range(order):
            f = tz.grad(f)
        return f(tz.asarray(t, "float64")).item()
    step = 1e-3
    wanted = (8 * (along(step, 2) - along(-step, 2)) - (along(2 * step, 2) - along(-2 * step, 2))) / (12 * step)
    assert along(0.0, 3) == pytest.approx(wanted, rel=1e-8)


def test_least_squares_by_gradient():
    """A ridge regression by `solve` under jit, with the penalty learned: the gradient through solve reaches it."""
    rng = np.random.default_rng(3)
    a, b = tz.asarray(rng.normal(size=(8, 3))), tz.asarray(rng.normal(size=8))
    penalty = leaf(0.1)

    @tz.jit
    def loss():
        w = tz.linalg.solve(a.mT @ a + penalty * tz.eye(3, dtype="float64"), a.mT @ b)
        return ((a @ w - b)**2).sum() + (w * w).sum()
    loss().backward()
    tz.grad_check(lambda p: tz.linalg.solve(a.mT @ a + p * tz.eye(3, dtype="float64"), a.mT @ b), penalty.detach())
    assert np.isfinite(penalty.grad.item())


@pytest.mark.parametrize("shape", [(70, 40), (40, 70), (2, 3, 3), (0, 2, 2), (3, 0)])
def test_lu_gives_the_matrix_by_blocks_too(shape):
    x = np.random.default_rng(0).normal(size=shape)
    p, lower, upper = tz.linalg.lu(x)
    np.testing.assert_allclose(p @ lower @ upper, x, atol=1e-12)
    assert not shape[0] or abs(lower.numpy()).max(initial=1) == 1


def test_lu_of_singular_matrices_and_of_nan():
    assert tz.linalg.lu(tz.zeros(2, 2)).U.tolist() == [[0, 0], [0, 0]]
    assert np.isnan(tz.linalg.lu(SINGULAR * np.nan).U.numpy()[0]).all()


def test_the_gradient_of_lu_by_blocks():
    x = tz.asarray(np.random.default_rng(1).normal(size=(36, 34)))
    direction = np.random.default_rng(2).normal(size=(36, 34))

    def f(t):
        _, lower, upper = tz.linalg.lu(x + t * direction)
        return tz.sin(lower).sum() + tz.sin(upper).sum()
    tz.grad_check(f, tz.tensor(0.0, "float64"), step=1e-7, tolerance=1e-3)


def test_one_factorization_solves_for_a_batch_of_right_sides():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(3, 3)), rng.normal(size=(4, 3, 2))
    np.testing.assert_allclose(tz.linalg.lu_solve(tz.linalg.lu_factor(a), b), np.linalg.solve(a, b), rtol=1e-9)
    many = rng.normal(size=(4, 3, 3))
    found = tz.linalg.lu_solve(tz.linalg.lu_factor(many), b[0])
    np.testing.assert_allclose(found, np.linalg.solve(many, b[0]), rtol=1e-9)


def test_least_squares_of_low_rank_are_the_shortest():
    a, b = np.array([[1.0, 1], [2, 2], [3, 3]]), np.array([[1.0, 0], [2, 1], [4, 1]])
    found, wanted = tz.linalg.lstsq(a, b), np.linalg.lstsq(a, b, rcond=None)
    np.testing.assert_allclose(found.solution, wanted[0], rtol=1e-12)
    np.testing.assert_allclose(found.residuals, ((a @ wanted[0] - b) ** 2).sum(0), rtol=1e-12)
    assert found.rank.item() == 1


def test_condition_of_singular_matrices_in_a_batch():
    x = tz.tensor([[[1.0, 1], [1, 1]], [[2, 0], [0, 1]], [[0, 0], [0, 0]]], "float64")
    for order in (1, "fro"):
        found = tz.linalg.cond(x, order).numpy()
        assert np.isinf(found[[0, 2]]).all() and np.isfinite(found[1])
    assert tz.linalg.cond(x[1:]).tolist() == [2, np.inf]


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-13)])
def test_exponentials_of_small_and_large_matrices(dtype, tolerance):
    angle = np.array([1e-4, 1.0, 30.0], dtype)[:, None, None]
    turn = tz.linalg.matrix_exp(angle * np.array([[0, -1], [1, 0]], dtype)).numpy()
    np.testing.assert_allclose(turn[:, 0, 0], np.cos(angle[:, 0, 0].astype(float)), atol=tolerance)
    assert turn.dtype == dtype


def test_exponentials_of_what_is_not_finite():
    assert np.isnan(tz.linalg.matrix_exp(tz.tensor([[np.nan, 0], [0, 1]])).numpy()).any()
    assert tz.linalg.matrix_exp(tz.zeros(0, 2, 2)).shape == (0, 2, 2)
    assert tz.linalg.logdet(tz.tensor([[[0.0, 1], [1, 0]], [[0, 0], [0, 0]]])).tolist()[1] == -np.inf


def test_complex_gradients_of_eig_lu_and_exponentials():
    x = np.random.default_rng(0).normal(size=(3, 3))
    for f in (lambda z: (tz.abs(tz.linalg.eig(z).eigenvectors) ** 4).sum() + tz.real(tz.linalg.eigvals(z) ** 3).sum(),
              lambda z: tz.real((tz.linalg.lu(z).L ** 2).sum() * tz.linalg.lu(z).U.sum()),
              lambda z: tz.real(tz.linalg.matrix_exp(z)).sum()):
        tz.grad_check(lambda x, f=f: f(x * (1 + 2j) + tz.eye(3)), x)


def test_eigenvectors_have_length_1():
    values, vectors = tz.linalg.eig(COMPLEX)
    np.testing.assert_allclose(COMPLEX @ vectors.numpy(), vectors.numpy() * values.numpy(), rtol=1e-12)
    np.testing.assert_allclose(tz.linalg.norm(vectors, axis=-2), [1, 1], rtol=1e-12)
    assert tz.linalg.eig(tz.eye(2, dtype="float16")).eigenvalues.dtype is tz.complex64


def test_lengths_and_distances_of_zeros():
    zeros = tz.zeros(2, requires_grad=True)
    for y in (tz.normalize(zeros).sum(), tz.pairwise_distance(zeros, tz.zeros(2)), tz.cosine_similarity(
            zeros, tz.ones(2))):
        assert y.item() == 0
        y.backward()
    assert np.isfinite(zeros.grad.numpy()).all()
