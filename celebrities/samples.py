"""Six people of the gallery, for visitors without a photo: their pages show who looks like them."""

from __future__ import annotations

from functools import lru_cache
from uuid import UUID

from celebrities.models import Celebrity, IndexBuild, Resemblance

COUNT = 6
CANDIDATES = 100


class NoSamples(Exception):
    """Nobody's look-alikes are known yet."""


def choose_samples() -> list[Celebrity]:
    """Up to six searchable people, each with a good look-alike, women and men in equal number
    where there are both, and none among the look-alikes of another."""
    build = IndexBuild.objects.current()
    try:
        known = Resemblance.objects.filter(rank=1).count()
        ids = _choose(build.pk, known) if build else []
    except NoSamples:
        return []
    people = Celebrity.objects.searchable().with_portraits().in_bulk(ids)
    return [people[pk] for pk in ids if pk in people]


def choose_pair(samples: list[Celebrity]) -> list[Celebrity]:
    """The first sample with a look-alike who both have a chip, and that look-alike; or nobody."""
    best = Resemblance.objects.filter(celebrity__in=samples, rank=1)
    look_alikes = dict(best.values_list("celebrity", "other"))
    people = Celebrity.objects.searchable().with_portraits().in_bulk(look_alikes.values())
    for one in samples:
        other = people.get(look_alikes.get(one.pk, 0))
        if other and _has_chip(one) and _has_chip(other):
            return [one, other]
    return []


def _has_chip(celebrity: Celebrity) -> bool:
    return bool(celebrity.cover and celebrity.cover.chip)


# The same for a whole build, once everybody's look-alikes are ``known``: they follow a build later,
# some people at a time. An exception is not cached.
@lru_cache(maxsize=1)
def _choose(build: UUID, known: int) -> list[int]:
    best = Resemblance.objects.filter(
        rank=1, celebrity__published=True, other__published=True
    ).order_by("-similarity", "celebrity")
    genders = dict(best.values_list("celebrity", "celebrity__gender")[:CANDIDATES])
    others: dict[int, set[int]] = {pk: set() for pk in genders}
    for one, other in Resemblance.objects.filter(celebrity__in=others).values_list(
        "celebrity", "other"
    ):
        others[one].add(other)
    chosen: list[int] = []
    for most in (COUNT // 2, COUNT):
        for pk, gender in genders.items():
            alike = any(pk in others[each] or each in others[pk] for each in chosen)
            same_gender = sum(genders[each] == gender for each in chosen)
            if len(chosen) < COUNT and pk not in chosen and not alike and same_gender < most:
                chosen.append(pk)
    if not chosen:
        raise NoSamples
    return chosen
