from __future__ import annotations

import math

import numpy as np
import pytest

from lookalike.faces.similarity import BANDS, HARDLY, PERCENTILES, band, find_percentile, phrase
from lookalike.faces.types import Scale


def test_it_works() -> None:
    scale = Scale(stranger=-6.0, same=4.0)
    assert scale.number(-6.0) == 0.0
    assert scale.number(-1.0) == pytest.approx(50.0)
    assert scale.number(4.0) == 100.0


def test_number_is_cut_at_the_ends() -> None:
    scale = Scale(stranger=-6.0, same=4.0)
    assert scale.number(-7.0) == 0.0
    assert scale.number(5.0) == 100.0


def test_number_never_falls_with_the_score() -> None:
    scale = Scale(stranger=-5.2, same=6.8)
    numbers = [scale.number(score) for score in np.linspace(-10, 10, 5000).tolist()]
    assert numbers == sorted(numbers)
    assert all(0.0 <= number <= 100.0 for number in numbers)


@pytest.mark.parametrize(
    ("stranger", "same"),
    [(0.3, 0.3), (0.3, 0.2), (math.nan, 0.3), (0.3, math.nan), (-math.inf, 0.3), (0.3, math.inf)],
)
def test_rejects_a_scale_upside_down(stranger: float, same: float) -> None:
    with pytest.raises(ValueError, match="not a scale"):
        Scale(stranger, same)


# Bands


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, 0), (44.9, 0), (45, 1), (55, 2), (64.9, 2), (65, 3), (74.9, 3), (75, 4), (100, 4)],
)
def test_band_of_a_number(number: float, expected: int) -> None:
    assert band(number) == expected
    assert phrase(number) == BANDS[expected][1]


def test_five_bands_rise_from_hardly_alike() -> None:
    assert len(BANDS) == 5
    assert [least for least, _ in BANDS] == sorted({least for least, _ in BANDS})
    assert BANDS[HARDLY] == (0.0, "not much alike")


def test_no_phrase_claims_identity() -> None:
    for _, words in BANDS:
        assert not {"is", "same", "identical", "identified", "match"} & set(words.split())


def test_a_number_has_its_place_among_the_best_matches_of_others() -> None:
    measured = [40.0, 45, 50, 55, 60, 65, 70, 75, 90]

    assert [find_percentile(each, measured) for each in measured] == list(PERCENTILES)
    assert find_percentile(62.5, measured) == pytest.approx(62.5)
    assert find_percentile(0.0, measured) == 1.0
    assert find_percentile(100.0, measured) == 99.0


def test_a_place_is_found_where_many_are_cut_at_an_end() -> None:
    measured = [0.0, 0.0, 0.0, 10, 20, 30, 100.0, 100.0, 100.0]

    assert find_percentile(0.0, measured) in (1.0, 5.0, 10.0)
    assert find_percentile(15.0, measured) == pytest.approx(37.5)


def test_nothing_measured_gives_no_place() -> None:
    assert find_percentile(70.0, []) is None
