"""Ranks, the verification threshold and groups, on distances that can be checked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lookalike.faces import evaluation, ranking
from lookalike.faces.evaluation import measure_accuracy
from lookalike.faces.ranking import rank_people

PEOPLE = ["ada", "bo", "cy", "di", "ed", "flo", "gus", "hal"]


def at(*degrees: float) -> np.ndarray:
    """Unit vectors on a half circle; two are ``2 sin(angle / 2)`` apart."""
    angles = np.radians(np.array(degrees, np.float64))
    return np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)


GALLERY = at(*(20 * place for place in range(8)))  # 0, 20 ... 140 degrees


def chord(degrees: float) -> float:
    return 2 * math.sin(math.radians(degrees) / 2)


def test_it_works() -> None:
    """Everybody within 5 degrees of themselves, and at least 15 from the next."""
    queries = at(*(20 * place + 5 for place in range(8)))
    found = measure_accuracy(GALLERY, PEOPLE, queries, PEOPLE)
    assert (found.rank1, found.rank6, found.verification) == (1, 1, 1)
    assert chord(5) < (found.threshold or 0) < chord(15)
    assert found.groups == {}


def test_it_counts_the_first_and_the_first_six() -> None:
    """Ada's photo is at 59 degrees: five others are nearer. Hal's is at 1: all are."""
    queries = at(59, 1, 41)
    found = measure_accuracy(GALLERY, PEOPLE, queries, ["ada", "hal", "cy"])
    assert found.rank1 == pytest.approx(1 / 3)
    assert found.rank6 == pytest.approx(2 / 3)


def test_a_person_counts_by_all_their_portraits() -> None:
    """One near portrait and one far away are worth less than a single one half way."""
    gallery = np.concatenate([GALLERY, at(179)])
    found = measure_accuracy(gallery, [*PEOPLE, "bo"], at(21), ["bo"])
    assert (found.rank1, found.rank6) == (0, 1)


def test_a_person_counts_beside_how_alike_others_are_to_them() -> None:
    """Two hundred people at 40 degrees are nearer than ada, but as near to each other."""
    gallery = at(20, *(40 + 0.01 * step for step in range(200)))
    people = ["ada", *(f"twin {step}" for step in range(200))]
    assert measure_accuracy(gallery, people, at(33), ["ada"]).rank1 == 1
    assert measure_accuracy(gallery, people, at(41), ["ada"]).rank6 == 0


def test_many_portraits_of_one_person_take_one_place() -> None:
    gallery = np.concatenate([at(*(30 + 0.1 * step for step in range(20))), at(40, 90)])
    found = measure_accuracy(gallery, ["bo"] * 20 + ["ada", "cy"], at(33), ["ada"])
    assert (found.rank1, found.rank6) == (0, 1)


def test_somebody_exactly_as_near_is_a_wrong_answer() -> None:
    found = measure_accuracy(at(10, 10), ["ada", "bo"], at(10), ["ada"])
    assert (found.rank1, found.rank6) == (0, 1)


def test_photos_without_a_face_count_as_not_found() -> None:
    queries = at(1, 21)
    found = measure_accuracy(
        GALLERY, PEOPLE, queries, ["ada", "bo"], missed_people=["cy", "ed", "a stranger"]
    )
    assert (found.rank1, found.rank6) == (0.5, 0.5)


def test_queries_of_people_outside_the_gallery_have_no_rank() -> None:
    queries = at(1, 21, 170)
    found = measure_accuracy(GALLERY, PEOPLE, queries, ["ada", "bo", "a stranger"])
    assert found.rank1 == 1


def test_the_threshold_weighs_both_kinds_of_error_alike() -> None:
    """One pair of two people (of 14) lies nearer than one pair of one person (of two)."""
    found = measure_accuracy(GALLERY, PEOPLE, at(1, 52), ["ada", "bo"])
    # At best: both pairs of one person accepted, up to 32 degrees, and with them those at
    # 19 (ada's photo to bo), 12 and 8 (bo's photo to cy and di) and 28 (to ed); or only the
    # nearer of the two and nobody else: (1 + 10 / 14) / 2 beats (1 / 2 + 1) / 2.
    assert found.verification == pytest.approx((1 + 10 / 14) / 2)
    assert found.threshold == pytest.approx(chord(32), abs=0.06)


def test_groups_are_compared_within_themselves() -> None:
    queries = at(-1, 21, 59, 61)
    labels = {
        "sex": {"ada": "F", "bo": "F", "cy": "M", "di": "M", "nobody": "X"},
        "born": {"ada": "1960s"},
    }
    found = measure_accuracy(GALLERY, PEOPLE, queries, ["ada", "bo", "cy", "di"], labels=labels)
    women, men = found.groups["sex"]["F"], found.groups["sex"]["M"]
    assert sorted(found.groups["sex"]) == ["F", "M"]
    assert (women.query_photos, women.rank1, women.rank6) == (2, 1, 1)
    assert (men.query_photos, men.rank1, men.rank6) == (2, 0.5, 1)
    # Everyone's threshold takes in 19 degrees, from cy's photo to his portrait, and not 21.
    # Of the women's pairs that is right throughout; di's portrait passes for cy's photo.
    assert chord(19) < (found.threshold or 0) < chord(21)
    assert women.verification == 1
    assert men.verification == pytest.approx((1 + 1 / 2) / 2)
    [ada] = found.groups["born"].values()
    assert (ada.query_photos, ada.rank1, ada.verification) == (1, 1, None)


def test_a_group_counts_its_photos_without_a_face() -> None:
    labels = {"sex": {"ada": "F", "bo": "F"}}
    found = measure_accuracy(GALLERY, PEOPLE, at(1), ["ada"], missed_people=["bo"], labels=labels)
    assert found.groups["sex"]["F"].query_photos == 2
    assert found.groups["sex"]["F"].rank1 == 0.5


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    people = [f"person {number}" for number in range(40)]
    centres = rng.standard_normal((40, 16))

    def draw() -> np.ndarray:
        vectors = centres + rng.normal(0, 0.9, centres.shape)
        units: np.ndarray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return units.astype(np.float32)

    gallery, queries = draw(), draw()
    labels = {"half": {person: str(number % 2) for number, person in enumerate(people)}}
    whole = measure_accuracy(gallery, people, queries, people, labels=labels)
    assert 0.3 < (whole.rank1 or 0) < (whole.rank6 or 0) < 1
    monkeypatch.setattr(evaluation, "ROWS_AT_ONCE", 7)
    monkeypatch.setattr(ranking, "ROWS_AT_ONCE", 7)
    assert measure_accuracy(gallery, people, queries, people, labels=labels) == whole
    order = rng.permutation(40)
    shuffled = [people[place] for place in order]
    assert measure_accuracy(gallery[order], shuffled, queries, people, labels=labels) == whole


def test_strangers_alone_have_numbers_but_no_rank() -> None:
    found = measure_accuracy(GALLERY, PEOPLE, at(1, 70), ["a stranger", "another"])
    assert found.rank1 is found.rank6 is found.verification is found.threshold is None
    assert found.outsiders.shape == (2, 2)
    assert (found.outsiders[:, 0] > found.outsiders[:, 1]).all()
    assert set(found.intervals) == {"never_first", "top_tenth_share"}


def test_it_counts_who_comes_first_for_others() -> None:
    """Each portrait is nearest to a neighbour 20 degrees off, ada's and hal's to bo and gus."""
    found = measure_accuracy(GALLERY, PEOPLE, at(22), ["ada"])
    firsts = rank_people(GALLERY, np.arange(8), at(22), np.array([0]), "").firsts
    assert firsts.sum() == 9
    assert found.never_first == np.mean(firsts == 0)
    assert found.top_tenth_share == firsts.max() / 9
    assert firsts[0] == 0 or firsts[1] > 0


def test_intervals_are_over_people_not_photos() -> None:
    """Ada's eight photos are right and bo's two wrong: a draw may have ada twice or bo twice."""
    queries = at(*[1] * 8, 41, 41)
    found = measure_accuracy(GALLERY, PEOPLE, queries, ["ada"] * 8 + ["bo"] * 2)
    assert found.rank1 == pytest.approx(0.8)
    assert found.intervals["rank1"] == (0, 1)
    again = measure_accuracy(GALLERY, PEOPLE, queries, ["ada"] * 8 + ["bo"] * 2)
    assert again.intervals == found.intervals


def test_it_rejects_an_empty_gallery_and_no_queries() -> None:
    for gallery, queries in ((GALLERY[:0], GALLERY), (GALLERY, GALLERY[:0])):
        with pytest.raises(ValueError, match="no usable photo"):
            measure_accuracy(gallery, PEOPLE[: len(gallery)], queries, PEOPLE[: len(queries)])


def test_it_rejects_a_gallery_of_one_person() -> None:
    with pytest.raises(ValueError, match="of two people"):
        measure_accuracy(at(1), ["ada"], at(2), ["ada"])
