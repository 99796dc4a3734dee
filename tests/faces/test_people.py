"""A person as one row: mean similarity, beside how similar other people are."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.faces.index import ExactIndex, IndexRows, Query
from lookalike.faces.people import (
    MOST_PORTRAITS,
    Cohort,
    People,
    Portraits,
    average,
    choose_cohort,
    find_odd,
    find_tails,
    make_rows,
    score_left_out,
)
from lookalike.faces.types import Scale, Tail
from tests.faces.index_contract import ENCODER
from tests.faces.vectors import DIMENSIONS, make_portraits, make_vectors, normalised

TAIL = Tail(mean=0.82, deviation=0.032)
NO_COHORT = Cohort(np.empty((0, DIMENSIONS), np.float32), np.empty(0, np.int64), TAIL)


def score(rows: IndexRows, vector: np.ndarray) -> np.ndarray:
    return np.asarray(rows.rows.astype(float) @ vector + rows.bias)


def test_it_works() -> None:
    """The whole formula for one person, in plain steps."""
    portraits = make_portraits(100, portraits=3)
    cohort = choose_cohort(portraits, TAIL)
    rows = make_rows(average(portraits), cohort)
    face = make_vectors(1, seed=9)[0]

    own = portraits.vectors[portraits.people == 142].astype(float)
    others = portraits.vectors[portraits.people != 142].astype(float)
    upper = np.sort((others @ own.T).mean(axis=1))[-30:]  # A tenth of 297 is 29.7.
    weights = np.where(np.arange(30) == 0, 0.7, 1.0) / 29.7
    tail_mean = weights @ upper
    share = 99 / (99 + 50)
    mean = share * tail_mean + (1 - share) * TAIL.mean
    deviation = share * np.sqrt(weights @ (upper - tail_mean) ** 2) + (1 - share) * TAIL.deviation
    assert score(rows, face)[42] == pytest.approx(
        ((own @ face).mean() - mean) / deviation, abs=1e-3
    )
    assert rows.ids.tolist() == list(range(100, 200))


def test_a_row_knows_the_portraits_it_was_made_of() -> None:
    rows = make_rows(average(make_portraits(3, portraits=2)), NO_COHORT)
    assert rows.checksums.tolist() == [1000 + 1001, 1002 + 1003, 1004 + 1005]


def test_a_mean_is_not_brought_to_unit_length() -> None:
    vectors = np.eye(2, DIMENSIONS, dtype=np.float32)
    people = average(Portraits(vectors, np.array([1, 2]), np.array([5, 5])))
    np.testing.assert_allclose(people.means[0, :3], [0.5, 0.5, 0.0])


def test_people_are_joined_in_order() -> None:
    portraits = make_portraits(6)
    parts = [
        average(portraits.take(portraits.people < 103)),
        average(portraits.take(portraits.people >= 103)),
    ]
    whole, joined = average(portraits), People.join(parts)
    assert joined.portraits == whole.portraits == 12
    assert joined.ids.tolist() == whole.ids.tolist()
    assert joined.checksums.tolist() == whole.checksums.tolist()
    np.testing.assert_array_equal(joined.means, whole.means)


def test_nobody_gains_by_looking_like_everybody() -> None:
    """Thirty of 300 people are half way to the mean of all, and so nearer to everybody."""
    portraits = make_portraits(300, portraits=1)
    portraits.vectors[:30] = normalised(portraits.vectors[:30] + portraits.vectors.mean(axis=0))
    rows = make_rows(average(portraits), choose_cohort(portraits, TAIL))
    plain = IndexRows.of_vectors(portraits.vectors, portraits.people)

    def count_firsts(rows: IndexRows) -> float:
        found = ExactIndex(rows, ENCODER).search(Query(make_vectors(1000, seed=5), 1)).found
        return float(np.mean([each.ids[0] < 130 for each in found]))

    assert count_firsts(plain) > 0.15
    assert count_firsts(rows) < 0.11


def test_nobody_gains_by_many_portraits() -> None:
    few, many = make_portraits(100, portraits=1), make_portraits(100, portraits=8, seed=3)
    portraits = Portraits(
        np.vstack([few.vectors, many.vectors]),
        np.arange(900),
        np.concatenate([few.people, many.people + 100]),
    )
    rows = make_rows(average(portraits), choose_cohort(portraits, TAIL))
    best = [score(rows, face).argmax() >= 100 for face in make_vectors(400, seed=6)]
    assert 0.3 < np.mean(best) < 0.7


# Galleries of few people


def test_without_others_the_tail_is_built_in() -> None:
    people = average(make_portraits(1))
    for cohort in (NO_COHORT, choose_cohort(make_portraits(1), TAIL)):
        mean, deviation = find_tails(people.means, people.ids, cohort)
        assert (mean[0], deviation[0]) == pytest.approx((TAIL.mean, TAIL.deviation))


def test_own_portraits_are_left_out_however_many_they_are() -> None:
    crowd, other = make_portraits(1, portraits=60), make_portraits(1, portraits=1, seed=4)
    portraits = Portraits(
        np.vstack([crowd.vectors, other.vectors]), np.arange(61), np.repeat([100, 101], [60, 1])
    )
    mean, _ = find_tails(average(crowd).means, np.array([100]), choose_cohort(portraits, TAIL))
    similarity = float(average(crowd).means[0] @ other.vectors[0])
    assert mean[0] == pytest.approx(similarity / 51 + TAIL.mean * 50 / 51, abs=1e-5)


def test_scores_move_smoothly_from_one_person_to_a_hundred() -> None:
    """Nothing jumps, least of all when the fiftieth person comes."""
    portraits, face = make_portraits(101, portraits=1), make_vectors(1, seed=8)[0]
    scores = []
    for size in range(1, 102):
        there = portraits.take(portraits.people < 100 + size)
        scores.append(score(make_rows(average(there), choose_cohort(there, TAIL)), face)[0])
    moves = np.abs(np.diff(scores))
    spread = score(make_rows(average(portraits), choose_cohort(portraits, TAIL)), face).std()
    assert moves.max() < 0.25 * spread
    assert moves[46:52].max() < 0.1 * spread


# The cohort


def test_a_cohort_holds_as_many_people_as_possible() -> None:
    crowd = make_portraits(1, portraits=MOST_PORTRAITS)
    others = make_portraits(MOST_PORTRAITS - 50, portraits=3, seed=2)
    cohort = choose_cohort(
        Portraits(
            np.vstack([crowd.vectors, others.vectors]),
            np.arange(len(crowd) + len(others)),
            np.concatenate([crowd.people, others.people + 1]),
        ),
        TAIL,
    )
    assert len(cohort.people) == MOST_PORTRAITS
    people, counts = np.unique(cohort.people, return_counts=True)
    assert len(people) == MOST_PORTRAITS - 49
    assert counts.max() == 2


def test_the_same_portraits_give_the_same_cohort_spread_over_people() -> None:
    portraits = make_portraits(3000, portraits=1)
    first, second = choose_cohort(portraits, TAIL), choose_cohort(portraits, TAIL)
    np.testing.assert_array_equal(first.people, second.people)
    assert 1400 < first.people.mean() - 100 < 1600


def test_a_cohort_survives_storage() -> None:
    cohort = choose_cohort(make_portraits(20), TAIL)
    again = Cohort.from_bytes(cohort.to_bytes(), DIMENSIONS, TAIL)
    np.testing.assert_array_equal(again.vectors, cohort.vectors)
    np.testing.assert_array_equal(again.people, cohort.people)
    assert len(Cohort.from_bytes(b"", DIMENSIONS, TAIL).people) == 0


# Portraits against the person's others


def test_a_left_out_portrait_is_scored_by_the_others() -> None:
    portraits = make_portraits(40, portraits=3)
    cohort = choose_cohort(portraits, TAIL)
    others = portraits.take(portraits.ids != 1000)
    expected = score(make_rows(average(others), cohort), portraits.vectors[0])[0]
    assert score_left_out(portraits, cohort)[0] == pytest.approx(expected, abs=1e-3)


@pytest.fixture
def mixed_up() -> Portraits:
    """Forty people with four portraits each; the last of person 105's is person 120's."""
    portraits = make_portraits(40, portraits=4)
    portraits.vectors[23] = portraits.vectors[80]
    return portraits


def find(portraits: Portraits, *confirmed: int) -> list[int]:
    cohort = choose_cohort(portraits, TAIL)
    score = score_left_out(portraits, cohort)
    scale = Scale(-6.5, float(np.median(score)))
    odd = find_odd(portraits, np.isin(portraits.ids, confirmed), cohort, scale)
    return [int(portrait) for portrait in portraits.ids[odd]]


def test_somebody_elses_portrait_is_odd(mixed_up: Portraits) -> None:
    assert find(mixed_up) == [1023]


def test_a_confirmed_portrait_is_never_odd(mixed_up: Portraits) -> None:
    assert find(mixed_up, 1023) == []


def test_one_portrait_of_a_person_is_odd_at_a_time(mixed_up: Portraits) -> None:
    mixed_up.vectors[22] = mixed_up.vectors[90]
    assert len(find(mixed_up)) == 1


def test_handles_no_portraits() -> None:
    nobody = Portraits.none(DIMENSIONS)
    assert len(make_rows(average(nobody), choose_cohort(nobody, TAIL))) == 0
    assert len(score_left_out(nobody, NO_COHORT)) == 0
    assert len(find_odd(nobody, np.empty(0, np.bool_), NO_COHORT, Scale(0.0, 1.0))) == 0
