"""Identification and verification accuracy, overall and by group, from vectors and labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.ranking import (
    OUTSIDER,
    ROWS_AT_ONCE,
    Places,
    Ranking,
    find_interval,
    rank_people,
    share_of_top_tenth,
)
from lookalike.faces.types import Floats, Vectors

STEPS = 20_000
"""Histogram bins for distances from 0 to 2; 0.0001 is the precision of the threshold."""

Labels = Mapping[str, Mapping[str, str]]
"""Groups of people by question: ``{"sex": {"ada": "F"}, "born": {...}}``."""

Interval = tuple[float, float]
"""Lower and upper end, 95 %, over people."""


@dataclass(frozen=True, slots=True)
class Identification:
    """Shares from 0 to 1, by the score that the site searches by.

    ``rank1`` and ``rank6``: query photos whose person comes first, or among the first six;
    None without such photos. ``never_first``: people who come first for nobody else's photo,
    gallery portraits included; ``top_tenth_share``: first places that the most frequent tenth
    of people take. ``intervals`` has a 95 % interval over people of each.
    """

    rank1: float | None
    rank6: float | None
    never_first: float
    top_tenth_share: float
    intervals: dict[str, Interval]


@dataclass(frozen=True, slots=True)
class GroupAccuracy(Identification):
    """Accuracy for the people of one group.

    ``verification`` is None if the group has no genuine or no impostor pair.
    """

    query_photos: int
    verification: float | None


@dataclass(frozen=True, slots=True)
class Accuracy(Identification):
    """``verification``: balanced accuracy at ``threshold``, a Euclidean distance of unit
    vectors: the mean of the shares of genuine pairs accepted and of impostor pairs rejected.
    Both are None if all queries are outsiders. ``outsiders`` is (o, 2): the numbers of the
    best and of the sixth match of each query whose person is not in the gallery.
    """

    verification: float | None
    threshold: float | None
    outsiders: Floats = field(compare=False)
    groups: dict[str, dict[str, GroupAccuracy]] = field(default_factory=dict)


def measure_accuracy(
    gallery: Vectors,
    gallery_people: Sequence[str],
    queries: Vectors,
    query_people: Sequence[str],
    *,
    encoder: str = "",
    missed_people: Sequence[str] = (),
    labels: Labels | None = None,
) -> Accuracy:
    """Rank the gallery's people for every query, and compare every query with every portrait.

    ``gallery`` is (n, d) and ``queries`` (m, d), unit rows, with one person each. ``encoder``
    names the vectors' encoder. ``missed_people`` are the people of query photos without a
    face; they count as not found. Queries of people outside the gallery form impostor pairs
    and ``outsiders``. A group uses ranks in the whole gallery, pairs among its members, and
    the overall threshold.

    Raises ValueError if there is no portrait or no query, or if queries show people of the
    gallery and there is no genuine or no impostor pair.
    """
    if not len(gallery) or not len(queries):
        raise ValueError("no usable photo in the gallery, or none among the queries")
    people, owners = np.unique(np.asarray(gallery_people, dtype=str), return_inverse=True)
    order = np.argsort(owners, kind="stable")
    gallery, owners = gallery[order], owners[order]
    asked = np.asarray(query_people, dtype=str)
    places = _find_places(people, asked)
    ranking = rank_people(gallery, owners, queries, places, encoder)
    lost = _find_places(people, np.asarray(missed_people, dtype=str))
    found = _Found.join(ranking, places, lost[lost != OUTSIDER])

    distances = _Distances(gallery, people, owners)
    verification, step = None, None
    if found.photos.any():
        same, different = distances.count_pairs(queries, asked)
        verification, step = _find_threshold(same, different)
    everybody = np.arange(len(people))
    return Accuracy(
        *_identify(found, everybody),
        verification=verification,
        threshold=None if step is None else round((step + 1) * 2 / STEPS, 4),
        outsiders=ranking.nearest,
        groups={
            question: _measure_groups(distances, queries, asked, found, answers, step)
            for question, answers in (labels or {}).items()
        },
    )


def _find_places(people: NDArray[np.str_], wanted: NDArray[np.str_]) -> Places:
    places = np.minimum(np.searchsorted(people, wanted), len(people) - 1)
    return np.where(people[places] == wanted, places, OUTSIDER) if len(wanted) else places


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """By person of the gallery: query photos, how many were found first and among six, and
    how often the person is first for somebody else."""

    photos: Places
    first: Places
    six: Places
    firsts: Places

    @classmethod
    def join(cls, ranking: Ranking, places: Places, lost: Places) -> _Found:
        people = len(ranking.firsts)
        photos, first, six = (
            np.bincount(places[(places != OUTSIDER) & (ranking.ranks < limit)], minlength=people)
            for limit in (people, 1, 6)
        )
        return cls(photos + np.bincount(lost, minlength=people), first, six, ranking.firsts)


def _identify(
    found: _Found, people: Places
) -> tuple[float | None, float | None, float, float, dict[str, Interval]]:
    """The fields of an Identification, for some people."""
    photos, first, six, firsts = (
        each[people] for each in (found.photos, found.first, found.six, found.firsts)
    )
    figures: dict[str, Callable[[Places], float]] = {
        "rank1": lambda at: float(first[at].sum() / max(photos[at].sum(), 1)),
        "rank6": lambda at: float(six[at].sum() / max(photos[at].sum(), 1)),
        "never_first": lambda at: float(np.mean(firsts[at] == 0)),
        "top_tenth_share": lambda at: share_of_top_tenth(firsts[at]),
    }
    if not photos.any():
        del figures["rank1"], figures["rank6"]
    everyone = np.arange(len(people))
    values = {name: figure(everyone) for name, figure in figures.items()}
    intervals = {name: find_interval(len(people), figure) for name, figure in figures.items()}
    return (
        values.get("rank1"),
        values.get("rank6"),
        values["never_first"],
        values["top_tenth_share"],
        intervals,
    )


class _Distances:
    """Distances of queries to the gallery, whose rows are sorted by person."""

    def __init__(self, gallery: Vectors, people: NDArray[np.str_], owners: Places) -> None:
        self.people = people
        self.gallery = gallery
        self.owners = owners

    def between(self, queries: Vectors) -> NDArray[np.float32]:
        """(m, n) Euclidean distances of unit vectors."""
        squares = np.maximum(2 - 2 * (queries @ self.gallery.T), 0)
        distances: NDArray[np.float32] = np.sqrt(squares)
        return distances

    def count_pairs(
        self, queries: Vectors, asked: NDArray[np.str_], members: frozenset[str] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Histograms of distances, (STEPS,) each: genuine pairs and impostor pairs. With
        ``members``, only pairs among these people."""
        owners = self.people[self.owners]
        columns = np.arange(len(owners))
        rows = np.arange(len(asked))
        if members is not None:
            columns = np.flatnonzero(np.isin(owners, list(members)))
            rows = np.flatnonzero(np.isin(asked, list(members)))
        same = np.zeros(STEPS, np.int64)
        different = np.zeros(STEPS, np.int64)
        for start in range(0, len(rows), ROWS_AT_ONCE):
            block = rows[start : start + ROWS_AT_ONCE]
            distances = self.between(queries[block])[:, columns]
            steps = np.minimum((distances * (STEPS / 2)).astype(np.int64), STEPS - 1)
            own = asked[block][:, None] == owners[columns][None]
            same += np.bincount(steps[own], minlength=STEPS)
            different += np.bincount(steps[~own], minlength=STEPS)
        return same, different


def _find_threshold(same: NDArray[np.int64], different: NDArray[np.int64]) -> tuple[float, int]:
    """The best balanced accuracy and its last accepted step; the middle one of equals."""
    if not same.sum() or not different.sum():
        raise ValueError("pairs of one person and of two people are both needed")
    accuracy = _balance(same, different)
    best = np.flatnonzero(accuracy == accuracy.max())
    step = int(best[len(best) // 2])
    return float(accuracy[step]), step


def _balance(same: NDArray[np.int64], different: NDArray[np.int64]) -> NDArray[np.float64]:
    """(STEPS,) balanced accuracy with each step as the last accepted one."""
    accepted = np.cumsum(same) / same.sum()
    refused = 1 - np.cumsum(different) / different.sum()
    balanced: NDArray[np.float64] = (accepted + refused) / 2
    return balanced


def _measure_groups(
    distances: _Distances,
    queries: Vectors,
    asked: NDArray[np.str_],
    found: _Found,
    answers: Mapping[str, str],
    step: int | None,
) -> dict[str, GroupAccuracy]:
    """The accuracy of every group that has a query, sorted by name."""
    groups = {}
    for group in sorted(set(answers.values())):
        members = frozenset(person for person, answer in answers.items() if answer == group)
        people = np.flatnonzero(np.isin(distances.people, list(members)))
        photos = int(found.photos[people].sum())
        if not photos:
            continue
        same, different = distances.count_pairs(queries, asked, members)
        both = step is not None and same.sum() and different.sum()
        groups[group] = GroupAccuracy(
            *_identify(found, people),
            query_photos=photos,
            verification=float(_balance(same, different)[step]) if both else None,
        )
    return groups
