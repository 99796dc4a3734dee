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
from lookalike.faces.index import Index, IndexRows, Method, Query
from lookalike.faces.types import EncoderId, Neighbour
from tests.faces.vectors import DIMENSIONS, make_biased_rows, make_rows, make_vectors, normalised

MakeIndex = Callable[[IndexRows], Index]
PEOPLE = 500
ENCODER = EncoderId("test", "1")

both = pytest.mark.parametrize("method", list(Method))


def true_people(
    rows: IndexRows, vector: np.ndarray, among: np.ndarray | None = None
) -> list[Neighbour]:
    """Everybody, best score first, compared one by one in double precision."""
    scores = rows.rows.astype(float) @ vector.astype(float) + rows.bias
    best: dict[int, Neighbour] = {}
    for score, portrait, person in zip(
        scores, rows.ids.tolist(), rows.people.tolist(), strict=True
    ):
        near = Neighbour(person, portrait, float(np.sqrt(max(2 - 2 * score, 0.0))), score)
        if among is not None and person not in among:
            continue
        if person not in best or score > best[person].similarity:
            best[person] = near
    return sorted(best.values(), key=lambda near: (-near.similarity, near.celebrity_id))


def people_of(neighbours: list[Neighbour]) -> list[int]:
    return [near.celebrity_id for near in neighbours]


def ask(
    index: Index, vector: np.ndarray, k: int, method: Method | None = None, **more: Any
) -> list[Neighbour]:
    return index.search(replace(Query(vector[None], k, method), **more)).neighbours[0]


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
        nearest = ask(index, rows.rows[42], 6)
        assert (nearest[0].celebrity_id, nearest[0].portrait_id) == (121, 1042)
        assert nearest[0].distance == pytest.approx(0.0, abs=1e-6)
        assert nearest[0].similarity == 100.0
        assert len(set(people_of(nearest))) == 6
        assert [near.distance for near in nearest] == sorted(near.distance for near in nearest)

    def test_it_says_what_it_is(self, index: Index) -> None:
        assert index.encoder == ENCODER
        assert len(index) == 2 * PEOPLE
        assert index.method in Method
        assert sorted(index.widths) == list(index.widths)

    @pytest.mark.parametrize("k", [1, 6, 15, 100, PEOPLE + 1])
    def test_exact_search_equals_brute_force(self, index: Index, rows: IndexRows, k: int) -> None:
        queries = make_vectors(10, seed=7)
        answer = index.search(Query(queries, k, Method.EXACT))
        assert answer.method is Method.EXACT
        for vector, found in zip(queries, answer.neighbours, strict=True):
            true = true_people(rows, vector)[:k]
            assert people_of(found) == people_of(true)
            assert [near.portrait_id for near in found] == [near.portrait_id for near in true]
            np.testing.assert_allclose(
                [near.distance for near in found], [near.distance for near in true], atol=1e-5
            )

    def test_approximate_search_reaches_its_recall(self, index: Index, rows: IndexRows) -> None:
        queries, hits = make_vectors(50, seed=8), 0
        found = index.search(Query(queries, 12, Method.APPROXIMATE)).neighbours
        for vector, one in zip(queries, found, strict=True):
            hits += len({*people_of(one)} & {*people_of(true_people(rows, vector)[:12])})
        assert hits / 600 >= 0.98

    def test_it_says_which_method_it_used(self, index: Index) -> None:
        queries = make_vectors(2)
        approximate = Method.APPROXIMATE if index.widths else Method.EXACT
        assert index.search(Query(queries, 3, Method.APPROXIMATE)).method is approximate
        assert index.search(Query(queries, 3, Method.EXACT)).method is Method.EXACT
        assert index.search(Query(queries, 3)).method is index.method

    def test_several_vectors_give_a_list_each(self, index: Index) -> None:
        queries = make_vectors(3, seed=9)
        together = index.search(Query(queries, 4)).neighbours
        assert together == [ask(index, vector, 4) for vector in queries]
        assert index.search(Query(queries[:0], 4)).neighbours == []

    @both
    def test_number_follows_distance(self, index: Index, method: Method) -> None:
        nearest = ask(index, make_vectors(1, seed=10)[0], 50, method)
        assert [near.similarity for near in nearest] == [
            index.scale.number(near.distance) for near in nearest
        ]

    @both
    def test_handles_an_unnormalised_query(self, index: Index, method: Method) -> None:
        vector = make_vectors(1, seed=11)[0]
        scaled, unit = ask(index, vector * 40, 6, method), ask(index, vector, 6, method)
        assert people_of(scaled) == people_of(unit)
        assert scaled[0].distance == pytest.approx(unit[0].distance, abs=1e-6)

    @both
    def test_handles_more_than_there_are(self, make_index: MakeIndex, method: Method) -> None:
        index = make_index(make_rows(5, portraits=3))
        assert len(ask(index, make_vectors(1)[0], 50, method)) == 5

    @both
    def test_handles_a_person_with_many_rows(self, make_index: MakeIndex, method: Method) -> None:
        crowd, others = make_rows(1, portraits=600, spread=0.001), make_rows(30, seed=3)
        rows = IndexRows.of_portraits(
            np.vstack([crowd.rows, others.rows]),
            np.arange(660),
            np.concatenate([crowd.people, others.people + 1]),
        )
        found = ask(make_index(rows), crowd.rows[0], 10, method)
        assert people_of(found) == people_of(true_people(rows, crowd.rows[0])[:10])

    # Rows that are no unit vectors

    @both
    def test_score_has_a_bias(self, make_index: MakeIndex, method: Method) -> None:
        rows = make_biased_rows(PEOPLE)
        index, hits = make_index(rows), 0
        for vector in make_vectors(20, seed=5):
            found, true = ask(index, vector, 6, method), true_people(rows, vector)[:6]
            hits += len({*people_of(found)} & {*people_of(true)})
            if method is Method.EXACT:
                assert people_of(found) == people_of(true)
            assert found[0].distance == pytest.approx(true[0].distance, abs=1e-4)
        assert hits >= 0.97 * 120

    # Filters

    @both
    @pytest.mark.parametrize("size", [1, 3, 100, PEOPLE - 1])
    def test_filter_limits_the_people(
        self, index: Index, rows: IndexRows, size: int, method: Method
    ) -> None:
        rng = np.random.default_rng(size)
        people = np.sort(rng.choice(np.arange(100, 100 + PEOPLE), size, replace=False))
        vector = make_vectors(1, seed=12)[0]
        answer = index.search(Query(vector[None], 6, method, people=people))
        found, true = answer.neighbours[0], true_people(rows, vector, people)[:6]
        if answer.method is Method.EXACT:
            assert people_of(found) == people_of(true)
        assert len({*people_of(found)} & {*people_of(true)}) >= min(size, 5)

    @both
    def test_filter_handles_unknown_people_and_nobody(self, index: Index, method: Method) -> None:
        vector = make_vectors(1)[0]
        assert ask(index, vector, 6, method, people=np.array([], np.int64)) == []
        assert ask(index, vector, 6, method, people=np.array([-5, 1, 2])) == []
        assert people_of(ask(index, vector, 6, method, people=np.array([1, 150]))) == [150]

    # Hidden and added since the build

    @both
    @pytest.mark.parametrize("left", [6, 3, 0])
    def test_hidden_rows_never_shorten_a_result(
        self, index: Index, rows: IndexRows, left: int, method: Method
    ) -> None:
        vector = make_vectors(1, seed=13)[0]
        nearest = people_of(true_people(rows, vector))
        hidden = rows.ids[np.isin(rows.people, nearest[: PEOPLE - left])]
        assert people_of(ask(index, vector, 6, method, hidden=hidden)) == nearest[PEOPLE - left :]

    @both
    def test_hidden_row_leaves_the_person_the_other(
        self, index: Index, rows: IndexRows, method: Method
    ) -> None:
        found = ask(index, rows.rows[42], 6, method, hidden=np.array([1042, 77]))
        assert (found[0].celebrity_id, found[0].portrait_id) == (121, 1043)

    @both
    def test_added_rows_are_found(self, index: Index, method: Method) -> None:
        vector = make_vectors(1, seed=14)[0]
        added = IndexRows.of_portraits(vector[None], np.array([7]), np.array([8]))
        found = ask(index, vector, 6, method, added=added)
        assert (found[0].celebrity_id, found[0].portrait_id) == (8, 7)
        assert found[0].distance == pytest.approx(0.0, abs=1e-6)
        assert found[1:] == ask(index, vector, 5, method)

    def test_added_row_of_a_known_person_gives_one_line(self, index: Index) -> None:
        vector = make_vectors(1, seed=15)[0]
        added = IndexRows.of_portraits(vector[None], np.array([7]), np.array([121]))
        found = ask(index, vector, 6, added=added)
        assert people_of(found).count(121) == 1
        assert found[0].portrait_id == 7

    @both
    def test_added_row_replaces_the_row_of_its_id(
        self, index: Index, rows: IndexRows, method: Method
    ) -> None:
        far = normalised(-rows.rows[42:43])
        added = IndexRows.of_portraits(far, np.array([1042]), np.array([121]))
        assert ask(index, rows.rows[42], 6, method, added=added)[0].portrait_id == 1043

    def test_added_rows_obey_filter_and_hiding(self, index: Index) -> None:
        vector = make_vectors(1, seed=16)[0]
        added = IndexRows.of_portraits(np.stack([vector] * 2), np.array([7, 8]), np.array([9, 10]))
        assert people_of(ask(index, vector, 6, people=np.array([10, 121]), added=added)) == [
            10,
            121,
        ]
        assert ask(index, vector, 2, hidden=np.array([7]), added=added)[0].celebrity_id == 10

    def test_it_knows_which_ids_it_contains(self, index: Index) -> None:
        assert index.contains(np.array([1000, 999, 1001])).tolist() == [True, False, True]
        assert index.contains(np.array([], np.int64)).tolist() == []

    # Ties, and vectors that cannot be compared

    @both
    def test_ties_go_by_ids_whatever_the_order_of_rows(
        self, make_index: MakeIndex, method: Method
    ) -> None:
        vectors, ids = make_vectors(20, seed=4).repeat(3, axis=0), np.arange(60)
        shuffled = np.random.default_rng(5).permutation(60)
        rows = IndexRows.of_portraits(vectors, ids, ids + 500)
        found = ask(make_index(rows), vectors[30], 5, method)
        assert people_of(found)[:3] == [530, 531, 532]
        assert ask(make_index(rows.take(shuffled)), vectors[30], 5, method) == found

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
        short = IndexRows.of_portraits(np.ones((1, 3), np.float32), one, one)
        for added in (bad, short):
            with pytest.raises(BadVector):
                ask(index, make_vectors(1)[0], 6, added=added)
