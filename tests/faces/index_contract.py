"""What every index must do, whatever it is built of: one suite for all of them.

A module of tests inherits `IndexContract` and says in ``make_index`` how to build one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lookalike.faces.errors import BadVector
from lookalike.faces.index import Found, Index, IndexRows, Method, Query
from lookalike.faces.types import EncoderId
from tests.faces.vectors import DIMENSIONS, make_biased_rows, make_rows, make_vectors

MakeIndex = Callable[[IndexRows], Index]
PEOPLE = 500
ENCODER = EncoderId("test", "1")

both = pytest.mark.parametrize("method", list(Method))


def true_rows(rows: IndexRows, vector: np.ndarray, among: np.ndarray | None = None) -> Found:
    """All rows, best first, compared one by one in double precision."""
    scores = rows.rows.astype(float) @ vector.astype(float) + rows.bias
    at = np.arange(len(rows)) if among is None else np.flatnonzero(np.isin(rows.ids, among))
    at = at[np.lexsort((rows.ids[at], -scores[at]))]
    return Found(scores[at], rows.ids[at], rows.checksums[at])


def ids_of(found: Found) -> list[int]:
    return [int(row) for row in found.ids]


def same(first: Found, second: Found) -> bool:
    return ids_of(first) == ids_of(second) and first.scores.tolist() == second.scores.tolist()


def ask(
    index: Index, vector: np.ndarray, k: int, method: Method | None = None, **more: Any
) -> Found:
    return index.search(replace(Query(vector[None], k, method), **more)).found[0]


class IndexContract:
    @pytest.fixture(scope="class")
    @classmethod
    def rows(cls) -> IndexRows:
        return make_rows(PEOPLE)

    @pytest.fixture(scope="class")
    @classmethod
    def index(cls, make_index: MakeIndex, rows: IndexRows) -> Index:
        return make_index(rows)

    def test_it_works(self, index: Index, rows: IndexRows) -> None:
        best = ask(index, rows.rows[42], 6)
        assert ids_of(best)[0] == 142
        assert best.scores[0] == pytest.approx(1.0, abs=1e-6)
        assert best.checksums[0] == rows.checksums[42]
        assert best.scores.tolist() == sorted(best.scores.tolist(), reverse=True)
        assert len(set(ids_of(best))) == 6

    def test_it_says_what_it_is(self, index: Index) -> None:
        assert index.encoder == ENCODER
        assert len(index) == PEOPLE
        assert index.method in Method
        assert sorted(index.widths) == list(index.widths)

    @pytest.mark.parametrize("k", [1, 6, 15, 100, PEOPLE + 1])
    def test_exact_search_equals_brute_force(self, index: Index, rows: IndexRows, k: int) -> None:
        queries = make_vectors(10, seed=7)
        answer = index.search(Query(queries, k, Method.EXACT))
        assert answer.method is Method.EXACT
        for vector, found in zip(queries, answer.found, strict=True):
            true = true_rows(rows, vector).best(k)
            assert ids_of(found) == ids_of(true)
            assert found.checksums.tolist() == true.checksums.tolist()
            np.testing.assert_allclose(found.scores, true.scores, atol=1e-5)

    def test_approximate_search_reaches_its_recall(self, index: Index, rows: IndexRows) -> None:
        queries, hits = make_vectors(50, seed=8), 0
        answer = index.search(Query(queries, 12, Method.APPROXIMATE))
        for vector, found in zip(queries, answer.found, strict=True):
            hits += len({*ids_of(found)} & {*ids_of(true_rows(rows, vector).best(12))})
        assert hits / 600 >= 0.98

    def test_it_says_which_method_it_used(self, index: Index) -> None:
        queries = make_vectors(2)
        approximate = Method.APPROXIMATE if index.widths else Method.EXACT
        assert index.search(Query(queries, 3, Method.APPROXIMATE)).method is approximate
        assert index.search(Query(queries, 3, Method.EXACT)).method is Method.EXACT
        assert index.search(Query(queries, 3)).method is index.method

    def test_several_vectors_give_an_answer_each(self, index: Index) -> None:
        queries = make_vectors(3, seed=9)
        together = index.search(Query(queries, 4)).found
        alone = [ask(index, vector, 4) for vector in queries]
        assert all(map(same, together, alone))
        assert len(together) == 3
        assert index.search(Query(queries[:0], 4)).found == []

    @both
    def test_handles_an_unnormalised_query(self, index: Index, method: Method) -> None:
        vector = make_vectors(1, seed=11)[0]
        scaled, unit = ask(index, vector * 40, 6, method), ask(index, vector, 6, method)
        assert ids_of(scaled) == ids_of(unit)
        assert scaled.scores[0] == pytest.approx(unit.scores[0], abs=1e-6)

    @both
    def test_handles_more_than_there_are(self, make_index: MakeIndex, method: Method) -> None:
        index = make_index(make_rows(5))
        assert len(ask(index, make_vectors(1)[0], 50, method)) == 5

    # Rows that are no unit vectors

    @both
    def test_score_has_a_bias(self, make_index: MakeIndex, method: Method) -> None:
        rows = make_biased_rows(PEOPLE)
        index, hits = make_index(rows), 0
        for vector in make_vectors(20, seed=5):
            found, true = ask(index, vector, 6, method), true_rows(rows, vector).best(6)
            hits += len({*ids_of(found)} & {*ids_of(true)})
            if method is Method.EXACT:
                assert ids_of(found) == ids_of(true)
            assert found.scores[0] == pytest.approx(true.scores[0], abs=1e-4)
        assert hits >= 0.97 * 120

    # Filters

    @both
    @pytest.mark.parametrize("size", [1, 3, 100, PEOPLE - 1])
    def test_filter_limits_the_rows(
        self, index: Index, rows: IndexRows, size: int, method: Method
    ) -> None:
        rng = np.random.default_rng(size)
        among = np.sort(rng.choice(np.arange(100, 100 + PEOPLE), size, replace=False))
        vector = make_vectors(1, seed=12)[0]
        answer = index.search(Query(vector[None], 6, method, among=among))
        found, true = ids_of(answer.found[0]), ids_of(true_rows(rows, vector, among).best(6))
        if answer.method is Method.EXACT:
            assert found == true
        assert len({*found} & {*true}) >= min(size, 5)

    @both
    def test_filter_handles_unknown_ids_and_none(self, index: Index, method: Method) -> None:
        vector = make_vectors(1)[0]
        assert ids_of(ask(index, vector, 6, method, among=np.array([], np.int64))) == []
        assert ids_of(ask(index, vector, 6, method, among=np.array([-5, 1, 2]))) == []
        assert ids_of(ask(index, vector, 6, method, among=np.array([1, 150]))) == [150]

    # Hidden and added since the build

    @both
    @pytest.mark.parametrize("left", [6, 3, 0])
    def test_hidden_rows_never_shorten_a_result(
        self, index: Index, rows: IndexRows, left: int, method: Method
    ) -> None:
        vector = make_vectors(1, seed=13)[0]
        best = true_rows(rows, vector).ids
        hidden, rest = best[: PEOPLE - left], best[PEOPLE - left :]
        hidden = np.append(hidden, 7)  # An id that the index does not have.
        assert ids_of(ask(index, vector, 6, method, hidden=hidden)) == rest.tolist()

    @both
    def test_added_rows_are_found(self, index: Index, method: Method) -> None:
        vector = make_vectors(1, seed=14)[0]
        added = IndexRows.of_vectors(vector[None], np.array([7]))
        found = ask(index, vector, 6, method, added=added)
        assert ids_of(found)[0] == 7
        assert found.scores[0] == pytest.approx(1.0, abs=1e-6)
        assert ids_of(found)[1:] == ids_of(ask(index, vector, 5, method))

    @both
    def test_added_row_replaces_the_row_of_its_id(
        self, index: Index, rows: IndexRows, method: Method
    ) -> None:
        vector, more = rows.rows[42], np.array([77])
        near = IndexRows(vector[None], np.zeros(1, np.float32), np.array([142]), more)
        found = ask(index, vector, 6, method, added=near)
        assert (ids_of(found).count(142), found.checksums[0]) == (1, 77)
        far = IndexRows.of_vectors(-vector[None], np.array([142]))
        assert 142 not in ids_of(ask(index, vector, 6, method, added=far))

    def test_added_rows_obey_filter_and_hiding(self, index: Index) -> None:
        vector = make_vectors(1, seed=16)[0]
        added = IndexRows.of_vectors(np.stack([vector] * 2), np.array([7, 8]))
        assert ids_of(ask(index, vector, 6, among=np.array([8, 121]), added=added)) == [8, 121]
        assert ids_of(ask(index, vector, 2, hidden=np.array([7]), added=added))[0] == 8

    def test_it_knows_the_checksums_of_its_rows(self, index: Index, rows: IndexRows) -> None:
        known = rows.checksums[[0, 1]].tolist()
        assert index.checksums(np.array([100, 99, 101])).tolist() == [known[0], 0, known[1]]
        assert index.checksums(np.array([], np.int64)).tolist() == []

    # Ties, and vectors that cannot be compared

    @both
    def test_ties_go_by_ids_whatever_the_order_of_rows(
        self, make_index: MakeIndex, method: Method
    ) -> None:
        vectors, ids = make_vectors(20, seed=4).repeat(3, axis=0), np.arange(500, 560)
        shuffled = np.random.default_rng(5).permutation(60)
        rows = IndexRows.of_vectors(vectors, ids)
        found = ask(make_index(rows), vectors[30], 5, method)
        assert ids_of(found)[:3] == [530, 531, 532]
        assert same(ask(make_index(rows.take(shuffled)), vectors[30], 5, method), found)

    @pytest.mark.parametrize(
        "vectors",
        [
            np.zeros((1, DIMENSIONS)),
            np.full((1, DIMENSIONS), np.nan),
            np.r_[np.inf, np.ones(DIMENSIONS - 1)][None],
            np.full((1, DIMENSIONS), 1e30),
            np.ones((1, DIMENSIONS - 1)),
            np.ones(DIMENSIONS),
            np.ones((0, 3)),
        ],
        ids=["zero", "nan", "infinite", "overflowing", "short", "one-dimensional", "empty"],
    )
    @both
    def test_rejects_vectors_that_cannot_be_compared(
        self, index: Index, vectors: np.ndarray, method: Method
    ) -> None:
        with pytest.raises(BadVector):
            index.search(Query(vectors, 6, method))

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_rejects_added_rows_that_cannot_be_compared(self, index: Index, value: float) -> None:
        one = np.array([7])
        bad = IndexRows(
            np.full((1, DIMENSIONS), value, np.float32), np.zeros(1, np.float32), one, one
        )
        short = IndexRows.of_vectors(np.ones((1, 3), np.float32), one)
        for added in (bad, short):
            with pytest.raises(BadVector):
                ask(index, make_vectors(1)[0], 6, added=added)
