"""Goals: what is judged, by which number, and in which direction."""

from __future__ import annotations

import operator

import pytest

from benchmarks.figures import Figures
from benchmarks.goals import (
    GOALS,
    Goal,
    Outcome,
    judge_encoders,
    judge_index,
    judge_photos,
    judge_site,
)


def test_it_works() -> None:
    row = {"photo": "group of 5", "who": "facenet-pytorch", "times_ours": 2.9}

    [outcome] = judge_photos({"rows": [row, {**row, "who": "lookalike", "times_ours": 1}]})

    assert outcome == Outcome("photo", "group of 5, facenet-pytorch", 3, 2.9)
    assert not outcome.met
    assert outcome.goal.why.startswith("What is left is decoding")


@pytest.mark.parametrize(
    ("goal", "reached", "met"),
    [
        ("photo", 3, True),
        ("photo", 2.99, False),
        ("memory-growth", 3, True),
        ("memory-growth", 3.01, False),
        ("rank", 3, False),
        ("rank", 3.01, True),
    ],
)
def test_compares_in_the_direction_of_the_goal(goal: str, reached: float, met: bool) -> None:
    assert Outcome(goal, "", 3, reached).met is met


def test_takes_the_best_batch_of_an_encoder() -> None:
    rows = [{"times": 2.0, "gflops": 60.0}, {"times": 4.0, "gflops": 90.0}]
    figures: Figures = {
        "matrix_gflops": 100.0,
        "dlib": {"rows": rows, "largest_difference": 1e-6},
        "facenet": {"rows": rows},
    }

    reached = {outcome.id: outcome.reached for outcome in judge_encoders(figures)}

    assert reached == {
        "dlib-speed": 4.0,
        "dlib-equal": 1e-6,
        "facenet-speed": 4.0,
        "matrix-share": 0.9,
    }


def test_compares_most_waiting_visitors_with_none() -> None:
    [outcome] = judge_site({"rows": [], "waiting": {"0": 0.2, "100": 9.0, "500": 0.5}})

    assert outcome == Outcome("site-waiting", "portrait", 1.2, 2.5)


def test_takes_our_fastest_index_that_finds_enough() -> None:
    def row(way: str, recall: str, ms: str) -> dict[str, str]:
        return {"people": "100,000 x 128", "way": way, "recall": recall, "p50 ms": ms}

    exact, annoy = row("exact", "1.0", "3.5"), row("Annoy", "0.9899", "1.2")

    [outcome] = judge_index({"rows": [exact, annoy, row("faiss", "1.0", "0.5")]})
    assert outcome == Outcome("index-p50", "100,000 x 128", 6, 3.5)

    [outcome] = judge_index({"rows": [annoy]})
    assert not outcome.met


def test_requires_a_known_goal() -> None:
    with pytest.raises(KeyError, match="faster"):
        _ = Outcome("faster", "", 1, 1).goal


def test_is_at_least_by_default() -> None:
    assert Goal("speed").compare is operator.ge
    assert {goal.compare for goal in GOALS.values()} == {operator.ge, operator.gt, operator.le}
