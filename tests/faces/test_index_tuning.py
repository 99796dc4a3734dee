from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lookalike.faces.index import build_index, open_index
from lookalike.faces.index.tuning import mix_queries, true_neighbours
from tests.faces.vectors import make_rows, make_vectors

ENCODER: dict[str, Any] = {"encoder_name": "test", "encoder_version": "1"}


def test_it_works(tmp_path: Path) -> None:
    tuning = build_index(tmp_path, "one", make_rows(2500), **ENCODER).tuning
    assert tuning.recall_wanted == 0.99
    assert 0.99 <= tuning.recall <= 1.0
    assert tuning.method in {"exact", "approximate"}
    assert tuning.exact_ms > 0
    assert tuning.approximate_ms > 0
    assert tuning.queries > 0


def test_less_recall_takes_fewer_cells(tmp_path: Path) -> None:
    rows = make_rows(2500)
    low = build_index(tmp_path, "low", rows, **ENCODER, recall=0.6).tuning
    high = build_index(tmp_path, "high", rows, **ENCODER, recall=0.999).tuning
    assert low.recall >= 0.6
    assert high.recall >= 0.999
    assert low.probes < high.probes


def test_perfect_recall_means_exact(tmp_path: Path) -> None:
    tuning = build_index(tmp_path, "one", make_rows(2500), **ENCODER, recall=1.0).tuning
    assert tuning.method == "exact"


def test_small_galleries_are_searched_exactly(tmp_path: Path) -> None:
    assert build_index(tmp_path, "one", make_rows(48), **ENCODER).tuning.method == "exact"


def test_the_builds_choice_is_what_a_search_uses(tmp_path: Path) -> None:
    build_index(tmp_path, "one", make_rows(48), **ENCODER)
    index = open_index(tmp_path / "one")
    for query in make_vectors(20, seed=5):
        assert index.search(query, 6) == index.search(query, 6, exact=True)


def test_true_neighbours_are_the_nearest_rows() -> None:
    vectors, queries = make_vectors(40_000), make_vectors(5, seed=1)
    for query, rows in zip(queries, true_neighbours(vectors, queries), strict=True):
        nearest = np.argsort(np.linalg.norm(vectors - query, axis=1))[:12]
        assert set(rows.tolist()) == set(nearest.tolist())


def test_queries_are_not_in_the_gallery_but_like_it() -> None:
    rows = make_rows(500)
    queries = mix_queries(rows.vectors, rows.celebrity_ids, 50)
    assert np.linalg.norm(queries, axis=1) == pytest.approx(1.0, abs=1e-5)
    distances = np.linalg.norm(queries[:, None] - rows.vectors[None], axis=2)
    between = np.linalg.norm(rows.vectors[::2, None] - rows.vectors[None, 1::2], axis=2)
    assert distances.min() > 1e-3
    assert np.median(distances) == pytest.approx(np.median(between), rel=0.2)


@pytest.mark.parametrize("people", [1, 2, 3])
def test_queries_can_be_mixed_of_few_people(people: int) -> None:
    rows = make_rows(people)
    assert mix_queries(rows.vectors, rows.celebrity_ids, 10).shape == (10, 64)
