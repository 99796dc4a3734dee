"""Write people and portraits from Wikidata to the gallery."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction

from celebrities.do_not_import import hash_picture, is_listed
from celebrities.gallery import read_vectors, store_reading
from celebrities.models import Category, Celebrity, GalleryImport, Portrait, cleaned
from celebrities.portraits import Reading, read_portraits
from celebrities.wikidata.commons import CommonsFile
from celebrities.wikidata.licences import Credit
from celebrities.wikidata.merging import changes_of, merge_categories, remember, update_row
from celebrities.wikidata.options import Options
from lookalike import engine
from lookalike.faces.types import EncoderId, Vectors

if TYPE_CHECKING:
    from lookalike.faces.pipeline import FaceEngine

logger = logging.getLogger(__name__)

BUSY = "someone is changing this person at this moment"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture with a free licence. ``is_main``: it is the person's image (P18) on Wikidata."""

    name: str
    file: CommonsFile
    credit: Credit
    is_main: bool
    data: bytes = b""


def read_pictures(
    files: Sequence[bytes], people: Sequence[Celebrity | None]
) -> list[Reading | None]:
    """Readings in order, and None for each picture that the engine failed on. ``people`` has
    the row of each file's person, if there is one. Raises WeightsMissing or DeviceMissing."""
    if not files:
        return []
    faces = engine.get_engine()
    encoder = str(EncoderId.of(faces.encoder))

    def find_others(position: int) -> Vectors | None:
        return read_vectors(people[position], encoder)

    try:
        return [*read_portraits(faces, files, find_others=find_others)]
    except Exception:  # noqa: BLE001 - each picture then reports its own problem.
        logger.warning("A batch of pictures failed and is read one by one")
        return [_read_alone(faces, data) for data in files]


def _read_alone(faces: FaceEngine, data: bytes) -> Reading | None:
    try:
        [reading] = read_portraits(faces, [data])
    except Exception:
        logger.exception("A picture could not be read")
        return None
    return reading


def make_person(
    id: str, facts: dict[str, Any], categories: Iterable[Category], options: Options
) -> Celebrity:
    """Raises ValidationError for values that the model rejects."""
    row = Celebrity(
        wikidata_id=id,
        published=options.published,
        source_values=facts,
        imported_in=options.record,
        **facts,
    )
    cleaned(row).save()
    merge_categories(row, categories)
    return row


def update_person(
    row: Celebrity, facts: dict[str, Any], categories: Iterable[Category]
) -> tuple[bool, str]:
    """Update a person's facts, except for those that were changed by hand.

    Returns (True if anything changed, why something was kept or "").
    """
    changes, by_hand = changes_of(row, facts)
    if not facts["name"]:
        changes.pop("name", None)
    try:
        if changes and not update_row(row, changes):
            return False, BUSY
    except ValidationError as error:
        row.refresh_from_db()
        return False, "; ".join(error.messages)
    changed = merge_categories(row, categories) or bool(changes)
    return changed, f"changed by hand: {', '.join(by_hand)}" if by_hand else ""


def store_portrait(
    row: Celebrity, picture: Picture, reading: Reading, record: GalleryImport | None = None
) -> None:
    """Add a portrait. Raises ValidationError, also for a picture on the do-not-import list,
    and IntegrityError."""
    digest = hashlib.sha256(picture.data).hexdigest()
    if listed := is_listed(sha256=digest, phash=hash_picture(reading.picture)):
        raise ValidationError(listed)
    values = credit_values(picture.file, picture.credit)
    source = {**values, "title": picture.file.title, "is_main": picture.is_main}
    portrait = Portrait(
        celebrity=row,
        image_hash=digest,
        source_sha1=picture.file.sha1,
        imported_in=record,
        source_values=source,
        **values,
    )
    portrait.clean_fields(exclude=["image"])
    with transaction.atomic():
        store_reading(portrait, reading, str(EncoderId.of(engine.get_engine().encoder)))
        remember(row, pictures=sorted({*known_pictures(row), picture.file.sha1}))


def known_pictures(row: Celebrity) -> list[str]:
    """SHA-1 of each file that was ever imported for this person, removed ones included."""
    found: list[str] = row.source_values.get("pictures", [])
    return found


def credit_values(file: CommonsFile, credit: Credit) -> dict[str, str]:
    """Values of Portrait's credit fields."""
    return {
        "author": credit.author,
        "licence": credit.licence,
        "licence_url": credit.licence_url,
        "source_page": file.page,
    }
