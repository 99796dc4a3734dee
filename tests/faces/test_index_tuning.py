"""Choosing between exact and approximate search by measuring both."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pytest

from lookalike.faces.index import (
    Answer,
    ExactIndex,
    IndexRows,
    Method,
    Query,
    mix_queries,
    tune,
)
from lookalike.faces.types import Scale
from tests.faces.index_contract import ENCODER
from tests.faces.vectors import DIMENSIONS, make_rows, make_vectors


class Stand(ExactIndex):
    """An index with a recall and a speed of your choosing: a width of 100 finds everybody,
    50 finds half of them."""

    widths: Sequence[int] = (10, 50, 100)

    def __init__(self, rows: IndexRows, exact_ms: float, approximate_ms: float) -> None:
        super().__init__(rows, ENCODER, Scale(0.6, 0.3))
        self.ms = {Method.EXACT: exact_ms, Method.APPROXIMATE: approximate_ms}

    def search(self, query: Query) -> Answer:
        method = query.method or Method.EXACT
        if len(query.vectors) == 1:  # A query alone is a timed one.
            time.sleep(self.ms[method] / 1000)
        found = super().search(query).neighbours
        if method is Method.APPROXIMATE:
            found = [one[: round(len(one) * query.width / 100)] for one in found]
        return Answer(found, method)


@pytest.fixture(scope="module")
def rows() -> IndexRows:
    return make_rows(50)


@pytest.fixture(scope="module")
def queries(rows: IndexRows) -> np.ndarray:
    return mix_queries(rows, 40)


def test_it_works(rows: IndexRows, queries: np.ndarray) -> None:
    tuning = tune(Stand(rows, 6.0, 1.5), queries, 0.99)
    assert (tuning.method, tuning.width, tuning.recall) == (Method.APPROXIMATE, 100, 1.0)
    assert 6.0 <= tuning.exact_ms < 20.0
    assert 1.5 <= tuning.approximate_ms < tuning.exact_ms
    assert "with a recall of 1" in tuning.why


def test_takes_the_smallest_width_that_suffices(rows: IndexRows, queries: np.ndarray) -> None:
    tuning = tune(Stand(rows, 6.0, 1.5), queries, 0.5)
    assert (tuning.method, tuning.width) == (Method.APPROXIMATE, 50)
    assert tuning.recall == 0.5


@pytest.mark.parametrize(
    ("exact_ms", "approximate_ms", "recall", "why"),
    [
        (0.0, 0.0, 0.99, "too little to be worth shortening"),
        (3.0, 5.0, 0.99, "about as fast"),
        (6.0, 1.5, 1.0, "less than 1"),
    ],
    ids=["negligible", "as fast", "perfection"],
)
def test_prefers_exact_search(
    rows: IndexRows,
    queries: np.ndarray,
    exact_ms: float,
    approximate_ms: float,
    recall: float,
    why: str,
) -> None:
    tuning = tune(Stand(rows, exact_ms, approximate_ms), queries, recall)
    assert (tuning.method, tuning.recall) == (Method.EXACT, 1.0)
    assert why in tuning.why


def test_prefers_exact_search_where_the_recall_is_out_of_reach(
    rows: IndexRows, queries: np.ndarray
) -> None:
    index = Stand(rows, 6.0, 1.5)
    index.widths = (10, 50)
    tuning = tune(index, queries, 0.9)
    assert tuning.method is Method.EXACT
    assert "finds 0.5 of the nearest people, less than 0.9" in tuning.why


def test_an_index_that_is_always_exact_is_not_measured_in_vain(rows: IndexRows) -> None:
    index = ExactIndex(rows, ENCODER, Scale(0.6, 0.3))
    assert tune(index, mix_queries(rows, 5), 0.99).method is Method.EXACT


def test_queries_are_unit_vectors_near_the_gallery_but_not_in_it(rows: IndexRows) -> None:
    queries = mix_queries(rows, 200)
    np.testing.assert_allclose(np.linalg.norm(queries, axis=1), 1.0, atol=1e-5)
    nearest = (queries @ rows.rows.T).max(axis=1)
    assert nearest.max() < 0.9999
    mean = rows.rows.mean(axis=0)
    spread = [np.linalg.norm(each - mean, axis=1).mean() for each in (queries, rows.rows)]
    assert spread[0] == pytest.approx(spread[1], rel=0.15)


def test_the_same_rows_give_the_same_queries(rows: IndexRows) -> None:
    np.testing.assert_array_equal(mix_queries(rows, 9), mix_queries(rows, 9))


def test_handles_a_gallery_of_one() -> None:
    one = IndexRows.of_portraits(make_vectors(1), np.array([1]), np.array([1]))
    assert mix_queries(one, 3).shape == (3, DIMENSIONS)
