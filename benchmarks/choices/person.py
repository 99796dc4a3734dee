"""Part "person": a person's score, in galleries of every size, with wrong portraits among them."""

from __future__ import annotations

from collections.abc import Callable
from unittest.mock import patch

import numpy as np

from benchmarks.choices.search import (
    ENCODER,
    find_columns,
    load_everybody,
    load_gallery,
    look_at_guises,
    score,
)
from benchmarks.choices.statistics import Columns, Scores, find_ranks, resample_people
from benchmarks.choices.template import HARD
from benchmarks.figures import Figures
from benchmarks.timing import amount
from lookalike.faces import people as engine
from lookalike.faces.calibration import built_in_scale, built_in_tail, calibrate
from lookalike.faces.people import Portraits, average, choose_cohort, find_odd
from lookalike.faces.ranking import share_of_top_tenth
from lookalike.faces.types import Vectors

Rule = Callable[[Portraits, Vectors], Scores]

SHARES = (0.05, 0.2, 0.3, 1.0)
WEIGHTS = (5, 20, 50, 100, 1000)
SIZES = (10, 20, 49, 50, 100, 200)
COHORTS = (50, 100, 200, 400)
LIMITS = (30.0, 35.0, 40.0, 45.0, 50.0)
DRAWS = amount(20, quick=5)


def bench_person() -> Figures:
    return {
        "rules": {name: measure_rule(rule) for name, rule in list_rules().items()},
        "sizes": measure_sizes(),
        "cohorts": measure_cohorts(),
        "odd": {portraits: measure_odd(portraits) for portraits in (3, 4, 5)},
    }


def list_rules() -> dict[str, Rule]:
    return {
        "best portrait": score_best,
        "mean of the portraits": lambda gallery, queries: queries @ average(gallery).means.T,
        "mean, normalised (in use)": score,
        **{f"the same, over {share:.0%} of the portraits": normalise(share) for share in SHARES},
    }


def score_best(gallery: Portraits, queries: Vectors) -> Scores:
    best: Scores = np.maximum.reduceat(queries @ gallery.vectors.T, gallery.starts, axis=1)
    return best


def normalise(share: float) -> Rule:
    def score_with(gallery: Portraits, queries: Vectors) -> Scores:
        with patch.object(engine, "UPPER_SHARE", share):
            return score(gallery, queries)

    return score_with


def list_queries() -> tuple[Vectors, Columns, list[str]]:
    """Second portraits in hard guises, whose they are, and the people's names."""
    found = look_at_guises()
    hard = [at for at, one in enumerate(found.seen) if one.guise in HARD]
    people = [found.seen[at].portrait.person for at in hard]
    return found.vectors[hard], find_columns(people), people


def measure_rule(rule: Rule) -> Figures:
    queries, right, people = list_queries()
    first = find_ranks(rule(load_gallery(), queries), right) < 1
    low, high = resample_people(first.astype(np.float64), people)
    spoilt = find_ranks(rule(spoil(load_gallery()), queries), right) < 1
    return {
        "rank-1": round(float(first.mean()), 4),
        "95 %": f"{low:.3f} to {high:.3f}",
        "with wrong portraits": round(float(spoilt.mean()), 4),
        **count_firsts(rule),
    }


def spoil(gallery: Portraits) -> Portraits:
    """With somebody else's portrait added to one person in five."""
    rng = np.random.default_rng(0)
    people = np.unique(gallery.people)
    chosen = rng.permutation(people)[: len(people) // 5]
    strangers = (chosen + rng.integers(1, len(people), len(chosen))) % len(people)
    vectors = np.concatenate([gallery.vectors, gallery.vectors[strangers]])
    owners = np.concatenate([gallery.people, chosen])
    order = np.argsort(owners, kind="stable")
    return Portraits(vectors[order], np.arange(len(owners)), owners[order])


def count_firsts(rule: Rule) -> Figures:
    """Everybody's portraits searched among everybody else: who comes first, how often?"""
    everybody, _ = load_everybody()
    scores = rule(everybody, everybody.vectors)
    scores[np.arange(len(scores)), everybody.people] = -np.inf
    times = np.bincount(scores.argmax(axis=1), minlength=scores.shape[1])
    has_two = np.bincount(everybody.people) > 1
    return {
        "never first": round(float(np.mean(times == 0)), 3),
        "top tenth": round(share_of_top_tenth(times), 3),
        "two portraits, times as often": round(
            float(times[has_two].mean() / times[~has_two].mean()), 2
        ),
    }


def measure_sizes() -> dict[str, Figures]:
    """Rank-1 in galleries of few people, and how far scores move when one more comes, as a share
    of their spread; by how many people the built-in tail counts as."""
    found: dict[str, Figures] = {}
    for weight in WEIGHTS:
        with patch.object(engine, "BUILT_IN_WEIGHT", weight):
            for size in [size for size in SIZES if size < len(load_gallery())]:
                figures = np.array([measure_size(size, draw) for draw in range(DRAWS)])
                first, moved = np.nanmean(figures, axis=0).tolist()
                found.setdefault(f"{weight:,}", {})[f"{size} people"] = f"{first:.3f}, {moved:.3f}"
    return found


def measure_size(size: int, draw: int) -> tuple[float, float]:
    gallery = load_gallery()
    queries, right, _ = list_queries()
    rng = np.random.default_rng(draw)
    # Half of the people are those who are asked for, so that small galleries have queries too.
    asked = rng.permutation(np.unique(right))[: size // 2]
    others = rng.permutation(np.setdiff1d(np.arange(len(gallery)), asked))
    chosen = np.concatenate([asked, others[: size - len(asked)]])
    before = score(gallery.take(np.sort(chosen)), queries)
    larger = np.sort(np.append(chosen, others[size - len(asked)]))
    after = score(gallery.take(larger), queries)[:, np.isin(larger, chosen)]
    inside = np.isin(right, asked)
    first = find_ranks(before[inside], np.searchsorted(np.sort(chosen), right[inside])) < 1
    return float(first.mean()), float(np.median(np.abs(after - before)) / before.std())


def measure_cohorts() -> dict[str, Figures]:
    """How far scores move when everybody is compared with fewer portraits."""
    everybody, _ = load_everybody()
    whole = score(everybody, everybody.vectors)
    found = {}
    for count in COHORTS:
        with patch.object(engine, "MOST_PORTRAITS", count):
            moves = score(everybody, everybody.vectors) - whole
        found[f"{count} portraits"] = {
            "moves, as a share of the spread": round(float(moves.std() / whole.std()), 3)
        }
    return found


def measure_odd(portraits: int) -> dict[str, Figures]:
    """Somebody else's portrait among a person's: how many are flagged, how many right ones are.

    Nobody here has three real portraits. So a person's are the first one and the second in several
    hard guises, which differ less than real ones do.
    """
    everybody, _ = load_everybody()
    cohort = choose_cohort(everybody, built_in_tail(ENCODER))
    scale = calibrate(everybody, cohort, built_in_scale(ENCODER)).scale
    right = make_sets(portraits)
    strangers = np.random.default_rng(1).permutation(len(everybody))
    is_last = np.append(np.diff(right.people) != 0, True)
    mixed = right.vectors.copy()
    mixed[is_last] = everybody.vectors[pick_strangers(right.people[is_last], everybody, strangers)]
    spoilt = Portraits(mixed, right.ids, right.people)
    found = {}
    for limit in LIMITS:
        with patch.object(engine, "ODD", limit):
            confirmed = np.zeros(len(right), np.bool_)
            flagged = find_odd(spoilt, confirmed, cohort, scale)
            blamed = find_odd(right, confirmed, cohort, scale)
        found[f"under {limit:.0f}"] = {
            "wrong ones flagged": round(float(flagged[is_last].mean()), 4),
            # One person in five has a wrong portrait.
            "right ones blamed": round(
                float(0.8 * blamed.mean() + 0.2 * flagged[~is_last].mean()), 4
            ),
        }
    return found


def make_sets(portraits: int) -> Portraits:
    """So many of each person of a pair, ordered by person."""
    gallery = load_gallery()
    queries, right, _ = list_queries()
    rng, vectors, people = np.random.default_rng(0), [], []
    for person in np.unique(right):
        mine = rng.permutation(np.flatnonzero(right == person))[: portraits - 1]
        if len(mine) == portraits - 1:
            vectors += [gallery.vectors[gallery.people == person], queries[mine]]
            people += [person] * portraits
    return Portraits(np.concatenate(vectors), np.arange(len(people)), np.array(people))


def pick_strangers(people: Columns, everybody: Portraits, order: Columns) -> Columns:
    """A portrait of somebody else for each of the people."""
    chosen = order[: len(people)]
    own = everybody.people[chosen] == people
    return np.where(own, (chosen + 2) % len(everybody), chosen)
