"""Errors of requests to Wikidata and Commons."""

from __future__ import annotations

from celebrities.errors import GalleryError


class WikimediaError(GalleryError):
    """Root of this package's errors. The text says what to do."""


class NoContact(WikimediaError):
    """LOOKALIKE_CONTACT is not set."""


class ForbiddenAddress(WikimediaError):
    """An address that is neither Wikimedia's over HTTPS nor a local one from the settings."""


class Unavailable(WikimediaError):
    """No usable answer after the last attempt, or a Retry-After that is too long."""


class Refused(WikimediaError):
    """The service rejected the request; repeating it would not help."""


class TooSlow(WikimediaError):
    """The query exceeded the query service's time limit."""


class BadPicture(WikimediaError):
    """This picture can't be downloaded, though its server works."""


class ApiError(Refused):
    """An error that an API states. ``id`` is the entity it is about, if any."""

    def __init__(self, code: str, info: str, id: str = "") -> None:
        super().__init__(f"{code}: {info}" if info else code)
        self.code = code
        self.id = id
