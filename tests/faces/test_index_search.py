from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lookalike.faces.errors import BadVector
from lookalike.faces.index import Index, IndexRows, build_index, open_index
from lookalike.faces.types import Neighbour
from tests.faces.vectors import DIMENSIONS, make_rows, make_vectors, normalised

PEOPLE = 4000
"""With two portraits each, enough for heads and for cells of several rows."""


@pytest.fixture(scope="module")
def rows() -> IndexRows:
    return make_rows(PEOPLE)


@pytest.fixture(scope="module")
def index(rows: IndexRows, tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder = tmp_path_factory.mktemp("index")
    build_index(folder, "large", rows, encoder_name="test", encoder_version="1")
    return open_index(folder / "large")


def build_small(folder: Path, rows: IndexRows) -> Index:
    build_index(folder, "small", rows, encoder_name="test", encoder_version="1")
    return open_index(folder / "small")


def true_people(rows: IndexRows, query: np.ndarray, among: np.ndarray | None = None) -> list[int]:
    """Everyone, nearest first, compared one by one in double precision."""
    distances = np.linalg.norm(rows.vectors.astype(float) - query.astype(float), axis=1)
    best: dict[int, float] = {}
    for person, distance in zip(rows.celebrity_ids.tolist(), distances.tolist(), strict=True):
        if among is None or person in among:
            best[person] = min(distance, best.get(person, 9.0))
    return sorted(best, key=lambda person: (best[person], person))


def people_of(neighbours: list[Neighbour]) -> list[int]:
    return [neighbour.celebrity_id for neighbour in neighbours]


def test_it_works(index: Index, rows: IndexRows) -> None:
    nearest = index.search(rows.vectors[42], 6)
    assert (nearest[0].celebrity_id, nearest[0].portrait_id) == (121, 1042)
    assert nearest[0].distance == pytest.approx(0.0, abs=1e-6)
    assert nearest[0].similarity == 100.0
    assert len(set(people_of(nearest))) == 6
    assert [n.distance for n in nearest] == sorted(n.distance for n in nearest)


def test_index_has_heads_and_cells(index: Index) -> None:
    assert 0 < index.manifest.head < DIMENSIONS
    assert 1 < index.manifest.cells < len(index)


@pytest.mark.parametrize("k", [1, 6, 15, 100])
def test_exact_search_is_exact(index: Index, rows: IndexRows, k: int) -> None:
    for query in make_vectors(20, seed=7):
        assert people_of(index.search(query, k, exact=True)) == true_people(rows, query)[:k]


def test_approximate_search_reaches_its_recall(index: Index, rows: IndexRows) -> None:
    hits = 0
    for query in make_vectors(50, seed=8):
        found = people_of(index.search(query, 12, exact=False))
        hits += len(set(found) & set(true_people(rows, query)[:12]))
    assert hits / 600 >= 0.98


def test_approximate_distances_are_true_distances(index: Index) -> None:
    query = make_vectors(1, seed=9)[0]
    exact = {n.portrait_id: n for n in index.search(query, 100, exact=True)}
    for near in index.search(query, 6, exact=False):
        assert exact[near.portrait_id] == near


def test_number_follows_distance(index: Index) -> None:
    nearest = index.search(make_vectors(1, seed=10)[0], 200, exact=True)
    numbers = [near.similarity for near in nearest]
    assert numbers == sorted(numbers, reverse=True)
    assert numbers == [index.scale.number(near.distance) for near in nearest]


def test_portrait_is_the_best_of_the_person(index: Index, rows: IndexRows) -> None:
    query = rows.vectors[43]
    assert index.search(query, 1)[0].portrait_id == 1043


@pytest.mark.parametrize("exact", [True, False])
def test_handles_unnormalised_query(index: Index, exact: bool) -> None:
    query = make_vectors(1, seed=11)[0]
    scaled = index.search(query * 40, 6, exact=exact)
    unit = index.search(query, 6, exact=exact)
    assert people_of(scaled) == people_of(unit)
    assert scaled[0].distance == pytest.approx(unit[0].distance, abs=1e-6)


@pytest.mark.parametrize("exact", [True, False])
def test_handles_more_than_there_are(tmp_path: Path, exact: bool) -> None:
    index = build_small(tmp_path, make_rows(5, portraits=3))
    assert len(index.search(make_vectors(1)[0], 50, exact=exact)) == 5


@pytest.mark.parametrize("exact", [True, False])
def test_widens_until_enough_people_come(tmp_path: Path, exact: bool) -> None:
    crowd = make_rows(1, portraits=600, spread=0.001)
    others = make_rows(30, seed=3)
    rows = IndexRows(
        np.vstack([crowd.vectors, others.vectors]),
        np.arange(660),
        np.concatenate([crowd.celebrity_ids, others.celebrity_ids + 1]),
    )
    index = build_small(tmp_path, rows)
    query = crowd.vectors[0]
    assert people_of(index.search(query, 10, exact=exact)) == true_people(rows, query)[:10]


# Filters


@pytest.mark.parametrize("size", [1, 3, 300, 3999])
def test_filter_is_exact(index: Index, rows: IndexRows, size: int) -> None:
    allowed = np.random.default_rng(size).choice(np.arange(100, 100 + PEOPLE), size, replace=False)
    query = make_vectors(1, seed=12)[0]
    found = index.search(query, 6, allowed=allowed.tolist())
    assert people_of(found) == true_people(rows, query, allowed)[:6]
    assert index.search(query, 6, allowed=allowed) == found
    assert index.search(query, 6, allowed=set(allowed.tolist())) == found


def test_filter_handles_unknown_and_nobody(index: Index) -> None:
    query = make_vectors(1)[0]
    assert index.search(query, 6, allowed=[]) == []
    assert index.search(query, 6, allowed=[1, 2, -5]) == []
    assert people_of(index.search(query, 6, allowed=[1, 150])) == [150]


# Removed and added since the build


def portraits_of(rows: IndexRows, people: list[int]) -> set[int]:
    return set(rows.portrait_ids[np.isin(rows.celebrity_ids, people)].tolist())


def test_removed_portraits_are_skipped(index: Index, rows: IndexRows) -> None:
    query = make_vectors(1, seed=13)[0]
    nearest = true_people(rows, query)
    gone = portraits_of(rows, nearest[:500])
    found = index.search(query, 6, exact=True, without_portraits=gone)
    assert people_of(found) == nearest[500:506]


@pytest.mark.parametrize("left", [6, 3, 0])
def test_removals_never_shorten_an_approximate_result(
    index: Index, rows: IndexRows, left: int
) -> None:
    query = make_vectors(1, seed=13)[0]
    nearest = true_people(rows, query)
    gone = portraits_of(rows, nearest[: PEOPLE - left])
    found = index.search(query, 6, exact=False, without_portraits=gone)
    assert people_of(found) == nearest[PEOPLE - left :]


def test_person_stays_by_the_other_portrait(index: Index, rows: IndexRows) -> None:
    found = index.search(rows.vectors[42], 6, without_portraits=[1042])
    assert (found[0].celebrity_id, found[0].portrait_id) == (121, 1043)


@pytest.mark.parametrize("exact", [True, False])
def test_added_portraits_are_found(index: Index, exact: bool) -> None:
    query = make_vectors(1, seed=14)[0]
    extra = IndexRows(query[None] * 2, np.array([7]), np.array([8]))
    found = index.search(query, 6, exact=exact, extra=extra)
    assert (found[0].celebrity_id, found[0].portrait_id) == (8, 7)
    assert found[0].distance == pytest.approx(0.0, abs=1e-6)
    assert people_of(found[1:]) == people_of(index.search(query, 5, exact=exact))


def test_it_tells_which_portraits_it_holds(index: Index) -> None:
    assert index.holds([1000, 999, 1001]) == [True, False, True]
    assert index.holds([]) == []


def test_added_portrait_of_a_known_person_gives_one_line(index: Index) -> None:
    query = make_vectors(1, seed=15)[0]
    extra = IndexRows(query[None], np.array([7]), np.array([121]))
    found = index.search(query, 6, extra=extra)
    assert people_of(found).count(121) == 1
    assert found[0].portrait_id == 7


def test_recomputed_portrait_counts_as_added(index: Index, rows: IndexRows) -> None:
    far = normalised(-rows.vectors[42:43])
    extra = IndexRows(far, np.array([1042]), np.array([121]))
    found = index.search(rows.vectors[42], 6, extra=extra)
    assert found[0].portrait_id == 1043


def test_added_portraits_keep_to_filter_and_removals(index: Index) -> None:
    query = make_vectors(1, seed=16)[0]
    extra = IndexRows(np.stack([query, query]), np.array([7, 8]), np.array([9, 10]))
    assert people_of(index.search(query, 6, allowed=[10, 121], extra=extra)) == [10, 121]
    found = index.search(query, 2, without_portraits=[7], extra=extra)
    assert found[0].celebrity_id == 10


# Ties and vectors that can't be compared


@pytest.mark.parametrize("exact", [True, False])
def test_ties_go_by_ids_whatever_the_order_of_rows(tmp_path: Path, exact: bool) -> None:
    vectors = make_vectors(20, seed=4).repeat(3, axis=0)
    ids = np.arange(60)
    shuffled = np.random.default_rng(5).permutation(60)
    straight = build_small(tmp_path / "a", IndexRows(vectors, ids, ids + 500))
    mixed = build_small(
        tmp_path / "b", IndexRows(vectors[shuffled], ids[shuffled], ids[shuffled] + 500)
    )
    found = straight.search(vectors[30], 5, exact=exact)
    assert people_of(found)[:3] == [530, 531, 532]
    assert mixed.search(vectors[30], 5, exact=exact) == found


@pytest.mark.parametrize(
    "vector",
    [
        np.zeros(DIMENSIONS),
        np.full(DIMENSIONS, np.nan),
        np.r_[np.inf, np.ones(DIMENSIONS - 1)],
        np.full(DIMENSIONS, 1e30),
        np.ones(DIMENSIONS - 1),
        np.ones((1, DIMENSIONS)),
        np.ones(0),
    ],
    ids=["zero", "nan", "infinite", "overflowing", "short", "two-dimensional", "empty"],
)
@pytest.mark.parametrize("exact", [True, False])
def test_rejects_bad_query(index: Index, vector: np.ndarray, exact: bool) -> None:
    with pytest.raises(BadVector):
        index.search(vector, 6, exact=exact)


def test_rejects_bad_added_vector(index: Index) -> None:
    zero = IndexRows(np.zeros((1, DIMENSIONS), np.float32), np.array([7]), np.array([8]))
    short = IndexRows(np.ones((1, 3), np.float32), np.array([7]), np.array([8]))
    for extra in (zero, short):
        with pytest.raises(BadVector):
            index.search(make_vectors(1)[0], 6, extra=extra)
