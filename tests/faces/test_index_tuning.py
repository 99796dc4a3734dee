"""Choosing between exact and approximate search by measuring both."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import astuple

import numpy as np
import pytest

from lookalike.faces.index import Answer, ExactIndex, Found, IndexRows, Method, Query, choose, tune
from tests.faces.index_contract import ENCODER
from tests.faces.vectors import make_rows, make_vectors


class HalfBlind(ExactIndex):
    """A width of 100 finds everybody, 50 every other person. Exact search takes 30 ms."""

    widths: Sequence[int] = (10, 50, 100)

    def search(self, query: Query) -> Answer:
        found = super().search(query).found
        if query.method is Method.APPROXIMATE:
            step = 100 // query.width
            found = [Found(*(part[::step] for part in astuple(one))) for one in found]
            return Answer(found, Method.APPROXIMATE)
        if len(query.vectors) == 1:  # A query alone is a timed one.
            time.sleep(0.03)
        return Answer(found, Method.EXACT)


@pytest.fixture
def rows() -> IndexRows:
    return make_rows(50)


@pytest.fixture
def index(rows: IndexRows) -> HalfBlind:
    return HalfBlind(rows, ENCODER)


def test_it_works(index: HalfBlind, rows: IndexRows) -> None:
    tuning = tune(index, rows, 0.99)
    assert (tuning.method, tuning.width, tuning.recall) == (Method.APPROXIMATE, 100, 1.0)
    assert tuning.exact_ms >= 30.0 > tuning.approximate_ms


def test_takes_the_smallest_width_that_suffices(index: HalfBlind, rows: IndexRows) -> None:
    # Of the 13 nearest with the person itself every other one leaves 6 of 12 others.
    tuning = tune(index, rows, 0.4)
    assert (tuning.method, tuning.width, tuning.recall) == (Method.APPROXIMATE, 50, 0.5)


def test_keeps_a_reserve(index: HalfBlind, rows: IndexRows) -> None:
    assert tune(index, rows, 0.5).width == 100


def test_counts_other_people_only(index: HalfBlind, rows: IndexRows) -> None:
    index.widths = (10,)
    assert "finds 0.0833 of the nearest people" in tune(index, rows, 0.99).why


@pytest.mark.parametrize(
    ("recall", "found", "exact_ms", "approximate_ms", "method", "why"),
    [
        (0.99, 0.995, 17.0, 5.0, Method.APPROXIMATE, "takes 17 ms, approximate search 5 ms"),
        (0.99, 0.995, 6.1, 5.0, Method.APPROXIMATE, "with a recall of 0.995"),
        (0.99, 0.995, 5.9, 5.0, Method.EXACT, "about as fast"),
        (0.99, 0.995, 0.9, 0.1, Method.EXACT, "too little to be worth shortening"),
        (0.99, 0.985, 17.0, 5.0, Method.EXACT, "finds 0.985 of the nearest people, less than"),
        (1.0, 1.0, 17.0, 5.0, Method.EXACT, "only exact search guarantees"),
    ],
    ids=["faster", "just worth it", "as fast", "negligible", "out of reach", "perfection"],
)
def test_chooses_by_recall_and_time(
    recall: float, found: float, exact_ms: float, approximate_ms: float, method: Method, why: str
) -> None:
    tuning = choose(recall, found, 500, exact_ms, approximate_ms)
    assert tuning.method is method
    assert tuning.recall == (found if method is Method.APPROXIMATE else 1.0)
    assert why in tuning.why
    assert (tuning.width, tuning.exact_ms, tuning.approximate_ms) == (500, exact_ms, approximate_ms)


def test_handles_an_index_that_is_always_exact(rows: IndexRows) -> None:
    tuning = tune(ExactIndex(rows, ENCODER), rows, 0.99)
    assert tuning.method is Method.EXACT


def test_handles_a_gallery_of_one() -> None:
    one = IndexRows.of_vectors(make_vectors(1), np.array([1]))
    assert tune(ExactIndex(one, ENCODER), one, 0.99).method is Method.EXACT
