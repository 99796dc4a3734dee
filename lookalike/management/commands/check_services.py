"""`manage.py check_services`: whether database, Valkey and storage do what the site needs."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin
from uuid import uuid4

from django.conf import settings
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from lookalike.queue import read_broker

PLACES = ("uploads", "gallery", "builds", "records")
TIMEOUT = 10


class NotWell(Exception):
    """What a service does not do, in a sentence."""


class Command(BaseCommand):
    help = (
        "Try every service as the site uses it: a row is read, a key of the cache is written, and "
        "one file is written, listed, read and deleted in each place of the storage. Tells whether "
        "visitors' photos can be read by everybody, and whether Valkey may forget the queue."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        failed = 0
        trials: list[tuple[str, Callable[[], str]]] = [
            ("database", try_database),
            ("cache", try_cache),
            ("queue", try_queue),
            *((place, lambda place=place: try_place(place)) for place in PLACES),
        ]
        for name, attempt in trials:
            try:
                said = attempt() or "well"
            except Exception as error:  # noqa: BLE001 - each service fails in its own way.
                failed += 1
                said = f"NOT WELL: {error}" if str(error) else f"NOT WELL: {type(error).__name__}"
            self.stdout.write(f"{name:<10}{said}")
        if failed:
            raise CommandError(f"{failed} of {len(trials)} are not well.")


def try_database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return f"well: {connection.vendor}"


def try_cache() -> str:
    key = f"trial-{uuid4().hex}"
    cache.set(key, "1", timeout=60)
    if cache.get(key) != "1":
        raise NotWell("What is written cannot be read.")
    cache.delete(key)
    return ""


def try_queue() -> str:
    """Warns of a server that forgets: photos would wait for the sweeper."""
    about = read_broker()
    said = []
    if about["maxmemory_policy"] not in {"noeviction", ""}:
        said.append("it may evict the queue (set maxmemory-policy noeviction)")
    if not about["persistent"]:
        said.append("it forgets everything when it restarts (set appendonly yes)")
    return f"well, but {' and '.join(said)}" if said else ""


def try_place(place: str) -> str:
    storage = storages[place]
    wanted = f"trial-{uuid4().hex}.txt"
    name = storage.save(wanted, ContentFile(b"trial"))
    try:
        if name not in storage.listdir("")[1]:
            raise NotWell("A file that was written is not listed.")
        with storage.open(name) as file:
            if file.read() != b"trial":
                raise NotWell("A file that was written reads otherwise.")
        if place == "gallery":
            if settings.STORAGE == "s3" and not is_public(storage.url(name)):
                raise NotWell(
                    "Pictures of the gallery cannot be read by everybody: pages would lack them. "
                    "Allow it by ACLs (LOOKALIKE_S3_ACLS=1) or by a policy for gallery/."
                )
        elif settings.STORAGE == "s3" and is_public(storage.url(name).partition("?")[0]):
            raise NotWell("Everybody can read it! Take public access from the bucket's policy.")
    finally:
        storage.delete(name)
    if storage.exists(name):
        raise NotWell("A file that was deleted is still there.")
    return ""


def is_public(url: str) -> bool:
    """Whether somebody without keys gets the file."""
    address = urljoin("http://localhost/", url)
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except urllib.error.HTTPError:
        return False
