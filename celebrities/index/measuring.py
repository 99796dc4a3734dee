"""How well the gallery itself is told apart: each portrait searched for among everybody, its own
person's row made without it. From the same numbers come the thresholds of the desk's queues."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from celebrities.index.builds import load_cohort
from celebrities.index.rows import read_people, read_portraits
from celebrities.models import Celebrity, IndexBuild, Portrait
from lookalike.faces.index import Ids, IndexRows
from lookalike.faces.people import Portraits, make_rows, score_left_out

MOST_PEOPLE = 1000
"""People whose portraits are searched for; the same ones at every build as long as they stay."""

FEW = 30
"""Groups of fewer people say too little."""

WRONG_MISSED = 0.01
"""The share of wrong portraits that the limit for odd ones may miss."""

PICTURE_SHARE = 0.17
"""Two portraits nearer than this share of the distance of strangers may be one picture: 0.1 of
0.58 with the embedded encoder."""

AT_ONCE = 64


def measure_gallery(build: IndexBuild) -> None:
    """Store accuracy and thresholds with the build. Does nothing with fewer than FEW people who
    have two portraits."""
    facts = build.facts
    if facts is None:
        return
    searchable = Portrait.objects.searchable(build.encoder)
    people = choose_people(build)
    if len(people) < FEW:
        return
    cohort = load_cohort(build, facts.dimensions)
    rows = make_rows(read_people(searchable, facts.dimensions), cohort)
    own = read_portraits(searchable, people, facts.dimensions)
    ranks, best = rank_portraits(own, rows, score_left_out(own, cohort))
    never = set(people) - set(own.people[ranks == 1].tolist()) - set(best.tolist())
    measured = {
        "accuracy": group_ranks(own.people, ranks, never),
        **measure_odd(own),
    }
    IndexBuild.objects.filter(pk=build.pk).update(measured=measured)


def choose_people(build: IndexBuild) -> list[int]:
    """People with two or more portraits, at most MOST_PEOPLE."""
    rows = Portrait.objects.searchable(build.encoder).order_by("celebrity_id")
    ids = np.array(rows.values_list("celebrity_id", flat=True), np.int64)
    people, counts = np.unique(ids, return_counts=True)
    several = people[counts > 1]
    if len(several) > MOST_PEOPLE:
        order = np.random.default_rng(0).permutation(int(several.max()) + 1)
        several = np.sort(several[np.argsort(order[several])[:MOST_PEOPLE]])
    return [int(each) for each in several]


def rank_portraits(own: Portraits, rows: IndexRows, scores: Any) -> tuple[Ids, Ids]:
    """(n,) the rank of each portrait's own person, and (n,) the best other person."""
    ranks, best = np.empty(len(own), np.int64), np.empty(len(own), np.int64)
    for start in range(0, len(own), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        others = own.vectors[part] @ rows.rows.T + rows.bias
        others[own.people[part][:, None] == rows.ids] = -np.inf
        ranks[part] = 1 + (others > scores[part][:, None]).sum(axis=1)
        best[part] = rows.ids[others.argmax(axis=1)]
    return ranks, best


def group_ranks(people: Ids, ranks: Ids, never: set[int]) -> list[dict[str, Any]]:
    """Rank-1, rank-6 and never first of everybody, by gender and by decade of birth."""
    known = Celebrity.objects.filter(pk__in=set(people.tolist()))
    members: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for pk, gender, year in known.values_list("pk", "gender", "birth_year"):
        members["all", ""].add(pk)
        members["gender", gender].add(pk)
        if year is not None:
            members["born", f"{year // 10 * 10}s"].add(pk)
    found = []
    for (kind, name), group in sorted(members.items()):
        mine = ranks[np.isin(people, list(group))]
        found.append(
            {
                "kind": kind,
                "name": name,
                "people": len(group),
                "portraits": len(mine),
                "rank1": round(float((mine == 1).mean()), 4),
                "rank6": round(float((mine <= 6).mean()), 4),
                "never": round(len(group & never) / len(group), 4),
            }
        )
    return found


def measure_odd(own: Portraits) -> dict[str, Any]:
    """The limit for odd ones out, with the shares of wrong portraits found and of right ones
    blamed. A wrong portrait is a stranger's: the nearest of as many strangers as the person has
    other portraits."""
    nearness = own.vectors @ own.vectors.T
    distances = np.sqrt(np.maximum(2 - 2 * nearness, 0))
    np.fill_diagonal(distances, np.inf)
    same = own.people[:, None] == own.people
    right = np.where(same, distances, np.inf).min(axis=1)
    rng = np.random.default_rng(0)
    wrong = []
    for row, count in enumerate(own.counts.tolist()):
        strangers = distances[row][~same[row]]
        wrong.append(rng.choice(strangers, count - 1).min())
    odd = float(np.quantile(wrong, WRONG_MISSED))
    stranger = float(np.median(distances[~same]))
    limits = {"odd": round(odd, 4), "picture": round(stranger * PICTURE_SHARE, 4)}
    return {
        "thresholds": limits,
        "errors": {
            "odd_found": round(float((np.array(wrong) > odd).mean()), 4),
            "odd_blamed": round(float((right > odd).mean()), 4),
        },
    }
