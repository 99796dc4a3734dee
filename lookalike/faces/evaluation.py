"""Identification and verification accuracy, overall and by group, from vectors and labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.calibration import UNKNOWN_TAIL
from lookalike.faces.people import Portraits, average, choose_cohort, make_rows
from lookalike.faces.types import Tail, Vectors

ROWS_AT_ONCE = 512
"""Queries compared with the gallery at a time, which bounds memory."""

STEPS = 20_000
"""Histogram bins for distances from 0 to 2; 0.0001 is the precision of the threshold."""

Labels = Mapping[str, Mapping[str, str]]
"""Groups of people by question: ``{"sex": {"ada": "F"}, "born": {...}}``."""


@dataclass(frozen=True, slots=True)
class GroupAccuracy:
    """Accuracy for the people of one group.

    ``verification`` is None if the group has no genuine or no impostor pair.
    """

    query_photos: int
    rank1: float
    rank6: float
    verification: float | None


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Shares from 0 to 1. ``threshold`` is a Euclidean distance of unit vectors.

    ``rank1`` and ``rank6``: query photos whose person comes first, or among the first six, by
    the score that the site searches by (`lookalike.faces.people`).
    ``verification``: balanced accuracy at ``threshold``, the mean of the shares of genuine
    pairs accepted and of impostor pairs rejected.
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
    tail: Tail = UNKNOWN_TAIL,
    missed_people: Sequence[str] = (),
    labels: Labels | None = None,
) -> Accuracy:
    """Rank the gallery's people for every query, and compare every query with every portrait.

    ``gallery`` is (n, d) and ``queries`` (m, d), unit rows, with one person each.
    ``tail`` is the encoder's. ``missed_people`` are the people of query photos without a face;
    they count as not found. Queries of people outside the gallery only form impostor pairs. A
    group uses ranks in the whole gallery, pairs among its members, and the overall threshold.

    Raises ValueError if no query's person is in the gallery, or if there is no genuine or no
    impostor pair.
    """
    people, owners = np.unique(np.asarray(gallery_people, dtype=str), return_inverse=True)
    asked = np.asarray(query_people, dtype=str)
    known = set(people.tolist())
    lost = np.array([person for person in missed_people if person in known], dtype=str)
    if not known.intersection(asked):
        raise ValueError("no query photo shows a person of the gallery")

    distances = _Distances(gallery, people, owners)
    ranks = distances.find_ranks(queries, asked, tail)
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
    """Distances of queries to the gallery, whose rows are sorted by person."""

    def __init__(self, gallery: Vectors, people: NDArray[np.str_], owners: NDArray[np.intp]):
        order = np.argsort(owners, kind="stable")
        self.people = people
        self.gallery = gallery[order]
        self.owners = owners[order]

    def between(self, queries: Vectors) -> NDArray[np.float32]:
        """(m, n) Euclidean distances of unit vectors."""
        squares = np.maximum(2 - 2 * (queries @ self.gallery.T), 0)
        distances: NDArray[np.float32] = np.sqrt(squares)
        return distances

    def find_ranks(self, queries: Vectors, asked: NDArray[np.str_], tail: Tail) -> NDArray[np.intp]:
        """The rank of each query's person, from 0; the number of people for those outside the
        gallery. A tie counts against the right person."""
        portraits = Portraits(self.gallery, np.arange(len(self.owners)), self.owners)
        people = make_rows(average(portraits), choose_cohort(portraits, tail))
        ranks = np.full(len(queries), len(self.people), np.intp)
        place = np.searchsorted(self.people, asked)
        inside = np.flatnonzero(np.isin(asked, self.people))
        for start in range(0, len(inside), ROWS_AT_ONCE):
            rows = inside[start : start + ROWS_AT_ONCE]
            scores = queries[rows] @ people.rows.T + people.bias
            own = scores[np.arange(len(rows)), place[rows]]
            ranks[rows] = (scores >= own[:, None]).sum(axis=1) - 1
        return ranks

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
    """The accuracy of every group that has a query, sorted by name."""
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
