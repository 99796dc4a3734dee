"""Part "number": where strangers, look-alikes and the same person fall from 0 to 100."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.choices.conditions import list_good
from benchmarks.choices.search import (
    ENCODER,
    find_columns,
    load_everybody,
    load_gallery,
    score,
)
from benchmarks.figures import Figures
from benchmarks.timing import amount
from lookalike.faces.calibration import (
    built_in_scale,
    built_in_tail,
    calibrate,
    measure_outsiders,
)
from lookalike.faces.people import Portraits, average, choose_cohort, make_rows, score_left_out
from lookalike.faces.similarity import BANDS, PERCENTILES, Calibration
from lookalike.faces.types import Floats

SIZES = (50, 100, 200)
"""People of smaller galleries."""

DRAWS = amount(10, quick=3)
"""Smaller galleries of each size."""

BINS = np.arange(-60, 161, 5)
"""Edges of the plot's bars. Numbers are clipped to 0 to 100 on the site, but not here."""


def bench_number() -> Figures:
    everybody, names = load_everybody()
    calibration = measure(everybody)
    kinds = list_numbers(everybody, calibration)
    return {
        "portraits": len(everybody),
        "people": len(names),
        "pairs": calibration.same,
        "scale": {
            "strangers": round(calibration.scale.stranger, 3),
            "same person": round(calibration.scale.same, 3),
        },
        "built-in": measure_built_in(everybody),
        "percentiles": {
            name: dict(
                zip(map(str, PERCENTILES), np.percentile(each, PERCENTILES).round(), strict=True)
            )
            for name, each in kinds.items()
        },
        "sizes": measure_sizes(everybody),
        "bands": count_bands(kinds),
        "histograms": {
            "edges": BINS.tolist(),
            **{name: np.histogram(each, BINS)[0].tolist() for name, each in kinds.items()},
        },
    }


def measure(gallery: Portraits) -> Calibration:
    """As a build measures."""
    cohort = choose_cohort(gallery, built_in_tail(ENCODER))
    rows = make_rows(average(gallery), cohort)
    return measure_outsiders(rows, cohort, calibrate(gallery, cohort, built_in_scale(ENCODER)))


def list_numbers(everybody: Portraits, calibration: Calibration) -> dict[str, Floats]:
    """Numbers by kind, not clipped: each person's portraits among everybody else, and photos of
    the very person that their row was not made of."""
    cohort = choose_cohort(everybody, built_in_tail(ENCODER))
    scores = score(everybody, everybody.vectors)
    own = np.arange(len(scores)), everybody.people
    strangers = np.delete(scores.ravel(), np.ravel_multi_index(own, scores.shape))
    scores[own] = -np.inf
    ordered = np.sort(scores, axis=1)
    good = list_good()
    hard = score(load_gallery(), good.vectors)
    right = find_columns([one.portrait.person for one in good.seen])
    found = {
        "strangers": strangers,
        "sixth match of somebody else": ordered[:, -6],
        "best match of somebody else": ordered[:, -1],
        "the same person": score_left_out(everybody.take(everybody.counts > 1), cohort),
        "the same person, in every guise": hard[np.arange(len(hard)), right],
    }
    low, high = calibration.scale.stranger, calibration.scale.same
    return {name: 100 * (each - low) / (high - low) for name, each in found.items()}


def measure_built_in(everybody: Portraits) -> Figures:
    """Medians that `EncoderSpec` has: similarities of strangers, of one person's portraits, and
    of people to their most similar tenth."""
    people = average(everybody)
    similarities = everybody.vectors @ people.means.T
    own = everybody.people[:, None] == people.ids
    tails = np.sort(np.where(own, -np.inf, similarities), axis=0)[-len(everybody) // 10 :]
    twins = everybody.take(everybody.counts > 1)
    sums = np.add.reduceat(twins.vectors, twins.starts)[
        np.cumsum(np.diff(twins.people, prepend=-1) != 0) - 1
    ]
    others = (sums - twins.vectors) / (twins.counts - 1)[:, None]
    return {
        "strangers": round(float(np.median(similarities[~own])), 4),
        "same person": round(float(np.median(np.einsum("nd,nd->n", others, twins.vectors))), 4),
        "tail's mean": round(float(np.median(tails.mean(axis=0))), 4),
        "tail's deviation": round(float(np.median(tails.std(axis=0))), 4),
    }


def measure_sizes(everybody: Portraits) -> dict[str, Figures]:
    """Scale and look-alikes of smaller galleries, as medians over draws, and of the whole."""
    people = np.unique(everybody.people)
    found = {}
    for size in (*(size for size in SIZES if size < len(people)), len(people)):
        measured = []
        for draw in range(DRAWS if size < len(people) else 1):
            chosen = np.random.default_rng(draw).permutation(people)[:size]
            measured.append(measure(everybody.take(np.isin(everybody.people, chosen))))
        found[f"{size} people"] = describe(measured)
    return found


def describe(measured: list[Calibration]) -> Figures:
    at = [PERCENTILES.index(each) for each in (5, 50, 95)]
    best, sixth = (
        np.median([getattr(one, name) for one in measured], axis=0)[at].round()
        for name in ("best", "sixth")
    )
    return {
        "0 is": round(float(np.median([one.scale.stranger for one in measured])), 2),
        "100 is": round(float(np.median([one.scale.same for one in measured])), 2),
        "best match: 5th, 50th, 95th": " ".join(f"{each:.0f}" for each in best),
        "sixth match: 5th, 50th, 95th": " ".join(f"{each:.0f}" for each in sixth),
    }


def count_bands(kinds: Mapping[str, Floats]) -> dict[str, Figures]:
    """The share of each kind in each band of phrases."""
    edges = [-np.inf, *(least for least, _ in BANDS[1:]), np.inf]
    return {
        name: {
            f"{phrase} ({least:.0f})": f"{share:.1%}"
            for (least, phrase), share in zip(
                BANDS, np.histogram(each, edges)[0] / len(each), strict=True
            )
        }
        for name, each in kinds.items()
    }
