"""A megabyte in the data folder that is given up for a purge.

On a disk without a byte SQLite cannot even be read, and what would make room could not run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.conf import settings

SIZE = 1_000_000


def keep_reserve() -> None:
    """Make the file if it is not there. Without room for it nothing is left of it."""
    path = settings.DATA_DIR / "reserve"
    if path.exists():
        return
    try:
        path.touch(mode=0o600)
        path.write_bytes(bytes(SIZE))
    except OSError:
        path.unlink(missing_ok=True)


@contextmanager
def released_reserve() -> Iterator[None]:
    """The megabyte is free inside, and taken again afterwards."""
    with suppress(OSError):
        (settings.DATA_DIR / "reserve").unlink(missing_ok=True)
    try:
        yield
    finally:
        keep_reserve()
