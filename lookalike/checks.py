"""Django's system checks of the settings."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, Warning, register

from lookalike.environ import SQLITE, read_text
from lookalike.faces.encoders import ENCODERS, list_choices

LIMITS: dict[str, tuple[float, float]] = {
    "PORT": (1, 65_535),
    "HSTS_SECONDS": (0, 10 * 31_536_000),
    "MAX_BYTES": (10_000, 1_000_000_000),
    "MAX_PIXELS": (100_000, 1_000_000_000),
    "DECODE_MB": (16, 65_536),
    "MIN_SIDE": (16, 1000),
    "KEEP_HOURS": (1, 8784),
    "MIN_AGE": (0, 120),
    "LEAST_AGE": (0, 120),
    "PROXIES": (1, 10),
    "RATE_LIMIT": (0, 1_000_000),
    "MAX_QUEUE": (1, 1_000_000),
    "MIN_FREE": (0, 1_000_000_000_000),
    "LOST_AFTER": (5, 86_400),
    "REQUEUE_AFTER": (5, 86_400),
    "SWEEP_EVERY": (1, 3600),
    "THREADS": (1, 256),
    "WORKERS": (1, 1024),
    "RECALL": (0.5, 1.0),
}
"""The smallest and largest value of each setting LOOKALIKE_<name>."""

LOCAL_NAMES = {"localhost", "127.0.0.1", "[::1]"}


@register()
def check_numbers(**kwargs: Any) -> list[CheckMessage]:
    return [
        Error(
            f"LOOKALIKE_{name} is {value}, outside {least:g} to {most:g}.",
            hint=f"Set LOOKALIKE_{name} to a number in that range, or unset it.",
            id="lookalike.E001",
        )
        for name, (least, most) in LIMITS.items()
        if not least <= (value := getattr(settings, name)) <= most
    ]


@register()
def check_words(**kwargs: Any) -> Iterator[CheckMessage]:
    encoders = list_choices()
    for name, pattern, choices, number in (
        ("ENCODER", "|".join(encoders), " or ".join(encoders), "E002"),
        ("DEVICE", r"cpu|cuda(:\d+)?", "cpu, cuda or cuda:N", "E003"),
        ("STORAGE", "local|s3", "local or s3", "E004"),
    ):
        value = getattr(settings, name)
        if not re.fullmatch(pattern, value):
            yield Error(
                f"LOOKALIKE_{name} is {value!r}, which is no {name.lower()}.",
                hint=f"Set it to {choices}.",
                id=f"lookalike.{number}",
            )
    spec = ENCODERS.get(settings.ENCODER)
    if spec and not spec.is_available(settings.WEIGHTS_DIR):
        # Only a warning: `manage.py fetch_weights` runs these checks as well.
        yield Warning(
            f"LOOKALIKE_ENCODER is {spec.name}, but its weights are not there.",
            hint=f"Fetch them with `manage.py fetch_weights {spec.name}`, or set it to auto.",
            id="lookalike.W001",
        )


@register()
def check_bucket(**kwargs: Any) -> Iterator[CheckMessage]:
    if settings.STORAGE != "s3":
        return
    if not settings.S3.name:
        yield Error(
            "LOOKALIKE_STORAGE is s3, but no bucket is named.",
            hint="Set LOOKALIKE_S3_BUCKET.",
            id="lookalike.E005",
        )
    if bool(settings.S3.access_key) != bool(settings.S3.secret_key):
        yield Error(
            "Of LOOKALIKE_S3_ACCESS_KEY and LOOKALIKE_S3_SECRET_KEY only one is set.",
            hint="Set both, or neither to use the machine's own role.",
            id="lookalike.E006",
        )
    for name in ("endpoint", "public_url"):
        value = getattr(settings.S3, name)
        if value and not re.match(r"https?://[^/]", value):
            yield Error(
                f"LOOKALIKE_S3_{name.upper()} is {value!r}, which is no URL.",
                hint="Write it in full, such as https://s3.example.org.",
                id="lookalike.E007",
            )


@register()
def check_broker(**kwargs: Any) -> Iterator[CheckMessage]:
    """Cache and queue must both know the URL."""
    scheme = settings.REDIS_URL.partition("://")[0]
    if settings.REDIS_URL and scheme not in {"redis", "rediss"}:
        yield Error(
            f"REDIS_URL begins with {scheme}://, which the queue does not know.",
            hint="Write redis://host:6379/0 for Redis or Valkey, or rediss:// over TLS. A unix "
            "socket, Sentinel and Cluster are not offered.",
            id="lookalike.E010",
        )


@register()
def check_hosts(**kwargs: Any) -> Iterator[CheckMessage]:
    if settings.HOST in {"0.0.0.0", "::"} and set(settings.ALLOWED_HOSTS) <= LOCAL_NAMES:  # noqa: S104
        yield Warning(
            f"LOOKALIKE_HOST is {settings.HOST}, but only local names are allowed.",
            hint="Name the addresses that visitors use in LOOKALIKE_ALLOWED_HOSTS.",
            id="lookalike.W002",
        )


@register(Tags.security, deploy=True)
def check_production(**kwargs: Any) -> Iterator[CheckMessage]:
    if not settings.HTTPS:
        yield Warning(
            "LOOKALIKE_HTTPS is off: photos would travel unencrypted.",
            hint="Serve the site over HTTPS and leave LOOKALIKE_HTTPS at its default.",
            id="lookalike.W003",
        )
    if "*" in settings.ALLOWED_HOSTS:
        yield Warning(
            "LOOKALIKE_ALLOWED_HOSTS allows every name.",
            hint="Name the site's own addresses.",
            id="lookalike.W004",
        )
    if set(settings.ALLOWED_HOSTS) <= LOCAL_NAMES:
        yield Warning(
            "The site answers only to this machine's own names.",
            hint="Name the site's addresses in LOOKALIKE_ALLOWED_HOSTS.",
            id="lookalike.W005",
        )
    yield from _check_machine()
    if not settings.CONTACT:
        yield Warning(
            "The privacy page names nobody to write to.",
            hint="Set LOOKALIKE_CONTACT to the operator's address.",
            id="lookalike.W006",
        )


def _check_machine() -> Iterator[CheckMessage]:
    """What would be unsafe, or fail, where the site runs."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        yield Info(
            "The site runs as root.",
            hint="Give it a user of its own that owns LOOKALIKE_DATA_DIR.",
            id="lookalike.I001",
        )
    folder = settings.DATA_DIR
    if folder.exists() and not os.access(folder, os.W_OK):
        yield Warning(
            f"{folder} cannot be written to.",
            hint="Make the site's user its owner, or set LOOKALIKE_DATA_DIR.",
            id="lookalike.W011",
        )
    kept = (folder, folder / "lookalike.sqlite3")
    if is_open := [path for path in kept if path.exists() and path.stat().st_mode & 0o077]:
        yield Warning(
            f"{' and '.join(map(str, is_open))} can be looked into by others on this machine.",
            hint="Run manage.py prepare, or chmod go= on it.",
            id="lookalike.W014",
        )
    if settings.HTTPS and not settings.TRUST_PROXY:
        yield Warning(
            "LOOKALIKE_TRUST_PROXY is off: behind a proxy all visitors would be one.",
            hint="Set it to 1 if a proxy that sets X-Forwarded-For and X-Forwarded-Proto is in "
            "front, as one that ends TLS must be.",
            id="lookalike.W012",
        )
    is_remote = settings.DATABASES["default"]["ENGINE"] != SQLITE
    if is_remote and not read_text("LOOKALIKE_SECRET_KEY"):
        yield Warning(
            "LOOKALIKE_SECRET_KEY is not set: machines that share the database would each make "
            "one, and forget each other's visitors.",
            hint="Set it to the same long random text on all of them.",
            id="lookalike.W013",
        )
