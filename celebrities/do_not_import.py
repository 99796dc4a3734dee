"""The list of people and pictures that may not come back into the gallery.

It holds Wikidata ids, names, and hashes of pictures; nothing more of anybody.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np
from django.db import models

from celebrities.models import Celebrity, DoNotImport, Portrait, gallery_storage
from celebrities.names import fold
from lookalike.chunks import batched

HASH_SIDE = 16
MAX_DISTANCE = 30
"""Of 256 bits. See `hash_picture`."""

BATCH = 100


def hash_picture(data: bytes) -> int:
    """The difference hash of a picture: 256 bits, one for each pair of neighbours in a row of
    its 17 x 16 grey miniature.

    imagehash computes the same, and brings SciPy and PyWavelets with it. Raises OSError.
    """
    from PIL import Image  # Only a worker, a command or a curator comes here.

    with Image.open(io.BytesIO(data)) as image:
        image.draft("L", (8 * HASH_SIDE, 8 * HASH_SIDE))
        small = image.convert("L").resize((HASH_SIDE + 1, HASH_SIDE), Image.Resampling.BOX)
    grey = np.asarray(small, np.int16)
    bits = np.packbits(grey[:, 1:] > grey[:, :-1])
    return int.from_bytes(bits.tobytes(), "big")


@dataclass(frozen=True, slots=True)
class Blocked:
    """The list as it was when read."""

    entries: list[DoNotImport]

    @classmethod
    def read(cls) -> Blocked:
        return cls(list(DoNotImport.objects.all()))

    def find(
        self,
        *,
        wikidata_id: str = "",
        names: Iterable[str] = (),
        sha256: str = "",
        phash: int | None = None,
    ) -> DoNotImport | None:
        """The entry for any of these. A name doesn't count between two Wikidata ids."""
        folded = set(map(fold, names)) - {""}
        for entry in self.entries:
            if wikidata_id and entry.wikidata_id == wikidata_id:
                return entry
            if sha256 and sha256 in entry.sha256:
                return entry
            same_name = folded & set(entry.names)
            if same_name and not (wikidata_id and entry.wikidata_id):
                return entry
            if phash is not None and entry.has_picture_like(phash, MAX_DISTANCE):
                return entry
        return None


def is_listed(
    *,
    wikidata_id: str = "",
    names: Iterable[str] = (),
    sha256: str = "",
    phash: int | None = None,
) -> str:
    """Why somebody or a picture may not be imported, as a sentence; "" if they may."""
    entry = Blocked.read().find(wikidata_id=wikidata_id, names=names, sha256=sha256, phash=phash)
    return entry.sentence if entry else ""


def is_person_listed(name: str, other_names: str, wikidata_id: str) -> str:
    """`is_listed`, by all that a person is known by; ``other_names`` a line each."""
    return is_listed(wikidata_id=wikidata_id, names=(name, *other_names.splitlines()))


def add_people(people: models.QuerySet[Celebrity], reason: str = "") -> int:
    """Put people with all their pictures on the list, and return how many there are."""
    count = 0
    for batch in batched(people.order_by("pk").iterator(chunk_size=BATCH), BATCH):
        entries = [describe_person(person, reason) for person in batch]
        count += len(DoNotImport.objects.bulk_create(entries))
    return count


def describe_person(person: Celebrity, reason: str) -> DoNotImport:
    names = {fold(name) for name in (person.name, *person.other_names.splitlines())} - {""}
    portraits = list(person.portraits.defer("vector").order_by("pk"))
    hashes = [phash for each in portraits if (phash := hash_portrait(each)) is not None]
    return DoNotImport(
        wikidata_id=person.wikidata_id,
        names=sorted(names),
        sha256=sorted({each.image_hash for each in portraits}),
        phashes=sorted({f"{phash:064x}" for phash in hashes}),
        reason=reason[:200],
    )


def hash_portrait(portrait: Portrait) -> int | None:
    """None if the picture cannot be read: a missing file keeps nobody in the gallery."""
    try:
        with gallery_storage().open(str(portrait.image.name)) as file:
            return hash_picture(file.read())
    except (OSError, ValueError):
        return None


def add_portraits(portraits: Collection[Portrait], reason: str = "") -> DoNotImport:
    """Put pictures on the list, not the people in them."""
    hashes = [phash for each in portraits if (phash := hash_portrait(each)) is not None]
    return DoNotImport.objects.create(
        sha256=sorted({each.image_hash for each in portraits}),
        phashes=sorted({f"{phash:064x}" for phash in hashes}),
        reason=reason[:200],
    )
