"""Which people were deleted, kept in the storage: a copy of the database that is put back later
would bring them back, and does not know it. Ids and times of birth of rows, no names."""

from __future__ import annotations

import logging
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver

from celebrities.models import Celebrity

logger = logging.getLogger(__name__)

FOLDER = "deleted"


def name_of(person: Celebrity) -> str:
    """The id alone would be another's some day."""
    milliseconds = int(person.created_at.timestamp()) * 1000 + person.created_at.microsecond // 1000
    return f"{FOLDER}/{person.pk}-{milliseconds}"


@receiver(post_delete, sender=Celebrity)
def remember_deletion(instance: Celebrity, **given: Any) -> None:
    name = name_of(instance)

    def write() -> None:
        try:
            storages["records"].save(name, ContentFile(b""))
        except Exception as error:  # noqa: BLE001 - the person is deleted, whatever is noted of it.
            logger.error("The deletion of a person could not be noted: %s", type(error).__name__)

    transaction.on_commit(write)


def find_deleted() -> list[Celebrity]:
    """People in the database of whom the storage says that they were deleted."""
    try:
        names = set(storages["records"].listdir(FOLDER)[1])
    except FileNotFoundError:
        return []
    ids = [int(name.partition("-")[0]) for name in names if name.partition("-")[0].isdigit()]
    people = Celebrity.objects.filter(pk__in=ids).order_by("pk")
    return [person for person in people if name_of(person).partition("/")[2] in names]
