"""How often the right person is found, and for whom: on vectors and labels alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.types import Vectors

ROWS_AT_ONCE = 512
"""Queries compared at once with the whole gallery, so that memory stays bounded."""

STEPS = 20_000
"""Distances from 0 to 2 are counted in steps of 0.0001, which is the threshold's precision."""

Labels = Mapping[str, Mapping[str, str]]
"""What is known of people, by the question: ``{"sex": {"ada": "F"}, "born": {...}}``."""


@dataclass(frozen=True, slots=True)
class GroupAccuracy:
    """The same figures for the people of one group.

    ``verification`` is None when the group has no pair of one person or none of two.
    """

    query_photos: int
    rank1: float
    rank6: float
    verification: float | None


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Shares from 0 to 1. ``threshold`` is a Euclidean distance of unit vectors.

    ``rank1`` and ``rank6``: the query photos whose person is the nearest, or among the six
    nearest people of the gallery; a person is as near as their best portrait.
    ``verification``: at ``threshold``, the mean of the share of pairs of one person taken
    for one and the share of pairs of two people taken for two.
    """

    rank1: float
    rank6: float
    verification: float
    threshold: float
    groups: dict[str, dict[str, GroupAccuracy]] = field(default_factory=dict)


def measure_accuracy(
    gallery: Vectors,
    gallery_people: Sequence[str],
    queries: Vectors,
    query_people: Sequence[str],
    *,
    missed_people: Sequence[str] = (),
    labels: Labels | None = None,
) -> Accuracy:
    """Search every query among the gallery's people, and compare every pair.

    ``gallery`` is (n, d) and ``queries`` (m, d), unit rows, with one person each.
    ``missed_people`` are those of the query photos in which no face was found: they count
    as not found. Queries of people outside the gallery have no right answer: they take part
    in the pairs of two people only. Within a group, the ranks are those in the whole
    gallery and the pairs those of two of its members, at the threshold of everyone.

    Raises ValueError when no query's person is in the gallery, or when there are no two
    people to tell apart.
    """
    people, owners = np.unique(np.asarray(gallery_people, dtype=str), return_inverse=True)
    asked = np.asarray(query_people, dtype=str)
    known = set(people.tolist())
    lost = np.array([person for person in missed_people if person in known], dtype=str)
    if not known.intersection(asked):
        raise ValueError("no query photo shows a person of the gallery")

    distances = _Distances(gallery, people, owners)
    ranks = distances.find_ranks(queries, asked)
    same, different = distances.count_pairs(queries, asked)
    verification, step = _find_threshold(same, different)
    ranked = np.isin(asked, people)
    found = np.concatenate([ranks[ranked], np.full(len(lost), len(people))])
    of_whom = np.concatenate([asked[ranked], lost])
    return Accuracy(
        rank1=_share_within(found, 1),
        rank6=_share_within(found, 6),
        verification=verification,
        threshold=round((step + 1) * 2 / STEPS, 4),
        groups={
            question: _measure_groups(distances, queries, asked, found, of_whom, answers, step)
            for question, answers in (labels or {}).items()
        },
    )


class _Distances:
    """Every query against every portrait of the gallery, a block of queries at a time."""

    def __init__(self, gallery: Vectors, people: NDArray[np.str_], owners: NDArray[np.intp]):
        order = np.argsort(owners, kind="stable")
        self.people = people
        self.gallery = gallery[order]
        self.owners = owners[order]
        self.starts = np.searchsorted(self.owners, np.arange(len(people)))

    def between(self, queries: Vectors) -> NDArray[np.float32]:
        """(m, n) Euclidean distances of unit vectors."""
        squares = np.maximum(2 - 2 * (queries @ self.gallery.T), 0)
        distances: NDArray[np.float32] = np.sqrt(squares)
        return distances

    def find_ranks(self, queries: Vectors, asked: NDArray[np.str_]) -> NDArray[np.intp]:
        """How many people are at least as near as the right one; the number of all people
        for those outside the gallery. Somebody exactly as near is a wrong answer, too."""
        ranks = np.full(len(queries), len(self.people), np.intp)
        place = np.searchsorted(self.people, asked)
        inside = np.flatnonzero(np.isin(asked, self.people))
        for start in range(0, len(inside), ROWS_AT_ONCE):
            rows = inside[start : start + ROWS_AT_ONCE]
            best = np.minimum.reduceat(self.between(queries[rows]), self.starts, axis=1)
            own = best[np.arange(len(rows)), place[rows]]
            ranks[rows] = (best <= own[:, None]).sum(axis=1) - 1
        return ranks

    def count_pairs(
        self, queries: Vectors, asked: NDArray[np.str_], members: frozenset[str] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Pairs by distance, (STEPS,) each: of one person, and of two; of members only."""
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
    """The best balanced accuracy, and the last step that counts as one person. Where
    several do equally well, the middle one."""
    if not same.sum() or not different.sum():
        raise ValueError("pairs of one person and of two people are both needed")
    accuracy = _balance(same, different)
    best = np.flatnonzero(accuracy == accuracy.max())
    step = int(best[len(best) // 2])
    return float(accuracy[step]), step


def _balance(same: NDArray[np.int64], different: NDArray[np.int64]) -> NDArray[np.float64]:
    """(STEPS,) balanced accuracy when everything up to that step counts as one person."""
    accepted = np.cumsum(same) / same.sum()
    refused = 1 - np.cumsum(different) / different.sum()
    balanced: NDArray[np.float64] = (accepted + refused) / 2
    return balanced


def _share_within(ranks: NDArray[np.intp], places: int) -> float:
    return float(np.mean(ranks < places))


def _measure_groups(
    distances: _Distances,
    queries: Vectors,
    asked: NDArray[np.str_],
    ranks: NDArray[np.intp],
    of_whom: NDArray[np.str_],
    answers: Mapping[str, str],
    step: int,
) -> dict[str, GroupAccuracy]:
    """Each group that has a query, in the order of the groups' names."""
    groups = {}
    for group in sorted(set(answers.values())):
        members = frozenset(person for person, answer in answers.items() if answer == group)
        own = ranks[np.isin(of_whom, list(members))]
        if not len(own):
            continue
        same, different = distances.count_pairs(queries, asked, members)
        both = same.sum() and different.sum()
        groups[group] = GroupAccuracy(
            query_photos=len(own),
            rank1=_share_within(own, 1),
            rank6=_share_within(own, 6),
            verification=float(_balance(same, different)[step]) if both else None,
        )
    return groups
