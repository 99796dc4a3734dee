"""Portraits compared with each other: odd ones, the same picture twice, the same person twice."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations

import numpy as np
from django.db import transaction
from django.utils import timezone

from celebrities.index.rows import CHUNK, list_people, read_portraits
from celebrities.index.thresholds import thresholds
from celebrities.models import Celebrity, IndexBuild, Pair, Portrait, Resemblance
from celebrities.names import fold
from lookalike.chunks import batched
from lookalike.database import let_others_write
from lookalike.faces.index import Ids, Progress
from lookalike.faces.people import Portraits
from lookalike.faces.types import Vectors

AT_ONCE = 32
"""Portraits compared with all others together, and written in one transaction."""

LOOSE = 0.3
"""Pictures farther apart than this are not compared by their looks."""

SAME_BITS = 24
"""Of 256 bits of the difference hash. See `Thresholds`."""

MOST_NAMESAKES = 6
"""More people of one name are nothing that a curator could decide by looking."""


def compare_portraits(build: IndexBuild, progress: Progress = lambda step, share: None) -> None:
    """Compare portraits that changed since they were last compared with all others.

    Stores each one's distance to the person's nearest other portrait and the nearest portrait of
    somebody else, and pairs that may be one picture. A few at a time, so that others may write.
    """
    facts = build.facts
    if facts is None:
        return
    ready = Portrait.objects.read_by(build.encoder).filter(celebrity__merged_into=None)
    new = set(ready.filter(compared_at=None).values_list("pk", flat=True))
    if not new:
        return
    everything = [Portraits.none(facts.dimensions)]
    people = list_people(ready)
    for start in range(0, len(people), CHUNK):
        part = people[start : start + CHUNK]
        everything.append(read_portraits(ready, part, facts.dimensions))
    whole = Portraits(
        *(
            np.concatenate([getattr(part, name) for part in everything])
            for name in ("vectors", "ids", "people")
        )
    )
    at = np.flatnonzero(np.isin(whole.ids, list(new)))
    for start in range(0, len(at), AT_ONCE):
        progress("comparing portraits", start / len(at))
        compare_some(whole, at[start : start + AT_ONCE])
        if start + AT_ONCE < len(at):
            let_others_write()


def compare_some(whole: Portraits, at: Ids) -> None:
    """Compare the portraits at these places with all others."""
    nearness = whole.vectors[at] @ whole.vectors.T
    distances = np.sqrt(np.maximum(2 - 2 * nearness, 0))
    distances[np.arange(len(at)), at] = np.inf
    own = whole.people[at][:, None] == whole.people[None, :]
    apart = np.where(own, distances, np.inf).min(axis=1)
    others = np.where(own, np.inf, distances)
    nearest = others.argmin(axis=1)
    now, rows = timezone.now(), []
    for row, place in enumerate(at.tolist()):
        is_other = np.isfinite(others[row, nearest[row]])
        rows.append(
            Portrait(
                pk=int(whole.ids[place]),
                apart=float(apart[row]) if np.isfinite(apart[row]) else None,
                nearest_id=int(whole.ids[nearest[row]]) if is_other else None,
                compared_at=now,
            )
        )
    pairs = find_pairs(whole.ids, at, distances)
    with transaction.atomic():
        mentioned = Portrait.objects.filter(pk__in=_mentioned(rows, pairs))
        there = set(mentioned.values_list("pk", flat=True))
        for each in rows:
            each.nearest_id = each.nearest_id if each.nearest_id in there else None
        Portrait.objects.bulk_update(rows, ["apart", "nearest", "compared_at"])
        whole_pairs = [each for each in pairs if {each.one_id, each.other_id} <= there]
        Pair.objects.bulk_create(whole_pairs, ignore_conflicts=True)


def _mentioned(rows: list[Portrait], pairs: list[Pair]) -> set[int]:
    ids = {each.nearest_id for each in rows} | {each.one_id for each in pairs}
    return {pk for pk in ids | {each.other_id for each in pairs} if pk is not None}


def find_pairs(ids: Ids, at: Ids, distances: Vectors) -> list[Pair]:
    """Pairs of portraits that may be one picture, by their vectors or by their looks."""
    limit = thresholds().picture
    near = np.argwhere(distances < max(limit, LOOSE))
    candidates = {
        tuple(sorted((int(ids[at[row]]), int(ids[column])))): float(distances[row, column])
        for row, column in near.tolist()
    }
    wanted = {pk for pair in candidates for pk in pair}
    known = Portrait.objects.filter(pk__in=wanted).values_list("pk", "image_hash", "phash")
    hashes = {pk: (sha256, phash) for pk, sha256, phash in known}
    pairs = []
    for (one, other), distance in candidates.items():
        if one not in hashes or other not in hashes:
            continue
        alike = _look_alike(hashes[one][1], hashes[other][1])
        if distance <= limit or alike:
            key = pair_key(hashes[one][0], hashes[other][0], one, other)
            why = "looks" if alike else ""
            pairs.append(
                Pair(
                    kind=Pair.Kind.PICTURE,
                    key=key,
                    one_id=one,
                    other_id=other,
                    distance=distance,
                    why=why,
                )
            )
    return pairs


def _look_alike(one: str, other: str) -> bool:
    return bool(one and other) and (int(one, 16) ^ int(other, 16)).bit_count() <= SAME_BITS


def pair_key(one: str, other: str, *ids: int) -> str:
    """The decision's key: both files' SHA-256; of one file in two people, with the rows."""
    key = "-".join(sorted((one, other)))
    return key if one != other else f"{one}-{'-'.join(map(str, sorted(ids)))}"


def people_key(one: int, other: int) -> str:
    return "-".join(map(str, sorted((one, other))))


def find_doubled_people() -> None:
    """Pairs of people who may be one: very much alike, or of one name and compatible years."""
    alike = Resemblance.objects.filter(rank=1, similarity__gte=thresholds().person)
    found = {
        people_key(one, other): (one, other, similarity, "")
        for one, other, similarity in alike.values_list("celebrity", "other", "similarity")
    }
    for one, other in find_namesakes():
        found[people_key(one, other)] = (one, other, 0.0, "name")
    known = set(Pair.objects.filter(kind=Pair.Kind.PERSON).values_list("key", flat=True))
    for batch in batched(((k, *each) for k, each in found.items() if k not in known), AT_ONCE):
        _store_people(batch)


def _store_people(batch: list[tuple[str, int, int, float, str]]) -> None:
    ids = {pk for _key, one, other, _similarity, _why in batch for pk in (one, other)}
    people = Celebrity.objects.filter(pk__in=ids).with_portraits()
    covers = {person.pk: person.cover for person in people}
    Pair.objects.bulk_create(
        (
            Pair(
                kind=Pair.Kind.PERSON,
                key=key,
                one=one_cover,
                other=other_cover,
                distance=similarity,
                why=why,
            )
            for key, one, other, similarity, why in batch
            if (one_cover := covers.get(one)) and (other_cover := covers.get(other))
        ),
        ignore_conflicts=True,
    )


def find_namesakes() -> list[tuple[int, int]]:
    """People one of whose names is a name of the other, unless years tell them apart."""
    named = defaultdict(list)
    people = Celebrity.objects.filter(merged_into=None, is_fictional=False)
    facts = people.values_list("pk", "sort_key", "other_names", "birth_year", "wikidata_id")
    for pk, name, others, year, wikidata in facts.iterator(chunk_size=CHUNK):
        for each in {name, *map(fold, others.splitlines())} - {""}:
            named[each].append((pk, year, wikidata))
    pairs = set()
    for same in named.values():
        if 1 < len(same) <= MOST_NAMESAKES:
            for one, other in combinations(same, 2):
                apart = any(a and b and a != b for a, b in zip(one[1:], other[1:], strict=True))
                if one[0] != other[0] and not apart:
                    pairs.add((min(one[0], other[0]), max(one[0], other[0])))
    return sorted(pairs)
