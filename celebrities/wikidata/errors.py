"""Why Wikidata or Commons did not give what was asked for."""

from __future__ import annotations

from celebrities.errors import GalleryError


class WikimediaError(GalleryError):
    """The root of what this package raises. The text says what to do."""


class NoContact(WikimediaError):
    """LOOKALIKE_CONTACT is not set."""


class ImportRunning(WikimediaError):
    """Another process is asking Wikimedia at this moment."""


class ForbiddenAddress(WikimediaError):
    """An address outside Wikimedia, or without HTTPS, that no setting names."""


class Unavailable(WikimediaError):
    """The service gave no usable answer within the limits for pauses and tries."""


class Refused(WikimediaError):
    """The service refused the request, and would refuse it again."""


class TooSlow(WikimediaError):
    """The query took longer than the query service allows."""


class BadPicture(WikimediaError):
    """A picture that could not be loaded whole, though its server answered."""


class ApiError(Refused):
    """An error that an API states. ``id`` is the entity it is about, if any."""

    def __init__(self, code: str, info: str, id: str = "") -> None:
        super().__init__(f"{code}: {info}" if info else code)
        self.code = code
        self.id = id
