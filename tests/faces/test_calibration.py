"""The two points of a gallery's numbers, and how near its look-alikes are."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.faces.calibration import (
    HALFWAY,
    LEAST_GAP,
    LEAST_ROWS,
    MOST_OF_ONE,
    built_in_scale,
    built_in_tail,
    calibrate,
    measure_outsiders,
)
from lookalike.faces.people import (
    Cohort,
    Portraits,
    average,
    choose_cohort,
    find_tails,
    make_rows,
    score_left_out,
)
from lookalike.faces.similarity import PERCENTILES, Calibration
from lookalike.faces.types import Scale, Tail
from tests.faces.vectors import DIMENSIONS, make_portraits, make_vectors

BUILT_IN = Scale(stranger=0.6, same=0.98)
TAIL = Tail(mean=0.82, deviation=0.032)


def measure(portraits: Portraits) -> Calibration:
    return calibrate(portraits, choose_cohort(portraits, TAIL), BUILT_IN)


def test_it_works() -> None:
    """Both points are medians of scores, but for what is left of the built-in ones."""
    portraits = make_portraits(400, portraits=2)
    cohort = choose_cohort(portraits, TAIL)
    rows = make_rows(average(portraits), cohort)
    scores = cohort.vectors @ rows.rows.T + rows.bias
    strangers = float(np.median(scores[cohort.people[:, None] != rows.ids]))
    same = float(np.median(score_left_out(portraits, cohort)))
    measured = measure(portraits)

    assert (measured.strangers, measured.same) == (400, 400)
    assert measured.scale.stranger == pytest.approx(strangers, abs=0.02 * (same - strangers))
    assert measured.scale.same == pytest.approx(same, abs=0.02 * (same - strangers))


def test_points_are_halfway_at_thirty_people() -> None:
    portraits = make_portraits(HALFWAY, portraits=2)
    cohort = choose_cohort(portraits, TAIL)
    own = float(np.median(score_left_out(portraits, cohort)))
    far, near = (calibrate(portraits, cohort, Scale(0.6, same)).scale.same for same in (0.99, 0.9))
    people = average(portraits)
    deviation = float(np.median(find_tails(people.means, people.ids, cohort)[1]))
    assert far - near == pytest.approx(0.5 * 0.09 / deviation, rel=1e-3)
    assert near < own < far


def test_numbers_move_smoothly_as_people_come() -> None:
    portraits, face = make_portraits(101, portraits=2), make_portraits(1).vectors[0]
    numbers = []
    for size in range(2, 102):
        there = portraits.take(portraits.people < 100 + size)
        row = make_rows(average(there), choose_cohort(there, TAIL)).take(np.array([1]))
        scale = measure(there).scale
        score = float((row.rows @ face + row.bias)[0])
        numbers.append(100 * (score - scale.stranger) / (scale.same - scale.stranger))
    moves = np.abs(np.diff(numbers))
    assert moves.max() < 15.0
    assert moves[26:30].max() < 4.0
    assert moves[46:50].max() < 4.0


def test_nobody_measured_gives_the_built_in_scale() -> None:
    measured = measure(Portraits.none(DIMENSIONS))
    assert measured == Calibration(Scale((0.6 - 0.82) / 0.032, (0.98 - 0.82) / 0.032))


def test_without_second_portraits_same_is_built_in() -> None:
    measured = measure(make_portraits(100, portraits=1))
    assert (measured.strangers, measured.same) == (100, 0)


def test_one_persons_many_portraits_do_not_decide_alone() -> None:
    crowd = make_portraits(1, portraits=400, spread=0.1)
    others = make_portraits(100, portraits=2, spread=0.01)
    together = Portraits(
        np.vstack([crowd.vectors, others.vectors]),
        np.arange(600),
        np.concatenate([crowd.people, others.people + 1]),
    )
    cohort = choose_cohort(together, TAIL)
    few = together.take(together.places < MOST_OF_ONE)
    assert calibrate(together, cohort, BUILT_IN) == calibrate(few, cohort, BUILT_IN)


def test_a_picture_stored_twice_says_nothing_of_likeness() -> None:
    vectors = make_vectors(100).repeat(2, axis=0)
    copies = Portraits(vectors, np.arange(200), np.arange(100).repeat(2))
    assert measure(copies).same == 0


def test_points_of_a_contradictory_gallery_are_moved_apart() -> None:
    portraits = make_portraits(200, portraits=2, spread=0.2)
    order = np.random.default_rng(0).permutation(400)  # Names mixed up.
    mixed = Portraits(portraits.vectors[order], portraits.ids, portraits.people)
    cohort = choose_cohort(mixed, TAIL)
    scale = measure(mixed).scale
    people = average(mixed)
    deviation = float(np.median(find_tails(people.means, people.ids, cohort)[1]))
    gap = (BUILT_IN.same - BUILT_IN.stranger) / deviation
    assert scale.same - scale.stranger == pytest.approx(LEAST_GAP * gap, rel=1e-3)


@pytest.mark.parametrize("people", [1, 2, 3])
def test_handles_tiny_galleries(people: int) -> None:
    scale = measure(make_portraits(people)).scale
    assert scale.stranger < scale.same


@pytest.mark.parametrize("encoder", ["dlib", "facenet", "unknown"])
def test_built_in_values_fit_together(encoder: str) -> None:
    scale, tail = built_in_scale(encoder), built_in_tail(encoder)
    assert scale.stranger <= tail.mean < scale.same
    assert tail.deviation > 0


# How near the look-alikes of somebody outside are


def measure_all(portraits: Portraits, scale: Scale) -> Calibration:
    cohort = choose_cohort(portraits, TAIL)
    return measure_outsiders(make_rows(average(portraits), cohort), cohort, Calibration(scale))


def test_best_and_sixth_are_those_of_people_left_out() -> None:
    portraits, scale = make_portraits(60, portraits=1), Scale(-20.0, 20.0)
    cohort = choose_cohort(portraits, TAIL)
    rows = make_rows(average(portraits), cohort)
    scores = portraits.vectors @ rows.rows.T + rows.bias
    np.fill_diagonal(scores, -np.inf)
    ordered = np.sort(scores, axis=1)
    measured = measure_outsiders(rows, cohort, Calibration(scale))

    for found, column in ((measured.best, -1), (measured.sixth, -6)):
        numbers = [scale.number(score) for score in ordered[:, column].tolist()]
        np.testing.assert_allclose(found, np.percentile(numbers, PERCENTILES), atol=0.06)
    assert measured.scale == scale


def test_requires_seven_people() -> None:
    scale = Scale(-20.0, 20.0)
    assert measure_all(make_portraits(LEAST_ROWS - 1), scale).best == []
    assert len(measure_all(make_portraits(LEAST_ROWS), scale).best) == len(PERCENTILES)


def test_nobody_is_left_out_of_a_gallery_of_fictional_people() -> None:
    cohort = Cohort(np.empty((0, DIMENSIONS), np.float32), np.empty(0, np.int64), Tail(0.9, 0.02))
    rows = make_rows(average(make_portraits(20)), cohort)
    assert measure_outsiders(rows, cohort, Calibration(Scale(0.0, 1.0))).best == []
