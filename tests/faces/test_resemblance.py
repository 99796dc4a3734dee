from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lookalike.faces import resemblance
from lookalike.faces.index import Index, IndexRows, build_index, open_index
from lookalike.faces.resemblance import nearest_people
from tests.faces.vectors import make_rows


def build(folder: Path, rows: IndexRows) -> Index:
    build_index(folder, "one", rows, encoder_name="test", encoder_version="1")
    return open_index(folder / "one")


def test_it_works(tmp_path: Path) -> None:
    rows = make_rows(40, portraits=3)
    found = nearest_people(build(tmp_path, rows), 10)
    assert found.celebrity_ids.tolist() == np.arange(100, 140).repeat(10).tolist()
    for person in (100, 117, 139):
        mine, others = rows.celebrity_ids == person, np.arange(100, 140)
        between = np.linalg.norm(rows.vectors[mine][:, None] - rows.vectors[None], axis=2).min(0)
        best = [9.0 if o == person else between[rows.celebrity_ids == o].min() for o in others]
        expected = others[np.argsort(best)][:10].tolist()
        assert found.other_ids[found.celebrity_ids == person].tolist() == expected
        distances = found.distances[found.celebrity_ids == person]
        assert distances == pytest.approx(np.sort(best)[:10], abs=1e-4)


def test_numbers_are_those_of_the_index(tmp_path: Path) -> None:
    index = build(tmp_path, make_rows(40))
    found = nearest_people(index, 3)
    numbers = [index.scale.number(distance) for distance in found.distances.tolist()]
    assert found.similarities == pytest.approx(numbers, abs=1e-3)


def test_handles_people_with_different_numbers_of_portraits(tmp_path: Path) -> None:
    rows = make_rows(20)
    kept = np.r_[0, 2:40]  # The first person keeps one portrait.
    rows = IndexRows(rows.vectors[kept], rows.portrait_ids[kept], rows.celebrity_ids[kept])
    found = nearest_people(build(tmp_path, rows), 5)
    assert (np.unique(found.celebrity_ids, return_counts=True)[1] == 5).all()
    assert (found.celebrity_ids != found.other_ids).all()


def test_handles_blocks_smaller_than_the_gallery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = build(tmp_path, make_rows(40))
    whole = nearest_people(index, 5)
    shares: list[float] = []
    monkeypatch.setattr(resemblance, "BLOCK_SCORES", 300)
    parts = nearest_people(index, 5, progress=shares.append)
    assert whole.other_ids.tolist() == parts.other_ids.tolist()
    assert len(shares) > 5
    assert shares[-1] == 1.0


@pytest.mark.parametrize(("people", "pairs"), [(0, 0), (1, 0), (2, 2), (4, 12)])
def test_handles_fewer_people_than_asked_for(tmp_path: Path, people: int, pairs: int) -> None:
    assert len(nearest_people(build(tmp_path, make_rows(people)), 10).other_ids) == pairs
