from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from numpy.typing import NDArray

from lookalike.faces.index import ExactIndex, IndexRows, Query
from lookalike.faces.photos.decoding import open_photo
from lookalike.faces.pipeline import load_engine
from lookalike.faces.runtime import Runtime
from lookalike.faces.similarity import (
    BANDS,
    HARDLY,
    LEAST_GAP,
    band,
    built_in_scale,
    calibrate,
    phrase,
)
from lookalike.faces.types import EncoderId, Scale, Vectors
from tests.faces.vectors import make_rows, make_vectors


def test_it_works() -> None:
    scale = Scale(stranger=0.6, same=0.2)
    assert scale.number(0.6) == 0.0
    assert scale.number(0.4) == pytest.approx(50.0)
    assert scale.number(0.2) == 100.0


def test_number_is_cut_at_the_ends() -> None:
    scale = Scale(stranger=0.6, same=0.2)
    assert scale.number(2.0) == 0.0
    assert scale.number(0.0) == 100.0


def test_number_never_rises_with_distance() -> None:
    scale = Scale(stranger=0.575, same=0.3)
    numbers = [scale.number(distance) for distance in np.linspace(0, 2, 5000).tolist()]
    assert numbers == sorted(numbers, reverse=True)
    assert all(0.0 <= number <= 100.0 for number in numbers)


@pytest.mark.parametrize(
    ("stranger", "same"), [(0.3, 0.3), (0.2, 0.3), (math.nan, 0.3), (math.inf, 0.3), (0.5, -0.1)]
)
def test_rejects_a_scale_upside_down(stranger: float, same: float) -> None:
    with pytest.raises(ValueError, match="not a scale"):
        Scale(stranger, same)


# Bands


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, 0), (39.9, 0), (40, 1), (50, 2), (59.9, 2), (60, 3), (74.9, 3), (75, 4), (100, 4)],
)
def test_band_of_a_number(number: float, expected: int) -> None:
    assert band(number) == expected
    assert phrase(number) == BANDS[expected][1]


def test_five_bands_rise_from_hardly_alike() -> None:
    assert len(BANDS) == 5
    assert [least for least, _ in BANDS] == sorted({least for least, _ in BANDS})
    assert BANDS[HARDLY] == (0.0, "hardly alike")


def test_no_phrase_claims_identity() -> None:
    for _, words in BANDS:
        assert not {"is", "same", "identical", "identified", "match"} & set(words.split())


# Calibration


def test_calibration_measures_both_points() -> None:
    rows = make_rows(200, portraits=2)
    measured = calibrate(rows.rows, rows.people, "dlib")
    assert measured.stranger_measured
    assert measured.same_measured
    assert measured.same_pairs == 200
    pairs = np.linalg.norm(rows.rows[::2] - rows.rows[1::2], axis=1)
    assert measured.scale.same == pytest.approx(np.median(pairs), abs=1e-5)
    first, second = np.triu_indices(400, 1)
    apart = rows.people[first] != rows.people[second]
    strangers = np.linalg.norm(rows.rows[first[apart]] - rows.rows[second[apart]], axis=1)
    assert measured.scale.stranger == pytest.approx(np.median(strangers), abs=1e-5)


def test_calibration_by_a_sample_is_near_the_whole() -> None:
    rows = make_rows(2000, portraits=1)
    few = calibrate(rows.rows[:600], rows.people[:600], "dlib")
    many = calibrate(rows.rows, rows.people, "dlib")
    assert many.stranger_pairs < 2000 * 1999 // 2
    assert many.scale.stranger == pytest.approx(few.scale.stranger, rel=0.05)


@pytest.mark.parametrize(("people", "measured"), [(29, False), (30, True)])
def test_calibration_requires_thirty_pairs_and_people(people: int, measured: bool) -> None:
    rows = make_rows(people, portraits=2)
    result = calibrate(rows.rows, rows.people, "unknown")
    assert (result.stranger_measured, result.same_measured) == (measured, measured)
    assert (result.scale == built_in_scale("unknown")) is not measured


def test_without_second_portraits_same_is_built_in() -> None:
    rows = make_rows(100, portraits=1)
    result = calibrate(rows.rows, rows.people, "dlib")
    assert (result.stranger_measured, result.same_measured) == (True, False)
    assert result.scale.same == built_in_scale("dlib").same


def test_one_persons_many_portraits_do_not_decide_alone() -> None:
    crowd = make_rows(1, portraits=400, spread=0.1)
    others = make_rows(500, portraits=2, spread=0.01)
    result = calibrate(
        np.vstack([crowd.rows, others.rows]),
        np.concatenate([crowd.people - 1, others.people]),
        "dlib",
    )
    alone = calibrate(crowd.rows, crowd.people, "dlib")
    assert alone.same_pairs < 400 * 4
    assert result.same_pairs == alone.same_pairs + 500


def test_a_picture_stored_twice_says_nothing_of_likeness() -> None:
    vectors = make_vectors(100).repeat(2, axis=0)
    result = calibrate(vectors, np.arange(100).repeat(2), "dlib")
    assert (result.same_measured, result.same_pairs) == (False, 0)


def test_contradictory_galleries_fall_back_to_the_built_in_scale() -> None:
    rows = make_rows(100, portraits=2)
    shuffled = np.random.default_rng(0).permutation(rows.people)  # Names mixed up.
    result = calibrate(rows.rows, shuffled, "dlib")
    assert result.scale == built_in_scale("dlib")
    assert not result.stranger_measured
    assert not result.same_measured


@pytest.mark.parametrize("people", [0, 1, 2])
def test_handles_tiny_galleries(people: int) -> None:
    rows = make_rows(people)
    scale = calibrate(rows.rows, rows.people, "dlib").scale
    assert scale == built_in_scale("dlib")


@pytest.mark.parametrize("encoder", ["dlib", "facenet", "unknown"])
def test_built_in_scales_are_scales(encoder: str) -> None:
    scale = built_in_scale(encoder)
    assert scale.stranger - scale.same > LEAST_GAP


# The real portraits, through the real detector and encoder

People = tuple[Vectors, NDArray[np.int64]]


@pytest.fixture(scope="module")
def portraits(portraits_dir: Path) -> People:
    """Vectors of the shared portraits, and a number for each one's person."""
    sessions = settings.SESSIONS_DIR
    engine = load_engine("dlib", sessions, Runtime(sessions))
    vectors, names = [], []
    for path in sorted(portraits_dir.glob("*.jpg")):
        photo = open_photo(
            path, max_bytes=50_000_000, max_pixels=100_000_000, min_side=20, target_side=640
        )
        turned, detections = engine.find_faces(photo, max_faces=1)
        vectors += [face.vector for face in engine.encode_faces(turned, detections)]
        names += [path.stem.rpartition("_")[0]] * len(detections)
    _, people = np.unique(names, return_inverse=True)
    return np.stack(vectors), people.astype(np.int64)


def numbers_of(portraits: People, *, same: bool) -> list[float]:
    vectors, people = portraits
    scale = calibrate(vectors, people, "dlib").scale
    first, second = np.triu_indices(len(vectors), 1)
    wanted = (people[first] == people[second]) == same
    distances = np.linalg.norm(vectors[first[wanted]] - vectors[second[wanted]], axis=1)
    return [scale.number(distance) for distance in distances.tolist()]


@pytest.mark.portraits
def test_strangers_are_at_nought_and_one_person_at_a_hundred(portraits: People) -> None:
    assert np.median(numbers_of(portraits, same=False)) == pytest.approx(0.0, abs=0.5)
    assert np.median(numbers_of(portraits, same=True)) == pytest.approx(100.0, abs=0.5)


@pytest.mark.portraits
def test_best_matches_of_people_outside_spread_over_the_scale(
    portraits: People, tmp_path: Path
) -> None:
    vectors, people = portraits
    ids = np.arange(len(vectors))
    rows = IndexRows.of_portraits(vectors, ids, people)
    scale = calibrate(rows.rows, rows.people, "dlib").scale
    index = ExactIndex(rows, EncoderId("dlib", "1"), scale)
    best = []
    for vector, person in zip(vectors, people, strict=True):
        query = Query(vector[None], 6, hidden=ids[people == person])
        [found] = index.search(query).neighbours
        numbers = [near.similarity for near in found]
        assert numbers == sorted(numbers, reverse=True)
        best.append(numbers[0])
    low, high = np.percentile(best, [5, 95])
    assert high - low >= 25
    assert {band(number) for number in best} >= {0, 1, 2, 3}


@pytest.mark.portraits
def test_the_same_person_comes_first_and_stands_out(portraits: People) -> None:
    vectors, people = portraits
    distances = np.linalg.norm(vectors[:, None] - vectors[None], axis=2)
    np.fill_diagonal(distances, 9.0)
    paired = np.bincount(people)[people] > 1
    right = people[distances.argmin(axis=1)] == people
    assert right[paired].mean() >= 0.98
    assert np.percentile(numbers_of(portraits, same=True), 5) > BANDS[3][0]
