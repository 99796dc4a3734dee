"""Django's system checks of the settings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from lookalike.faces.encoders import ENCODERS, list_choices

LIMITS: dict[str, tuple[float, float]] = {
    "PORT": (1, 65_535),
    "HSTS_SECONDS": (0, 10 * 31_536_000),
    "MAX_BYTES": (10_000, 1_000_000_000),
    "MAX_PIXELS": (100_000, 1_000_000_000),
    "MIN_SIDE": (16, 1000),
    "KEEP_HOURS": (1, 8784),
    "MIN_AGE": (0, 120),
    "RATE_LIMIT": (0, 1_000_000),
    "MAX_QUEUE": (1, 1_000_000),
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
def check_engine(**kwargs: Any) -> list[CheckMessage]:
    return [*_check_encoder(), *_check_device()]


def _check_encoder() -> Iterator[CheckMessage]:
    choices = list_choices()
    spec = ENCODERS.get(settings.ENCODER)
    if settings.ENCODER not in choices:
        yield Error(
            f"LOOKALIKE_ENCODER is {settings.ENCODER!r}, which is no encoder.",
            hint=f"Set it to one of {', '.join(choices)}.",
            id="lookalike.E002",
        )
    elif spec and not spec.is_available(settings.WEIGHTS_DIR):
        # Only a warning: `manage.py fetch_weights` runs these checks as well.
        yield Warning(
            f"LOOKALIKE_ENCODER is {spec.name}, but its weights are not there.",
            hint=f"Fetch them with `manage.py fetch_weights {spec.name}`, or set it to auto.",
            id="lookalike.W001",
        )


def _check_device() -> Iterator[CheckMessage]:
    if not re.fullmatch(r"cpu|cuda(:\d+)?", settings.DEVICE):
        yield Error(
            f"LOOKALIKE_DEVICE is {settings.DEVICE!r}, which is no device.",
            hint="Set it to cpu, cuda or cuda:N.",
            id="lookalike.E003",
        )


@register()
def check_storage(**kwargs: Any) -> list[CheckMessage]:
    if settings.STORAGE not in {"local", "s3"}:
        return [
            Error(
                f"LOOKALIKE_STORAGE is {settings.STORAGE!r}, which is no storage.",
                hint="Set it to local or s3.",
                id="lookalike.E004",
            )
        ]
    return [*_check_bucket()] if settings.STORAGE == "s3" else []


def _check_bucket() -> Iterator[CheckMessage]:
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
    for name, value in [
        ("S3_ENDPOINT", settings.S3.endpoint),
        ("S3_PUBLIC_URL", settings.S3.public_url),
    ]:
        if value and not re.match(r"https?://[^/]", value):
            yield Error(
                f"LOOKALIKE_{name} is {value!r}, which is no address.",
                hint="Write it in full, such as https://s3.example.org.",
                id="lookalike.E007",
            )


@register()
def check_hosts(**kwargs: Any) -> list[CheckMessage]:
    listens_everywhere = settings.HOST in {"0.0.0.0", "::"}  # noqa: S104
    if listens_everywhere and set(settings.ALLOWED_HOSTS) <= LOCAL_NAMES:
        return [
            Warning(
                f"LOOKALIKE_HOST is {settings.HOST}, but only local names are allowed.",
                hint="Name the addresses that visitors use in LOOKALIKE_ALLOWED_HOSTS.",
                id="lookalike.W002",
            )
        ]
    return []


@register(Tags.security, deploy=True)
def check_production(**kwargs: Any) -> list[CheckMessage]:
    """What a public site needs besides Django's own checks."""
    return [*_check_safety(), *_check_names()]


def _check_safety() -> Iterator[CheckMessage]:
    if not settings.HTTPS:
        yield Warning(
            "LOOKALIKE_HTTPS is off: faces would travel in the open.",
            hint="Serve the site over HTTPS and leave LOOKALIKE_HTTPS at its default.",
            id="lookalike.W003",
        )
    if "*" in settings.ALLOWED_HOSTS:
        yield Warning(
            "LOOKALIKE_ALLOWED_HOSTS allows every name.",
            hint="Name the site's own addresses.",
            id="lookalike.W004",
        )


def _check_names() -> Iterator[CheckMessage]:
    if set(settings.ALLOWED_HOSTS) <= LOCAL_NAMES:
        yield Warning(
            "The site answers only to this machine's own names.",
            hint="Name the site's addresses in LOOKALIKE_ALLOWED_HOSTS.",
            id="lookalike.W005",
        )
    if not settings.CONTACT:
        yield Warning(
            "The privacy page names nobody to write to.",
            hint="Set LOOKALIKE_CONTACT to the operator's address.",
            id="lookalike.W006",
        )
