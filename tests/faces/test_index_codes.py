"""Scores of coded heads: how near a row may be, without reading its vector."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.faces.index.clustering import LEAST_ROWS, Basis, find_basis
from lookalike.faces.index.codes import (
    LEVELS,
    Coding,
    code_query,
    encode_heads,
    find_coding,
    find_terms,
)
from tests.faces.vectors import DIMENSIONS, make_vectors


def code_rows(vectors: np.ndarray) -> tuple[Basis, Coding, np.ndarray, np.ndarray]:
    basis = find_basis(vectors)
    assert basis is not None
    heads = basis.heads(vectors)
    coding = find_coding(heads)
    codes = encode_heads(heads, coding.step)
    return basis, coding, codes, find_terms(vectors, heads, codes, basis)


def bound_distances(vectors: np.ndarray, query: np.ndarray) -> np.ndarray:
    """(n,) squared distances that the true ones should not be under."""
    basis, coding, codes, terms = code_rows(vectors)
    coded = code_query(query, basis, coding)
    scores = coded.weights @ terms
    coded.score(coded.multiply(np.ascontiguousarray(codes.T)), scores)
    bounds: np.ndarray = coded.squared - 2.0 * scores
    return bounds


def test_it_works() -> None:
    vectors, query = make_vectors(LEAST_ROWS), make_vectors(1, seed=1)[0]
    true = ((vectors.astype(float) - query) ** 2).sum(axis=1)
    bounds = bound_distances(vectors, query)
    assert (bounds <= true + 1e-5).all()
    assert (true - bounds).mean() < 0.1


@pytest.mark.parametrize("seed", range(5))
def test_no_true_distance_is_under_its_bound(seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((LEAST_ROWS, DIMENSIONS)).astype(np.float32)
    vectors *= rng.uniform(0.01, 3.0, DIMENSIONS)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for query in (vectors[0], -vectors[1], np.eye(DIMENSIONS, dtype=np.float32)[seed]):
        true = ((vectors.astype(float) - query) ** 2).sum(axis=1)
        assert (bound_distances(vectors, query) <= true + 1e-5).all()


def test_largest_products_are_correct() -> None:
    """On processors that add two products in 16 bits, the largest must still fit."""
    basis, coding, _, _ = code_rows(make_vectors(LEAST_ROWS))
    width = basis.directions.shape[1]
    query = code_query(basis.origin + basis.directions.sum(axis=1), basis, coding)
    for sign in (1, -1):
        codes = np.full((width, 100), sign * LEVELS, dtype=np.int8)
        expected = int(query.codes.astype(int).sum()) * sign * LEVELS
        assert query.multiply(codes).tolist() == [expected] * 100


def test_handles_rows_that_are_all_the_same() -> None:
    vectors = np.repeat(make_vectors(1), LEAST_ROWS, axis=0)
    bounds = bound_distances(vectors, vectors[0])
    assert (bounds <= 1e-5).all()
    assert (bounds >= -1e-3).all()
