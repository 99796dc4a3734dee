"""Which errors mean that a service is away for a while, so that the visitor, or the worker, is to
try again later: nothing is wrong with the photo or the code."""

from __future__ import annotations

import errno

import django.db
import kombu.exceptions
from redis.exceptions import RedisError

FULL_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ENFILE, errno.EMFILE}

AWAY = (
    django.db.OperationalError,
    django.db.InterfaceError,
    kombu.exceptions.OperationalError,
    RedisError,
    ConnectionError,
    TimeoutError,
)


CACHE_FAILURES = (RedisError, OSError)
"""What Django's cache raises while Valkey is away."""


class Outage(Exception):
    """A service that the site needs is away. The text is for the log."""


def is_outage(error: BaseException | None) -> bool:
    """Botocore is known by its name: a site without a bucket does not import it."""
    if isinstance(error, OSError) and error.errno in FULL_DISK:
        return True
    return isinstance(error, (*AWAY, Outage)) or type(error).__module__.startswith("botocore.")
